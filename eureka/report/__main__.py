"""`python -m eureka.report DIR`: write a run's report with the lowest priority, as a run does beside itself."""

import os
import sys
from pathlib import Path

from eureka.errors import EurekaError
from eureka.report import write_report
from eureka.report.writer import LOWEST_PRIORITY
from eureka.store import RunStore


def main(folder: str) -> None:
    """Write the report; ends the process with 1 and one line on stderr where that fails."""
    os.nice(LOWEST_PRIORITY)
    try:
        with RunStore.open(Path(folder), read_only=True) as store:
            write_report(store)
    except EurekaError as error:
        sys.exit(" ".join(str(error).split()))


if __name__ == "__main__":
    main(sys.argv[1])
