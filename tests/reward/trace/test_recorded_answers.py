"""Every answer that a language model gave in the recorded searches is still accepted: they were trained."""

import os
from contextlib import closing
from pathlib import Path

import pytest

from eureka.app.configs import compose_config
from eureka.core.types import Candidate, Completion, Rejected
from eureka.reward.extract.extraction import extract
from eureka.reward.trace.service import PRELOAD, RewardVerifier
from eureka.sandbox import Sandbox
from eureka.trainers.registry import make_trainer

RECORDED = Path(__file__).parents[3] / "benchmarks" / "recorded" / "loop_study"
TASKS = sorted(folder.name for folder in RECORDED.iterdir() if folder.is_dir())


@pytest.mark.wide
@pytest.mark.parametrize("task", TASKS)
def test_recorded_answers_are_accepted(task: str) -> None:
    answers = sorted((RECORDED / task).glob("*/g*-c*.md"))
    assert len(answers) >= 24
    with closing(make_trainer(compose_config([f"task={task}"]), [], os.environ)) as trainer:
        fields, state = trainer.spec.fields, trainer.record().state
        with Sandbox(preload=PRELOAD) as sandbox:
            verifier = RewardVerifier(fields, state, sandbox, trainer.can.reward_rows)
            candidates: dict[str, Candidate] = {}
            for path in answers:
                found = extract(Completion(path.stem, path.read_text(encoding="utf-8"), "recorded"), fields)
                assert isinstance(found, Candidate), (path, found)
                candidates[str(path)] = found
            verdicts = dict(zip(candidates, verifier.verify_all([*candidates.values()]), strict=True))
    assert {path: verdict.reason for path, verdict in verdicts.items() if isinstance(verdict, Rejected)} == {}
