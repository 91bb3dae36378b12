"""Leading rewards with other constants, and what is learned of each constant."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from loop_fakes import FakeObserver, FakeVerifier, Make, ScriptedTrainer, Stopped, build_run

from eureka.core.ideas import JOB, TUNED
from eureka.core.ids import candidate_id
from eureka.core.types import Candidate, Origin, Rejected, Reward
from eureka.proposers.base import FakeProposer
from eureka.reward.analysis.parameters import RewardConstant
from eureka.reward.extract.named_numbers import named_numbers
from eureka.search.ideas import ideas
from eureka.search.loop import evolve
from eureka.search.run import Run
from eureka.search.status import candidate_statuses, share_line
from eureka.search.tuning import LARGEST_FACTOR, Tuning, factors, sensitivities, structure_key, tunable
from eureka.store import RunStore

IDS = [candidate_id(generation, sample) for generation in (1, 2) for sample in (1, 2)]
ALL = [candidate_id(generation, sample) for generation in (1, 2) for sample in (1, 2, 3, 4)]


def answer(weight: float, field: str = "speed") -> str:
    return f"""```python
def compute_reward({field}):
    weight = {weight!r}
    gravity = 9.81
    scale = 2.0
    run = weight * {field} / scale / gravity
    return run, {{"run": run}}
```"""


def graph(weight: float, scale: float, field: str = "speed", limit: float = 3.0) -> str:
    """`weight * field / scale / gravity`, limited from above."""
    return (
        f'{{"version": 1, "inputs": ["{field}"], "constants": {{"weight": {weight!r}, "scale": {scale!r}, '
        f'"gravity": 9.81, "limit": {limit!r}}}, "nodes": ['
        f'{{"op": "mul.Tensor", "args": [{{"input": "{field}"}}, {{"constant": "weight"}}]}}, '
        '{"op": "div.Tensor", "args": [{"node": 0}, {"constant": "scale"}]}, '
        '{"op": "div.Tensor", "args": [{"node": 1}, {"constant": "gravity"}]}, '
        '{"op": "clamp_max", "args": [{"node": 2}, {"constant": "limit"}], "line": 4}], '
        '"total": {"node": 3}, "components": [{"name": "run", "value": {"node": 3}}]}'
    )


@dataclass
class GraphVerifier(FakeVerifier):
    """Gives each candidate the graph of its own constants."""

    def _verify(self, candidate: Candidate) -> Reward | Rejected:
        numbers = named_numbers(candidate.source)
        return Reward(candidate.id, graph(numbers["weight"], numbers["scale"], candidate.inputs[0]), ("run",))


def constants(reward: Reward) -> Sequence[RewardConstant]:
    """`scale` matters most."""
    del reward
    return [RewardConstant("weight", 1.0, (), 0.1, 0.1), RewardConstant("scale", 2.0, (), 0.5, 0.2)]


def tuned_run(folder: Path, make_result: Make, **changes: object) -> Run:
    """Two generations of two answers and two tuned candidates; `g01-c02` reads another field and leads."""
    texts = {"g01-c01": answer(1.0), "g01-c02": answer(1.5, "height"), "g02-c01": answer(2.0), "g02-c02": answer(3.0)}
    scores = {name: float(number) for number, name in enumerate(reversed(ALL))} | {"g01-c02": 20.0, "g01-c01": 15.0}
    defaults: dict[str, object] = {
        "proposer": FakeProposer(texts),
        "verifier": GraphVerifier(),
        "trainer": ScriptedTrainer(make_result, scores),
        "tuning": Tuning(2, constants),
        "generations": 2,
    }
    spec = defaults["trainer"].spec  # type: ignore[attr-defined]
    fields = tuple(replace(spec.fields[0], name=name) for name in ("speed", "height"))
    defaults["trainer"].spec = replace(spec, fields=fields)  # type: ignore[attr-defined]
    return build_run(folder, make_result, **{**defaults, **changes})


def test_leaders_train_with_other_constants_and_nobody_is_asked(tmp_path: Path, make_result: Make) -> None:
    run = tuned_run(tmp_path / "run", make_result)
    with run.store as store:
        evolve(run)
        samples = {sample.id: sample for sample in store.samples()}
        assert sorted(samples) == ALL
        tuned = [sample for sample in samples.values() if sample.origin is Origin.TUNED]
        assert [sample.id for sample in tuned] == ["g01-c03", "g01-c04", "g02-c03", "g02-c04"]
        # The leaders of two structures, in turn.
        assert [sample.parents[0] for sample in tuned] == ["g01-c02", "g01-c01"] * 2
        assert all(sample.notes[JOB] == TUNED for sample in tuned)
        for sample in tuned:
            before, now = named_numbers(samples_source(store, sample.parents[0])), named_numbers(sample.source)
            assert now["gravity"] == before["gravity"]
            assert now["weight"] != before["weight"]
            assert 1 / 4.01 < now["scale"] / before["scale"] < 4.01
        assert len({sample.source for sample in tuned}) == 4
        assert set(ALL) == {result.candidate_id for result in store.results()}
        assert not any(answer.was_asked for s in tuned for answer in store.completions()[s.id])
        assert share_line(candidate_statuses(store)) == "usable: 4 of 4 candidates (100%)"
        assert not {s.id for s in tuned} & {name for name, _ in store.prompts()}


def samples_source(store: RunStore, name: str) -> str:
    return next(candidate.source for candidate in store.candidates() if candidate.id == name)


def test_the_table_of_ideas_tells_what_was_changed(tmp_path: Path, make_result: Make) -> None:
    run = tuned_run(tmp_path / "run", make_result)
    with run.store:
        evolve(run)
        told = {idea.candidate_id: idea for idea in ideas(run.history())}
    assert told["g01-c03"].parents == ("g01-c02",)
    assert set(told["g01-c03"].constants) == {"weight", "scale"}
    assert not told["g01-c03"].components
    assert not told["g01-c01"].constants
    # The best of a structure has what its rewards show: weight and scale were varied, gravity and limit were not.
    assert set(told["g01-c01"].sensitivities) == {"weight", "scale"}
    assert not told["g02-c02"].sensitivities


@pytest.mark.parametrize("stop_after", range(2, 24, 7))
def test_a_killed_run_tunes_alike(tmp_path: Path, make_result: Make, stop_after: int) -> None:
    def kept(folder: Path) -> list[str]:
        with RunStore.open(folder, read_only=True) as store:
            return [sample.source for sample in store.samples()]

    whole = tuned_run(tmp_path / "whole", make_result)
    with whole.store:
        evolve(whole)
    stopped = tuned_run(tmp_path / "run", make_result, observe=FakeObserver(stop_after))
    with stopped.store, pytest.raises(Stopped):
        evolve(stopped)
    again = tuned_run(tmp_path / "run", make_result)
    with again.store:
        evolve(again)
    assert kept(tmp_path / "run") == kept(tmp_path / "whole")


def test_weights_and_scales_are_tuned_and_facts_of_physics_are_not() -> None:
    assert tunable(graph(1.5, 2.0)) == {"weight": 1.5, "scale": 2.0}
    assert tunable(graph(0.0, 2.0)) == {"scale": 2.0}


@pytest.mark.parametrize("name", ["GRAVITY", "POLE_LENGTH_M", "mass_kg", "dt_s", "gravity_m_s2", "omega0_squared"])
def test_names_of_facts_of_physics(name: str) -> None:
    assert tunable(graph(1.5, 2.0).replace('"scale"', f'"{name}"')) == {"weight": 1.5}


def test_factors_spread_around_one_and_repeat() -> None:
    drawn = [factors("7/g01-c01", 2, number) for number in range(64)]
    assert drawn == [factors("7/g01-c01", 2, number) for number in range(64)]
    assert drawn[0] != factors("8/g01-c01", 2, 0)
    logs = [math.log2(factor) for point in drawn for factor in point]
    assert max(map(abs, logs)) <= math.log2(LARGEST_FACTOR)
    # 128 points of a normal distribution with standard deviation 0.7: means and spreads of a sequence are even closer.
    assert abs(sum(logs) / len(logs)) < 0.05
    assert math.sqrt(sum(log**2 for log in logs) / len(logs)) == pytest.approx(0.7, abs=0.05)


def test_a_structure_is_what_constants_do_not_change() -> None:
    assert structure_key(graph(1.0, 2.0)) == structure_key(graph(3.0, 0.5).replace(', "line": 4', ""))
    assert structure_key(graph(1.0, 2.0)) != structure_key(graph(1.0, 2.0, "height"))


def test_sensitivities_by_hand(tmp_path: Path, make_result: Make) -> None:
    """Scores rise by 2 for each doubling of `weight`; nothing else is varied.

    The noise is 15% of the best score 8, which is 1.2; the prior's standard deviation that of 4, 6, 8, which is
    sqrt(8/3). The logarithms are 0, 1, 2, so the precision is 2 / 1.44 + 3/8 and the slope 4 / 1.44 over it.
    """
    texts = {"g01-c01": answer(1.0), "g01-c02": answer(2.0), "g01-c03": answer(4.0)}
    trainer = ScriptedTrainer(make_result, {"g01-c01": 4.0, "g01-c02": 6.0, "g01-c03": 8.0})
    trainer.spec = replace(trainer.spec, fields=(replace(trainer.spec.fields[0], name="speed"),))
    changes = {"proposer": FakeProposer(texts), "verifier": GraphVerifier(), "trainer": trainer}
    run = build_run(tmp_path / "run", make_result, generations=1, samples=3, **changes)
    with run.store:
        evolve(run)
        found = sensitivities(run.history(), "g01-c03")
    precision = 2 / 1.44 + 3 / 8
    assert found.keys() == {"weight"}
    assert found["weight"].by_doubling == pytest.approx(4 / 1.44 / precision)
    assert found["weight"].std == pytest.approx(precision**-0.5)
