"""The work behind `eureka check`: traces a hand-written reward in the sandbox and diagnoses it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from eureka.app.build import cache_folder
from eureka.app.configs import choices, compose_config
from eureka.config import SandboxMode
from eureka.config.overrides import split
from eureka.core.errors import ConfigError
from eureka.core.types import Candidate, FieldSpec, Rejected, Stage, TaskSpec
from eureka.reward.analysis.analyse import Analysis
from eureka.reward.analysis.confined import LIMITS, PRELOAD, Examiner
from eureka.reward.analysis.trajectory import transitions
from eureka.reward.extract.state_inputs import FUNCTION, InputsError, state_inputs
from eureka.reward.graph.runtime import RewardFunction, compile_graph
from eureka.reward.graph.shapes import Problem
from eureka.reward.trace.service import BROKE, RewardVerifier
from eureka.sandbox import Failed, Sandbox
from eureka.trainers.registry import make_trainer
from eureka.trainers.trajectories import cached_trajectories

KEYS = ("task", "env", "metric", "description", "sandbox", "evaluation.cache")
"""The config keys that `eureka check` accepts."""
MAX_CHARACTERS = 200_000
NAME = "reward"


@dataclass(frozen=True)
class CheckResult:
    """The result of checking a file: a reward with its diagnoses, or the reason why it was rejected.

    `num_transitions` is the number of recorded transitions that it was evaluated on; `problem` reports a non-finite
    value on those of skilled policies.
    """

    path: Path
    spec: TaskSpec
    confined: bool
    rejected: Rejected | None = None
    reward: RewardFunction | None = None
    analysis: Analysis | None = None
    num_transitions: int = 0
    problem: Problem | None = None

    @property
    def is_usable(self) -> bool:
        """Whether the reward can be trained with, and no diagnosis says that this would be useless."""
        return self.analysis is not None and self.problem is None and not self.analysis.has_problem


def check_file(
    path: Path,
    overrides: Sequence[str],
    task_dirs: Sequence[Path],
    environment: Mapping[str, str],
    say: Callable[[str], None],
) -> CheckResult:
    """Check the reward function in a file, without importing it.

    Args:
        overrides: `task=NAME`, which is optional for a module exported by Eureka, or `env=` with the keys that a run
            with it needs; `sandbox=`, `evaluation.cache=`.
        say: called with a sentence before something that takes long.

    Raises:
        ConfigError: the file cannot be read, or a key is wrong.
        EurekaError: the task or the sandbox cannot be used.
    """
    source = _read(path)
    keys = split(overrides, choices())
    for key in keys:
        if key not in KEYS and not key.startswith("env."):
            raise ConfigError(
                f"`{key}`: eureka check takes {', '.join(f'{known}=' for known in KEYS)} and no other key"
            )
    named = _named_task(source) if "env.id" not in keys else None
    config = compose_config([*([f"task={named}"] if named else []), *overrides], task_dirs)
    trainer = make_trainer(config, task_dirs, environment)
    spec = trainer.spec
    candidate = as_candidate(source, spec.fields)
    if isinstance(candidate, Rejected):
        return CheckResult(path, spec, True, rejected=candidate)
    with Sandbox(preload=PRELOAD, limits=LIMITS, mode=config.sandbox.value) as sandbox, closing(trainer):
        recording = trainer.record()
        verdict = RewardVerifier(spec.fields, recording.state, sandbox, trainer.can.reward_rows).verify(candidate)
        confined = config.sandbox is SandboxMode.enforced
        if isinstance(verdict, Rejected):
            return CheckResult(path, spec, confined, rejected=verdict)
        folder = cache_folder(environment, "trajectories") if config.evaluation.cache else None
        trajectories = cached_trajectories(trainer, folder, say)
        state = transitions(recording.state, trajectories)
        seen = Examiner(sandbox, state, trajectories, trainer.discount).examine(verdict.graph, thorough=True)
    if isinstance(seen, Failed):
        broken = f"on states beyond the recorded ones {BROKE[seen.kind]}."
        return CheckResult(path, spec, confined, rejected=Rejected(NAME, Stage.SCREEN, broken, broken))
    reward = compile_graph(verdict.graph)
    num = next(iter(state.values())).shape[0]
    return CheckResult(path, spec, confined, None, reward, seen.analysis, num, seen.problem)


def as_candidate(source: str, fields: Sequence[FieldSpec]) -> Candidate | Rejected:
    """The whole file as a candidate, so that line numbers are those of the file."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = f"line {error.lineno}: " if isinstance(error, SyntaxError) else ""
        said = error.msg if isinstance(error, SyntaxError) else str(error) or type(error).__name__
        return _not_extracted(f"{line}it is not Python: {said}.", "")
    functions = [node for node in body if isinstance(node, ast.FunctionDef) and node.name == FUNCTION]
    if not functions:
        return _not_extracted(
            f"it defines no module-level function `{FUNCTION}`.",
            f"Write `def {FUNCTION}(<names of State fields>)` that returns (total, {{name: component}}); "
            f"the fields are {', '.join(field.name for field in fields)}.",
        )
    try:
        return Candidate(NAME, source, state_inputs(functions[-1], body, fields))
    except InputsError as error:
        return _not_extracted(f"line {functions[-1].lineno}: {error}", error.remedy)


def _not_extracted(reason: str, remedy: str) -> Rejected:
    return Rejected(NAME, Stage.EXTRACT, reason, f"{reason} {remedy}".strip())


def _read(path: Path) -> str:
    try:
        source = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}; give a Python file with {FUNCTION}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not text in UTF-8; give a Python file with {FUNCTION}") from error
    if len(source) > MAX_CHARACTERS:
        raise ConfigError(f"{path}: is {len(source):,} characters long; {MAX_CHARACTERS:,} are read")
    return source


def _named_task(source: str) -> str | None:
    """The value of `TASK` in a module that Eureka exported; None if there is none."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    for node in body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "TASK":
            value = node.value
            if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value.isidentifier():
                return value.value
    return None
