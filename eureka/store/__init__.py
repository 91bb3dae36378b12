"""The only writer of a run folder."""

from eureka.store.database import FORMAT_VERSION
from eureka.store.paths import free_name, require_free
from eureka.store.run_store import RunStore

__all__ = ["FORMAT_VERSION", "RunStore", "free_name", "require_free"]
