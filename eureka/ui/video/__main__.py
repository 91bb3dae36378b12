"""`python -m eureka.ui.video NICENESS`: films every Shot, a line of JSON on stdin, and answers each with a Wrap."""

import os
import sys
from pathlib import Path

from eureka.core.errors import EurekaError
from eureka.core.serialize import dumps, loads
from eureka.ui.video.job import Shot, Wrap


def main() -> None:
    """Film until stdin ends."""
    os.nice(int(sys.argv[1]))
    # What a task prints is no answer.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    from eureka.ui.video.render import render_rollout

    for line in sys.stdin:
        shot = loads(Shot, line)
        try:
            wrap = Wrap(render_rollout(shot.job, Path(shot.to)))
        except EurekaError as error:
            wrap = Wrap(None, " ".join(str(error).split()))
        print(dumps(wrap), file=answers, flush=True)


if __name__ == "__main__":
    main()
