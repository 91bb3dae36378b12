"""The final comparison: a run's best reward, the human-written one and the bare task metric, trained in the same way.

This module exports the results and their printing, which need no torch; `eureka.evaluation.compare` and others make
them.
"""

from eureka.evaluation.data import ComparedMethod, Comparison, Role
from eureka.evaluation.record import read_comparison
from eureka.evaluation.rows import TextTable, seed_rows, summary_rows, verdict

__all__ = [
    "ComparedMethod",
    "Comparison",
    "Role",
    "TextTable",
    "read_comparison",
    "seed_rows",
    "summary_rows",
    "verdict",
]
