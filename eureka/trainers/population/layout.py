"""The use of cores: one worker per core; if there are fewer populations than cores, workers use the idle cores as
physics threads.

Results do not depend on this, since MuJoCo gives the same result on any number of threads.
"""

from __future__ import annotations


def spare_threads(cores: int, populations: int) -> int:
    """The number of physics threads per worker, if so many populations are trained, each of which also occupies a
    core."""
    return max(cores // max(populations, 1), 1)
