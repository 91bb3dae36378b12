"""`python -m eureka.ui.web.review DIR GENERATION [TASK_DIR]...` makes a review's films at the lowest priority."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from eureka.core.processes import errors_end_process, lower_priority
from eureka.store import RunStore
from eureka.ui.web.review.data import newest_review
from eureka.ui.web.review.films import make_films


def main(folder: str, generation: str, *task_dirs: str) -> None:
    """Film; ends the process with 1 and one line on stderr where that cannot be."""
    lower_priority()
    with errors_end_process():
        review = newest_review(Path(folder))
        if review is not None and review.generation == int(generation):
            with RunStore.open(Path(folder), read_only=True) as store:
                make_films(store, review.generation, review.shown, os.environ, [Path(name) for name in task_dirs])


if __name__ == "__main__":
    main(*sys.argv[1:])
