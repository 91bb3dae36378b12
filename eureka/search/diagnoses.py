"""Diagnoses of a run's verified rewards, made before training and recorded for the report."""

from __future__ import annotations

from eureka.core.serialize import dumps
from eureka.reward.analysis.confined import Examiner
from eureka.sandbox import Failed
from eureka.store import RunStore
from eureka.store.diagnoses import FILE, Diagnoses, graph_mark


def record_diagnoses(store: RunStore, examiner: Examiner) -> None:
    """Diagnose every reward of a run and record the findings; a reward that crashes its process gets none."""
    for reward in store.rewards():
        path = (store.candidate_folder(reward.candidate_id) / FILE).relative_to(store.folder)
        if (store.folder / path).is_file():
            continue
        seen = examiner.examine(reward.graph)
        found = () if isinstance(seen, Failed) else seen.diagnoses
        store.write_file(path, dumps(Diagnoses(graph_mark(reward.graph), found)))
