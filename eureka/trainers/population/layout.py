"""How the cores are shared: one worker each, and of those that have no work a worker's physics takes the threads.

Results do not depend on it: MuJoCo steps every world alike on any number of threads.
"""

from __future__ import annotations


def spare_threads(cores: int, populations: int) -> int:
    """The threads for each of the workers that train so many populations, each of which has a core."""
    return max(cores // max(populations, 1), 1)
