"""Search methods, `search.method=`: one file each, and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from eureka.config import SearchConfig
from eureka.core.errors import ConfigError
from eureka.search.methods.base import SearchMethod, Services
from eureka.search.methods.best_of_n import BestOfN
from eureka.search.methods.eureka2023 import Eureka2023
from eureka.search.methods.greedy import Greedy
from eureka.search.methods.islands import Islands
from eureka.search.methods.portfolio import Portfolio

METHODS: Mapping[str, Callable[[SearchConfig, Services], SearchMethod]] = {
    "portfolio": Portfolio,
    "greedy": Greedy,
    "best_of_n": BestOfN,
    "islands": Islands,
    "eureka2023": Eureka2023,
}


def make_method(config: SearchConfig, services: Services) -> SearchMethod:
    """The method that `search.method` names.

    Raises:
        ConfigError: there is no method of that name.
    """
    if config.method not in METHODS:
        raise ConfigError(f"search.method={config.method}: there is no such method; there are {', '.join(METHODS)}")
    return METHODS[config.method](config, services)
