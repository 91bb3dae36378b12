"""Twins of what a run has tried are not trained again, whatever stops the run in between."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from in_process import examiner
from loop_fakes import GOOD, FakeObserver, Make, ScriptedTrainer, Stopped, build_run, prompt_of

from eureka.core.types import Candidate, Rejected, Reward, Stage
from eureka.proposers.base import FakeProposer
from eureka.reward.analysis.screening import Screening
from eureka.search.loop import evolve
from eureka.search.run import Run

ANGLE = {"pole_angle": torch.linspace(-0.2, 0.2, 40)}
SCORES = {f"g{g:02d}-c{s:02d}": float(10 * g + s) for g in (1, 2, 3) for s in (1, 2)}
#: Two of one kind in the first generation; one that was trained before, and one mended into a twin, in the second.
ANSWERS: dict[str, str | tuple[str, ...]] = {
    "g01-c01": "abs 1",
    "g01-c02": ("abs 2", "abs 3", "square 1"),
    "g02-c01": ("abs 4", "abs 5", "abs 6"),
    "g02-c02": ("broken", "cos 1"),
    "g03-c01": ("cos 2", "exp 1"),
    "g03-c02": "cos 3",
}


class Verifier:
    """Gives the reward that an answer's comment names: an operation on the angle, times a number."""

    def verify_all(self, candidates: Sequence[Candidate]) -> list[Reward | Rejected]:
        return [self._verify(candidate) for candidate in candidates]

    def _verify(self, candidate: Candidate) -> Reward | Rejected:
        words = candidate.source.rpartition("# ")[2].splitlines()[0].split()
        if words == ["broken"]:
            return Rejected(candidate.id, Stage.VERIFY, "it is broken", "mend it")
        op, weight = ("pow.Tensor_Scalar", words[1]) if words[0] == "square" else words
        args = [{"input": "pole_angle"}, 2] if words[0] == "square" else [{"input": "pole_angle"}]
        nodes = [{"op": op, "args": args}, {"op": "mul.Tensor", "args": [{"node": 0}, float(weight)]}]
        graph = {
            "version": 1,
            "inputs": ["pole_angle"],
            "constants": {},
            "nodes": nodes,
            "total": {"node": 1},
            "components": [{"name": "a", "value": {"node": 1}}, {"name": "unused", "value": {"input": "pole_angle"}}],
        }
        return Reward(candidate.id, json.dumps(graph), ("a",))


def answer(words: str) -> str:
    return GOOD.replace("-pole_angle, {", f"-pole_angle, {{ # {words}\n    ")


def make(folder: Path, make_result: Make, observe: FakeObserver) -> Run:
    answers = {k: answer(v) if isinstance(v, str) else tuple(map(answer, v)) for k, v in ANSWERS.items()}
    return build_run(
        folder,
        make_result,
        proposer=FakeProposer(answers),
        verifier=Verifier(),
        trainer=ScriptedTrainer(make_result, SCORES),
        observe=observe,
        screening=Screening(examiner(ANGLE)),
        repairs=2,
    )


def what_happened(run: Run) -> tuple[object, ...]:
    rejections = [(r.candidate_id, str(r.stage), r.reason) for r in run.store.rejections(every_attempt=True)]
    return rejections, [r.candidate_id for r in run.store.results()], run.store.finished_generations()


def test_twins_are_told_and_not_trained(tmp_path: Path, make_result: Make) -> None:
    run = make(tmp_path / "run", make_result, FakeObserver())
    with run.store:
        assert evolve(run).candidate.id == "g03-c01"
        rejections, trained, _ = what_happened(run)
        prompt = prompt_of(run.store, 3)
    twin = "its total is that of {}, which {}: it is not trained again."
    assert rejections == [
        ("g01-c02", "screen", twin.format("g01-c01 times 2", "is trained in this generation")),
        ("g01-c02", "screen", twin.format("g01-c01 times 3", "is trained in this generation")),
        ("g02-c01", "screen", twin.format("g01-c01 times 4", "scored 11 s")),
        ("g02-c01", "screen", twin.format("g01-c01 times 5", "scored 11 s")),
        ("g02-c01", "screen", twin.format("g01-c01 times 6", "scored 11 s")),
        ("g02-c02", "verify", "it is broken"),
        ("g03-c01", "screen", twin.format("g02-c02 times 2", "scored 22 s")),
        *[("g03-c02", "screen", twin.format("g02-c02 times 3", "scored 22 s"))] * 3,
    ]
    assert trained == ["g01-c01", "g01-c02", "g02-c02", "g03-c01"]
    assert prompt
    content = prompt.messages[-1].content
    assert "it is not trained again. Propose a reward that differs" in content
    # The result of the twin's first training, and what the parent's own graph shows.
    assert "which scored 11 s" in content
    assert "`unused` does not reach the total: it is reported, and trains nothing." in content


def test_a_run_that_is_stopped_anywhere_ends_the_same(tmp_path: Path, make_result: Make) -> None:
    whole = make(tmp_path / "whole", make_result, FakeObserver())
    with whole.store:
        evolve(whole)
        expected = what_happened(whole)
    for stop_after in range(0, 50, 4):
        folder = tmp_path / f"stopped{stop_after}"
        run = make(folder, make_result, FakeObserver(stop_after))
        with run.store:
            try:
                evolve(run)
                break
            except Stopped:
                pass
        run = make(folder, make_result, FakeObserver())
        with run.store:
            evolve(run)
            assert what_happened(run) == expected, stop_after
    assert stop_after > 16


def test_a_search_that_finds_nothing_new_goes_on_to_its_end(tmp_path: Path, make_result: Make) -> None:
    run = build_run(
        tmp_path / "run",
        make_result,
        proposer=FakeProposer({f"g{g:02d}-c{s:02d}": answer("abs 1") for g in range(1, 6) for s in (1, 2)}),
        verifier=Verifier(),
        trainer=ScriptedTrainer(make_result, SCORES),
        screening=Screening(examiner(ANGLE)),
        generations=5,
    )
    with run.store:
        assert evolve(run).candidate.id == "g01-c01"
        assert list(run.store.finished_generations()) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("stage", [Stage.TRAIN, Stage.VERIFY])
def test_the_twin_of_what_failed_in_training_is_not_tried_either(
    tmp_path: Path, make_result: Make, stage: Stage
) -> None:
    answers = {"g01-c01": answer("abs 1"), "g01-c02": answer("cos 1")}
    later = {"g02-c01": answer("abs 1"), "g02-c02": answer("exp 1")}
    run = build_run(
        tmp_path / "run",
        make_result,
        proposer=FakeProposer({**answers, **later}),
        verifier=Verifier(),
        trainer=ScriptedTrainer(make_result, SCORES, bad=["g01-c01"] if stage is Stage.TRAIN else []),
        screening=Screening(examiner(ANGLE)),
        generations=2,
    )
    with run.store:
        evolve(run)
        reasons = [r.reason for r in run.store.rejections(2)]
    how = "failed in training" if stage is Stage.TRAIN else "scored 11 s"
    assert reasons == [f"its total is that of g01-c01, which {how}: it is not trained again."]
