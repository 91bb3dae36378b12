"""Looks at rewards in a confined process: the same as here, and a graph that breaks it breaks nothing else."""

import json

import pytest
import torch
from analysis_graphs import F32, HEIGHT, RUNNING, SPEED, node, text
from in_process import Here

from eureka.core.types import Candidate, Completion, Reward, Stage
from eureka.reward.analysis.analyse import analyse
from eureka.reward.analysis.confined import LIMITS, PRELOAD, Examination, Examiner
from eureka.reward.analysis.fingerprint import Fingerprints
from eureka.reward.analysis.screening import Screening
from eureka.reward.analysis.trajectory import Trajectory
from eureka.reward.graph.runtime import compile_graph
from eureka.reward.trace.wire import pack
from eureka.sandbox import Failed, Finished, Sandbox
from eureka.search.diagnoses import record_diagnoses
from eureka.store import RunStore

GENERATOR = torch.Generator().manual_seed(2)
STATE = {
    "speed": torch.randn(50, generator=GENERATOR),
    "height": torch.rand(50, generator=GENERATOR),
    "action": torch.randn(50, 2, generator=GENERATOR),
}
#: An int32 from the speed, which is the least one where that is -2 ** 31, divided by what is -1 as an int32.
TRAP = text(
    [
        ("_to_copy", [SPEED], {"dtype": {"dtype": "int32"}}),
        ("div.Tensor_mode", [node(0), 4294967295], {"rounding_mode": "trunc"}),
        ("_to_copy", [node(1)], F32),
        ("add.Tensor", [node(2), HEIGHT]),
    ],
    node(3),
    {"height": HEIGHT},
)
WHOLE = text(*RUNNING)


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(preload=PRELOAD, limits=LIMITS) as made:
        yield made


def trap_state() -> dict[str, torch.Tensor]:
    """Recorded speeds that are harmless; the stretch by -2 makes the least int32 of 2 ** 30."""
    return {**STATE, "speed": torch.full((50,), 2.0**30)}


@pytest.mark.process
def test_a_trap_ends_its_own_process_and_is_a_rejection(sandbox, tmp_path) -> None:
    examiner = Examiner(sandbox, trap_state())
    reward = Reward("g01-c01", TRAP, ("height",))
    crashed = examiner.examine(TRAP)
    assert isinstance(crashed, Failed)
    assert (crashed.kind, crashed.detail) == ("killed", "The code crashed its process (SIGFPE).")
    verdict = Screening(examiner).screen(reward, [])
    assert verdict
    assert (verdict.stage, verdict.reason) == (
        Stage.SCREEN,
        "on states beyond the recorded ones it breaks its process.",
    )
    assert examiner.totals(TRAP) == []
    with RunStore.create(tmp_path / "run", "") as store:
        store.record_completion(Completion("g01-c01", "", "model"))
        store.record_candidate(Candidate("g01-c01", "", ("speed", "height", "action")))
        store.record_reward(reward)
        record_diagnoses(store, examiner)
        assert json.loads((store.candidate_folder("g01-c01") / "diagnoses.json").read_text())["diagnoses"] == []
    assert isinstance(Examiner(sandbox, STATE).examine(WHOLE), Examination)


@pytest.mark.process
def test_a_look_sees_what_an_analysis_in_this_process_does(sandbox) -> None:
    fall = Trajectory("random", {n: v[:4] * 0.0 for n, v in STATE.items()}, 0.0, True)
    run = Trajectory("trained", {n: v[:4].abs() for n, v in STATE.items()}, 2.0, False)
    seen = Examiner(sandbox, STATE, [fall, run], 0.9).examine(WHOLE, thorough=True)
    assert not isinstance(seen, Failed)
    assert seen.analysis == analyse(compile_graph(WHOLE), STATE, [fall, run], 0.9)
    assert torch.equal(seen.fingerprint.values, Fingerprints(STATE).of(compile_graph(WHOLE)).values)


def test_some_fields_are_mixed_as_all_of_them_are() -> None:
    # The second of three fields is moved on by 7 rows, whether the others are sent or not.
    nodes = [("mul.Tensor", [HEIGHT, 1.0])]
    graph = json.dumps({**json.loads(text(nodes, node(0), {"h": HEIGHT})), "inputs": ["height"]})
    seen = Examiner(Here(), STATE).examine(graph)
    assert not isinstance(seen, Failed)
    assert torch.equal(seen.fingerprint.values[-1], STATE["height"].roll(7).double())


def test_a_reward_is_looked_at_once() -> None:
    here = Here()
    examiner = Examiner(here, STATE)
    assert examiner.examine(WHOLE) is examiner.examine(WHOLE)
    assert examiner.totals(WHOLE) == compile_graph(WHOLE)(STATE)[0].tolist()
    assert here.runs == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"nothing",
        pack({"answer": 1}, {}),
        pack({"answer": "{}"}, {"totals": torch.zeros(4, 50, dtype=torch.float64)}),
        pack({"answer": '{"problem":null}'}, {}),
        pack({"answer": '{"problem":null}'}, {"totals": torch.zeros(4, 49, dtype=torch.float64)}),
        pack({"answer": '{"problem":null}'}, {"totals": torch.zeros(4, 50)}),
        pack(
            {"answer": '{"problem":null,"diagnoses":[{"kind":"component_unused","component":"<b>any text</b>"}]}'},
            {"totals": torch.zeros(4, 50, dtype=torch.float64)},
        ),
    ],
)
def test_a_forged_answer_is_a_failure(answer: bytes) -> None:
    class Forger:
        def run(self, target: str, payload: bytes) -> Finished:
            return Finished(answer, 0.0)

    seen = Examiner(Forger(), STATE).examine(WHOLE)
    assert isinstance(seen, Failed)
    assert seen.kind == "error"
