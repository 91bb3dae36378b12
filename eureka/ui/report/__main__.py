"""`python -m eureka.ui.report DIR`: write a run's report with the lowest priority, as a run does beside itself."""

import sys
from pathlib import Path

from eureka.core.errors import EurekaError
from eureka.core.priority import go_last
from eureka.store import RunStore
from eureka.ui.report import write_report


def main(folder: str) -> None:
    """Write the report; ends the process with 1 and one line on stderr where that fails."""
    go_last()
    try:
        with RunStore.open(Path(folder), read_only=True) as store:
            write_report(store)
    except EurekaError as error:
        sys.exit(" ".join(str(error).split()))


if __name__ == "__main__":
    main(sys.argv[1])
