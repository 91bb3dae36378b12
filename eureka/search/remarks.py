"""Looks at the verified rewards of a run before they are trained, and keeps what is remarkable for the report."""

from __future__ import annotations

from eureka.core.serialize import dumps
from eureka.reward.analysis.confined import Examiner
from eureka.reward.analysis.findings import Severity
from eureka.sandbox import Failed
from eureka.store import RunStore
from eureka.store.remarks import FILE, Remark, Remarks, graph_mark


def record_remarks(store: RunStore, examiner: Examiner) -> None:
    """Keep what was seen of every reward of a run; of one that breaks its process nothing is remarked."""
    for reward in store.rewards():
        path = (store.candidate_folder(reward.candidate_id) / FILE).relative_to(store.folder)
        if (store.folder / path).is_file():
            continue
        seen = examiner.look(reward.graph)
        found = () if isinstance(seen, Failed) else seen.findings
        remarks = tuple(Remark(one.severity is not Severity.NOTE, one.text, one.line) for one in found)
        store.write_file(path, dumps(Remarks(graph_mark(reward.graph), remarks)))
