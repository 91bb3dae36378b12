"""`search.preflight=true`: rewards are ranked on recorded trajectories before they are trained, and a run says so."""

from pathlib import Path

import pytest

import eureka.app.session
from eureka.app.cli import main
from eureka.core.training import TrainingLength
from eureka.core.types import Rejected, Reward, Stage
from eureka.reward.analysis.screening import Screening
from eureka.store import RunStore
from eureka.trainers import trajectories

pytestmark = pytest.mark.process

RUN = ["run", "task=cartpole", "search.generations=1", "search.samples=2", "search.finalists=1", "evaluation.seeds=0"]
SMALL = ["train.steps=2000", "train.checkpoints=1", "train.eval_episodes=2", "train.workers=1"]


def test_a_run_with_preflight(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(trajectories, "_length", lambda trainer: TrainingLength(6_000, 2, 1))
    seen: list[int] = []

    class Watched(Screening):
        def __init__(self, examiner) -> None:
            seen.append(len(examiner._trajectories))
            super().__init__(examiner)

        def screen(self, reward, tried):
            if reward.candidate_id == "g01-c02" and not tried[1:]:
                return Rejected(reward.candidate_id, Stage.SCREEN, "it is wasted.", "it is wasted.")
            return super().screen(reward, tried)

    monkeypatch.setattr(eureka.app.session, "Screening", Watched)
    folder = tmp_path / "run"
    with pytest.raises(SystemExit) as caught:
        main([*RUN, *SMALL, "search.preflight=true", "search.repairs=1", f"output={folder}"])
    assert caught.value.code == 0
    assert seen == [24]
    assert len(list((tmp_path / "cache" / "eureka" / "trajectories").glob("cartpole_*.pt"))) == 1
    shown = capsys.readouterr().out
    assert "recording trajectories of cartpole: a policy is trained with the task's own human-written reward" in shown
    assert "g01-c02  rejected (screen): it is wasted." in shown
    with RunStore.open(folder, read_only=True) as store:
        assert store.facts().had_metric_access
        # program_search was asked again, in vain.
        assert len(store.completions()["g01-c02"]) == 2
        assert {result.candidate_id for result in store.results()} == {"g01-c01"}
        assert all(isinstance(reward, Reward) for reward in store.rewards())
