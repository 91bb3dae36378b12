"""How the next prompts are chosen: one file per method."""

from eureka.search.greedy import Greedy, Outcome, pooled_score

__all__ = ["Greedy", "Outcome", "pooled_score"]
