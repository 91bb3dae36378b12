"""The rewards that the tests of tracing use are exported here as well."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "reward"))
