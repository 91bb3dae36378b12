"""`python -m eureka.ui.report DIR [--last]`: write a run's report, with the lowest priority while trainings go on."""

import sys
from pathlib import Path

from eureka.core.processes import errors_end_process, lower_priority
from eureka.store import RunStore
from eureka.ui.report import write_report


def main(folder: str, *options: str) -> None:
    """Write the report; ends the process with 1 and one line on stderr where that fails."""
    if "--last" not in options:
        lower_priority()
    with errors_end_process(), RunStore.open(Path(folder), read_only=True) as store:
        write_report(store)


if __name__ == "__main__":
    main(*sys.argv[1:])
