"""Reads the reward that a search starts from, and refuses an unusable one before anything is trained."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from difflib import SequenceMatcher
from pathlib import Path

from eureka.config import HUMAN
from eureka.core.errors import ConfigError
from eureka.core.ids import INIT_ID
from eureka.core.types import Completion, Rejected, TaskSpec
from eureka.prompts.render import fenced
from eureka.reward.export import export_reward
from eureka.reward.extract.extraction import REMEDY, extract
from eureka.reward.extract.state_inputs import FUNCTION
from eureka.reward.trace.service import RewardVerifier
from eureka.search.start import MODEL, Start, given_answer


def read_start(origin: str, spec: TaskSpec, human: Callable[[], str]) -> Start:
    """The reward that `search.init` names.

    Args:
        human: returns the graph of the task's human-written reward.

    Raises:
        ConfigError: the file cannot be read, or is not Python.
    """
    if origin == HUMAN:
        return Start(origin, _source(human(), spec))
    try:
        source = Path(origin).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise ConfigError(
            f"search.init={origin}: cannot be read: {reason}; give a Python file with {FUNCTION}, or {HUMAN}"
        ) from error
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        where = f"line {error.lineno}: {error.msg}" if isinstance(error, SyntaxError) else str(error)
        raise ConfigError(f"search.init={origin}: is not Python: {where}") from error
    return Start(origin, source)


def require_usable(start: Start, spec: TaskSpec, verifier: RewardVerifier) -> None:
    """Raise ConfigError, with line numbers of the person's own file, if the start is not a usable reward."""
    candidate = extract(given_answer(start.source), spec.fields)
    verdict = candidate if isinstance(candidate, Rejected) else verifier.verify(candidate)
    if isinstance(verdict, Rejected):
        found = " ".join(verdict.feedback.replace(REMEDY, "").split())
        if not isinstance(candidate, Rejected):
            found = _with_lines_of(start.source, candidate.source, found)
        raise ConfigError(
            f"search.init={start.origin}: the search cannot start from it: {found} "
            f"(`eureka check FILE task={spec.name}` looks at a reward from all sides)"
        )


def _with_lines_of(file: str, extracted: str, text: str) -> str:
    """`text` with its line numbers changed to those of the file that the code was extracted from."""
    theirs: dict[int, int] = {}
    for block in SequenceMatcher(None, extracted.splitlines(), file.splitlines(), autojunk=False).get_matching_blocks():
        theirs |= {block.a + offset: block.b + offset for offset in range(block.size)}

    def renumbered(found: re.Match[str]) -> str:
        line = int(found[1]) - 1
        return f"line {theirs.get(line, line) + 1}"

    return re.sub(r"\bline (\d+)", renumbered, text)


def _source(graph: str, spec: TaskSpec) -> str:
    """The source of a graph as one function of State fields, without the rest of an exported module."""
    module = export_reward(
        graph=graph, task=spec.name, candidate_id=INIT_ID, fields=spec.fields, provenance={"Origin": HUMAN}
    )
    candidate = extract(Completion(INIT_ID, fenced(module, "python"), MODEL), spec.fields)
    assert not isinstance(candidate, Rejected), candidate.reason
    return candidate.source
