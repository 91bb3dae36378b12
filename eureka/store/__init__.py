"""Reading and writing run folders; no other package writes to them."""

from eureka.store.facts import Fitness, RunFacts
from eureka.store.paths import DATABASE, claim_name, find_runs, free_name, is_run, require_free, runs_in
from eureka.store.run_store import RunStore

__all__ = [
    "DATABASE",
    "Fitness",
    "RunFacts",
    "RunStore",
    "claim_name",
    "find_runs",
    "free_name",
    "is_run",
    "require_free",
    "runs_in",
]
