"""The only writer of a run folder."""

from eureka.store.database import FORMAT_VERSION
from eureka.store.run_store import RunStore, generation_of

__all__ = ["FORMAT_VERSION", "RunStore", "generation_of"]
