"""What a reward's graph shows, added to what its training showed: for the next prompt."""

from __future__ import annotations

from dataclasses import replace

from eureka.core.types import Finding, FindingKind, Reflection
from eureka.reward.analysis.structure import structure
from eureka.reward.graph.parse import parse_graph


def with_graph(reflection: Reflection, graph: str) -> Reflection:
    """`reflection` with what the verified graph of its candidate shows about how the total is made up.

    Of a component that does not reach the total nothing else is said: its statistics trained nothing.
    """
    form = structure(parse_graph(graph))
    unused = [name for name, entry in form.entries.items() if not entry.reaches]
    missing = [term.name or "" for term in form.unreported] + ([""] if form.constant else [])
    kept = [finding for finding in reflection.findings if finding.component not in unused or not finding.component]
    found = [Finding(FindingKind.COMPONENT_UNUSED, name) for name in unused]
    found += [Finding(FindingKind.TERM_UNREPORTED, name) for name in dict.fromkeys(missing)]
    return replace(reflection, findings=(*kept, *found))
