"""Search methods, `search.method=`: one file each, and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from eureka.search.methods.base import SearchMethod, Services
from eureka.search.methods.best_of_n import BestOfN
from eureka.search.methods.greedy import Greedy

METHODS: Mapping[str, Callable[[Services], SearchMethod]] = {
    "greedy": Greedy,
    "best_of_n": BestOfN,
}
