"""`llm=replay`: uses recorded answers of another run or from a folder of files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from eureka.config import ProposerConfig, RunConfig
from eureka.core.errors import ConfigError, ProposerError
from eureka.core.ids import candidate_id, is_candidate_id
from eureka.core.types import Completion, Prompt
from eureka.proposers.base import Proposer, ProposerCapabilities
from eureka.proposers.provider import Provider
from eureka.store import RunStore


@dataclass(frozen=True)
class ReplayConfig(ProposerConfig):
    """`llm=replay`: the recorded answers of another run."""

    name: str = "replay"
    """The choice."""
    run: str = "???"
    """The run folder to replay, or a folder of answers by candidate id (`g01-c01.md`); must be given."""


_MOST_BYTES = 4 << 20
"""Maximum size in bytes of an answer in a file."""


class Replay:
    """Returns recorded answers by candidate id and attempt, regardless of the prompt's text."""

    name = "replay"
    description = "Gives back recorded answers; no model is asked."

    def __init__(self, completions: Mapping[str, Sequence[Completion]], *, uses_metric: bool) -> None:
        """`completions` are every candidate's answers in order, as in `RunStore.completions`; `uses_metric` says
        whether their author had access to the metric.
        """
        self._completions = completions
        can_repair = any(len(answers) > 1 for answers in completions.values())
        self.capabilities = ProposerCapabilities(uses_metric=uses_metric, can_repair=can_repair)

    def sample_each(self, prompts: Mapping[str, Prompt]) -> Iterator[Completion]:
        """The recorded answer of each id, in order. Raises ProposerError for an id without a recorded answer."""
        for name, prompt in prompts.items():
            attempt = prompt.facts.attempt
            answers = self._completions.get(name, ())
            if not answers:
                raise ProposerError(
                    f"The recorded run has no answer for candidate {name} (it has {len(self._completions)}); "
                    "ask for no more generations and samples than it had."
                )
            if attempt >= len(answers):
                raise ProposerError(
                    f"The recorded run gave {len(answers)} answers for candidate {name}, and this run "
                    "asks for one more; give the search.repairs that it had."
                )
            yield answers[attempt]


def _make(config: RunConfig) -> Proposer:
    """The proposer that replays the configured run.

    Raises:
        StoreError: the run cannot be opened.
        ConfigError: it has fewer answers than this search asks for.
    """
    llm = config.llm
    assert isinstance(llm, ReplayConfig)
    completions, uses_metric = _recorded(Path(llm.run))
    for generation, sample in product(range(1, config.search.generations + 1), range(1, config.search.samples + 1)):
        wanted = candidate_id(generation, sample)
        if wanted not in completions:
            raise ConfigError(
                f"llm.run={llm.run} has answers for {len(completions)} candidates and none for {wanted}: give "
                "search.generations and search.samples as far as it came"
            )
    return Replay(completions, uses_metric=uses_metric)


def is_answer_folder(folder: Path) -> bool:
    """Whether a folder has answers as files, and is not a run."""
    return not (folder / "run.db").is_file() and bool(_answer_files(folder))


def _recorded(folder: Path) -> tuple[Mapping[str, Sequence[Completion]], bool]:
    """The answers by candidate id, and whether their author had access to the metric."""
    if is_answer_folder(folder):
        return {path.stem: (Completion(path.stem, _text(path), folder.name),) for path in _answer_files(folder)}, False
    with RunStore.open(folder, read_only=True) as recorded:
        return recorded.completions(), bool(recorded.facts().had_metric_access)


def _answer_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("g*-c*.md") if is_candidate_id(path.stem) and path.is_file())


def _text(path: Path) -> str:
    if path.stat().st_size > _MOST_BYTES:
        raise ConfigError(f"{path}: it has more than {_MOST_BYTES:,} bytes, which no answer has")
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read as text: {error}") from error


def _resolve(llm: ReplayConfig) -> ReplayConfig:
    return replace(llm, run=str(Path(llm.run).resolve()))


PROVIDER = Provider(config=ReplayConfig, make=_make, resolve=_resolve)
