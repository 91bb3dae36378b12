"""Looks at the verified rewards of a run before they are trained, and keeps what is remarkable for the report."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from eureka.analysis.analyse import analyse
from eureka.analysis.findings import Severity
from eureka.report.remarks import FILE, Remark, Remarks, graph_mark
from eureka.reward.runtime import compile_graph
from eureka.serialize import dumps
from eureka.store import RunStore


def record_remarks(store: RunStore, state: Mapping[str, torch.Tensor]) -> None:
    """Look at every reward of a run that was not looked at yet; about 15 ms of CPU each.

    Args:
        state: recorded transitions, (num, ...) for every field of the task's State.
    """
    for reward in store.rewards():
        path = (store.candidate_folder(reward.candidate_id) / FILE).relative_to(store.folder)
        if (store.folder / path).is_file():
            continue
        found = analyse(compile_graph(reward.graph), state).findings
        remarks = tuple(Remark(one.severity is not Severity.NOTE, one.text, one.line) for one in found)
        store.write_file(path, dumps(Remarks(graph_mark(reward.graph), remarks)))
