"""`python -m eureka.ui.report DIR [--background]`: write a run's report, as a run does."""

import sys
from pathlib import Path

from eureka.core.processes import errors_end_process, lower_priority
from eureka.store import RunStore
from eureka.ui.report import write_report
from eureka.ui.report.writer import BACKGROUND


def main(folder: str, *, background: bool) -> None:
    """Write the report; ends the process with 1 and one line on stderr where that fails.

    Args:
        background: with the lowest priority, since trainings go on.
    """
    if background:
        lower_priority()
    with errors_end_process(), RunStore.open(Path(folder), read_only=True) as store:
        write_report(store)


if __name__ == "__main__":
    main(sys.argv[1], background=BACKGROUND in sys.argv)
