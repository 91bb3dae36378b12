"""The search as a proposer: valid, deterministic, diverse, and moved by what it is told."""

import itertools
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
import torch

from eureka.core.errors import ProposerError
from eureka.core.ids import candidate_id
from eureka.core.types import (
    Candidate,
    Completion,
    ComponentReflection,
    FieldSpec,
    MetricProbe,
    Prompt,
    PromptFacts,
    Reflection,
    Rejected,
    Stage,
)
from eureka.proposers.program_search.mutate import role
from eureka.proposers.program_search.proposer import ProgramSearch
from eureka.proposers.program_search.source import Program, Shaping, Term, parse, render
from eureka.reward.extract.extraction import extract


def spec(name: str, shape: tuple[int, ...], unit: str, frame: str = "", description: str = "") -> FieldSpec:
    return FieldSpec(name, shape, "float32", unit, frame, description)


WALKER = (
    spec("position", (3,), "m", "world"),
    spec("orientation", (4,), "1", "world", "unit quaternion (w, x, y, z)"),
    spec("velocity", (3,), "m/s", "world"),
    spec("spin", (3,), "rad/s", "body"),
    spec("progress", (), "m/s", "world"),
    spec("up", (), "1", "world"),
    spec("joints", (8,), "rad", "joint"),
    spec("joint_rates", (8,), "rad/s", "joint"),
    spec("wrenches", (13, 6), "N m, N", "world"),
    spec("action", (8,), "1", "joint"),
    spec("previous_action", (8,), "1", "joint"),
)
BALANCER = (
    spec("cart", (), "m", "world"),
    spec("cart_velocity", (), "m/s", "world"),
    spec("angle", (), "rad", "world"),
    spec("rate", (), "rad/s", "world"),
    spec("action", (1,), "1"),
)
HAND = (
    spec("finger", (3,), "m", "world"),
    spec("cup", (3,), "m", "world"),
    spec("pressure", (), "Pa"),
    FieldSpec("touching", (), "bool", "", "", ""),
    FieldSpec("contacts", (5,), "bool", "", "", ""),
    FieldSpec("streak", (), "int64", "", "", ""),
    spec("acceleration", (5, 3), "m/s^2", "world"),
)
TABLES = {
    "walker": WALKER,
    "balancer": BALANCER,
    "hand": HAND,
    "one command": (spec("action", (2,), "1"),),
    "one flag": (FieldSpec("done", (), "bool", "", "", ""),),
    "one force": (spec("force", (3,), "N"),),
}
METRIC_IS_PROGRESS = {"progress": 0.999, "velocity[0]": 0.99, "velocity[1]": 0.05, "position[0]": 0.2, "up": -0.02}
IDS = [candidate_id(1, i) for i in range(1, 17)]


def facts(state: Sequence[FieldSpec], generation: int = 1, probe: Mapping[str, float] | None = None) -> PromptFacts:
    return PromptFacts("t", 0, generation, tuple(state), probe=MetricProbe(probe) if probe is not None else None)


def ask(
    case: PromptFacts, ids: Sequence[str] = IDS, seed: int = 0, use_probe: bool | None = None
) -> dict[str, Completion]:
    search = ProgramSearch(seed, case.probe is not None if use_probe is None else use_probe)
    return {c.candidate_id: c for c in search.sample_each(dict.fromkeys(ids, Prompt((), case)))}


def program(completion: Completion) -> Program:
    found = parse(re.findall(r"```python\n(.*?)```", completion.text, re.DOTALL)[0])
    assert found is not None
    return found


def programs(case: PromptFacts, ids: Sequence[str] = IDS, seed: int = 0) -> list[Program]:
    return [program(c) for c in ask(case, ids, seed).values()]


def random_state(state: Sequence[FieldSpec], num_envs: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    tensors = {s.name: torch.randn((num_envs, *s.shape), generator=generator) for s in state}
    dtypes = {"float32": torch.float32, "bool": torch.bool, "int64": torch.int64}
    return {s.name: tensors[s.name].to(dtypes[s.dtype]) for s in state}


def reflection_on(
    parent: Program,
    *,
    metric: tuple[float, ...] = (0.1, 0.5, 1.0),
    correlation: Mapping[str, float | None] | None = None,
    share: Mapping[str, float] | None = None,
    dead: Sequence[str] = (),
    identity: str = "g01-c03",
) -> Reflection:
    """A plausible Reflection: healthy shares and correlations where none are given."""

    def component(term: Term) -> ComponentReflection:
        name, gone = term.name, term.name in dead
        return ComponentReflection(
            name=name,
            points=(0.1, 0.2, 0.3),
            mean=0.2,
            minimum=-1.0,
            maximum=1.0,
            std=0.0 if gone or role(term) == "constant" else 0.5,
            variance_share=(share or {}).get(name, 0.3),
            active_fraction=0.0 if gone or role(term) == "constant" else 0.9,
            metric_correlation=(correlation or {}).get(name, 0.5 if role(term) == "drive" else -0.1),
        )

    return Reflection(
        candidate_id=identity,
        source=render(parent),
        steps=(1, 2, 3),
        metric_points=metric,
        metric_max=max(metric),
        metric_final=metric[-1],
        episode_length_points=(1.0, 2.0, 3.0),
        total_points=(0.1, 0.2, 0.3),
        components=tuple(component(t) for t in parent.terms),
    )


FORWARD = Term("progress_reward", "progress", Shaping.LINEAR, 1.0)
SIDEWAYS = Term("velocity_y", "velocity[:, 1]", Shaping.TANH, 0.6, scale=3.0)
EFFORT = Term("action_squared", "torch.sum(torch.square(action), dim=-1)", Shaping.LINEAR, -0.03)
ALIVE = Term("alive", "", Shaping.LINEAR, 0.1)
PARENT = Program((FORWARD, SIDEWAYS, EFFORT, ALIVE))


def later(reflection: Reflection, probe: Mapping[str, float] | None = None) -> PromptFacts:
    return replace(facts(WALKER, 2, probe), reflection=reflection)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("probed", [True, False])
def test_every_program_of_an_evolution_is_valid(table: str, probed: bool) -> None:
    """Four generations whose parents and statistics are drawn at random: parses back, extracts, gives (N,) floats."""
    state = TABLES[table]
    keys = [f"{s.name}[{i}]" for s in state if len(s.shape) == 1 for i in range(s.shape[0])]
    keys += [s.name for s in state if not s.shape]
    rng = random.Random(table)
    case = facts(state, probe={key: rng.uniform(-1, 1) for key in keys} if probed else None)
    tensors = random_state(state, 6)
    for generation in range(1, 5):
        completions = ask(replace(case, generation=generation), seed=generation)
        found = [program(c) for c in completions.values()]
        assert len(set(found)) == len(IDS)
        for completion, each in zip(completions.values(), found, strict=True):
            check_program(completion, each, state, tensors, fresh=case.reflection is None)
        parent = rng.choice(found)
        statistics = reflection_on(
            parent,
            metric=tuple(rng.choice([(0.0, 0.0), (0.1, 1.0)])),
            correlation={t.name: rng.choice([None, rng.uniform(-1, 1)]) for t in parent.terms},
            share={t.name: rng.uniform(-0.1, 1.1) for t in parent.terms},
            dead=[t.name for t in parent.terms if rng.random() < 0.2],
        )
        case = replace(case, reflection=statistics)


def check_program(
    completion: Completion, each: Program, state: Sequence[FieldSpec], tensors: dict[str, torch.Tensor], fresh: bool
) -> None:
    assert 1 <= len(each.terms) <= 5
    assert not fresh or len(each.terms) >= 2
    assert all(t.weight != 0 for t in each.terms)
    candidate = extract(completion, state)
    assert isinstance(candidate, Candidate), candidate
    assert parse(candidate.source) == each
    namespace: dict[str, object] = {}
    exec(candidate.source, namespace)
    total, components = namespace["compute_reward"](**{f: tensors[f] for f in candidate.inputs})  # type: ignore[operator]
    assert total.shape == (6,)
    assert total.dtype == torch.float32
    assert torch.isfinite(total).all()
    assert list(components) == [t.name for t in each.terms]
    assert all(c.shape == (6,) for c in components.values())
    torch.testing.assert_close(total, sum(components.values()))


@pytest.mark.parametrize("case", [facts(WALKER, probe=METRIC_IS_PROGRESS), later(reflection_on(PARENT))])
def test_proposals_depend_on_nothing_but_seed_id_and_facts(case: PromptFacts) -> None:
    whole = ask(case)
    assert ask(case) == whole
    # A resumed run asks only for what is missing, in whatever order.
    assert ask(case, ["g01-c07", "g01-c03"]) == {i: whole[i] for i in ("g01-c07", "g01-c03")}
    assert ask(case, seed=1) != whole
    assert ask(replace(case, generation=3)) != whole


def test_with_the_probe_the_main_drive_is_what_moves_with_the_metric() -> None:
    for seed in range(5):
        for each in programs(facts(WALKER, probe=METRIC_IS_PROGRESS), seed=seed):
            main = each.terms[0].quantity
            assert main in ("progress", "velocity[:, 0]")


def test_the_sign_follows_the_correlation() -> None:
    backwards = {"progress": -0.999}
    for each in programs(facts(WALKER, probe=backwards)):
        main = each.terms[0]
        assert main.quantity == "progress"
        assert (main.target if main.target is not None else main.weight) < 0


def test_a_strongly_correlated_position_is_rewarded_bounded_along_its_sign() -> None:
    main = programs(facts((spec("height", (), "m"),), probe={"height": -0.9}))[3].terms[0]
    assert main.shaping is Shaping.TANH
    assert main.weight < 0


def test_where_nothing_correlates_nearness_to_zero_is_preferred() -> None:
    mains = [each.terms[0] for each in programs(facts(BALANCER, probe={"cart": 0.0, "rate": float("nan")}))]
    assert sum(t.quantity in ("cart", "angle") for t in mains) >= 12


def test_far_from_success_a_projection_is_as_likely_as_a_distance() -> None:
    """Where random policies hardly ever succeed, correlations are small whatever the task rewards."""
    state = (*BALANCER, spec("up", (), "1", "world"))
    found = programs(facts(state, probe={"up": 0.1, "cart": 0.01, "rate": 0.06, "cart_velocity": 0.06}))
    mains = [each.terms[0].quantity for each in found]
    # Three such quantities, 16 programs: about five each.
    assert mains.count("up") >= 3
    assert mains.count("rate") + mains.count("cart_velocity") <= 3


def test_without_metric_access_the_probe_is_not_read() -> None:
    with_probe, without = facts(WALKER, probe=METRIC_IS_PROGRESS), facts(WALKER)
    assert ask(with_probe, use_probe=False) == ask(without)
    found = programs(without, [candidate_id(1, i) for i in range(1, 60)])
    mains = {Program(each.terms[:1]).fields[0] for each in found}
    assert mains >= {"position", "velocity", "spin", "up", "progress", "orientation"}


def test_the_first_candidate_is_the_plainest_reward() -> None:
    assert programs(facts(WALKER, probe=METRIC_IS_PROGRESS), ["g01-c01"]) == [Program((FORWARD, EFFORT, ALIVE))]


def test_magnitudes_suit_the_units() -> None:
    """At ordinary values penalties and the alive bonus stay well below the main drive, and saturations lie far out."""
    for seed in range(10):
        for each in programs(facts(WALKER, probe=METRIC_IS_PROGRESS), seed=seed):
            main = each.terms[0]
            at_two_metres_a_second = {
                Shaping.LINEAR: 2 * abs(main.weight),
                Shaping.TANH: 2 * abs(main.weight) / (main.scale or 1.0),
                Shaping.EXP: abs(main.weight),
            }[main.shaping]
            assert at_two_metres_a_second >= 1.3
            assert main.shaping is not Shaping.TANH or (main.scale or 0.0) >= 3.0
            for term in each.terms[1:]:
                assert role(term) != "constant" or 0.05 <= term.weight <= 0.2
                assert not term.quantity.startswith("torch.sum(") or term.weight < 0
                if term.quantity == EFFORT.quantity:
                    assert -0.05 <= term.weight <= -0.01


def test_dead_and_harmful_components_go_but_from_the_first_candidate() -> None:
    statistics = reflection_on(PARENT, correlation={"velocity_y": -0.6}, dead=["action_squared"])
    answers = ask(later(statistics))
    first, *others = (program(c) for c in answers.values())
    assert [t.name for t in first.terms] == [t.name for t in PARENT.terms]
    for other in others:
        assert not {"velocity_y", "action_squared"} & {t.name for t in other.terms}
    text = answers["g01-c02"].text
    assert "The parent g01-c03 ended at a task metric of 1." in text
    assert "I drop velocity_y: it moves against the task metric (correlation -0.60)." in text
    assert "I drop action_squared: it hardly changed (standard deviation 0, active 0%)." in text


def test_the_constant_bonus_is_not_dead() -> None:
    kept = [each for each in programs(later(reflection_on(PARENT))) if ALIVE.name in {t.name for t in each.terms}]
    assert len(kept) > len(IDS) / 2


@pytest.mark.parametrize(
    ("share", "correlation", "changed", "low", "high"),
    [
        ({"velocity_y": 0.95}, {"velocity_y": 0.05}, "velocity_y", 0.2, 0.4),
        ({"velocity_y": 0.001}, {}, "velocity_y", 2.0, 5.0),
        # What dominates and moves with the metric is what is wanted.
        ({"progress_reward": 0.95}, {"progress_reward": 0.9}, "progress_reward", 1.2, 2.0),
    ],
)
def test_the_first_candidate_rescales_what_is_out_of_proportion(
    share: dict[str, float], correlation: dict[str, float | None], changed: str, low: float, high: float
) -> None:
    (found,) = programs(later(reflection_on(PARENT, share=share, correlation=correlation)), ["g02-c01"])
    before = {t.name: t for t in PARENT.terms}
    ratios = {t.name: t.weight / before[t.name].weight for t in found.terms}
    assert low * 0.98 <= ratios.pop(changed) <= high * 1.02
    assert set(ratios.values()) == {1.0}


def test_candidates_of_a_rising_metric_change_in_different_ways() -> None:
    found = programs(later(reflection_on(PARENT), METRIC_IS_PROGRESS), IDS[:8])
    assert PARENT not in found
    kinds = [[(t.name, t.shaping) for t in each.terms] == [(t.name, t.shaping) for t in PARENT.terms] for each in found]
    # Rescaled or retuned programs beside others with more or fewer terms.
    assert 2 <= sum(kinds) <= 5
    assert {len(each.terms) for each in found} >= {3, 4, 5}


def test_a_flat_metric_calls_for_larger_changes() -> None:
    def kept_main(metric: tuple[float, ...]) -> int:
        found = programs(later(reflection_on(PARENT, metric=metric)), IDS[:8])
        return sum(FORWARD in each.terms for each in found)

    assert kept_main((0.5, 0.5, 0.51)) < kept_main((0.1, 0.5, 1.0))
    answers = ask(later(reflection_on(PARENT, metric=(0.5, 0.5, 0.51))), IDS[:8])
    assert "stayed flat (0.5 at the start, 0.51 at best)" in answers["g01-c02"].text
    flipped = replace(FORWARD, weight=-1.0)
    assert any(flipped in program(c).terms for c in answers.values())


def test_a_parent_of_which_nothing_is_useful_is_left() -> None:
    statistics = reflection_on(PARENT, dead=["progress_reward", "velocity_y", "action_squared"])
    answers = ask(later(statistics), IDS[:4])
    assert "Nothing useful was left" in answers["g01-c02"].text


def test_a_short_program_can_still_be_changed_in_many_ways() -> None:
    lone = Program((FORWARD,))
    found = programs(later(reflection_on(lone, share={"progress_reward": 1.0})))
    assert len(set(found)) == len(IDS)


@pytest.mark.parametrize("source", ["def compute_reward(x): return x, {}", render(PARENT), "not python"])
def test_a_foreign_parent_starts_afresh(source: str) -> None:
    """Also a program on fields that this State does not have."""
    statistics = replace(reflection_on(PARENT), source=source)
    case = replace(facts(BALANCER, 2), reflection=statistics)
    answers = ask(case)
    assert len({program(c) for c in answers.values()}) == len(IDS)
    assert "could not read g01-c03" in answers["g01-c01"].text


def test_after_a_generation_without_results_it_starts_afresh() -> None:
    case = replace(facts(WALKER, 2), rejected=(Rejected("g01-c01", Stage.TRACE, "r", "f"),))
    answers = ask(case)
    assert "No earlier candidate could be used" in answers["g01-c01"].text
    assert not {program(c) for c in answers.values()} & set(programs(facts(WALKER, 1)))


def test_many_candidates_of_a_tiny_state_still_differ() -> None:
    ids = [candidate_id(1, i) for i in range(1, 65)]
    found = programs(facts(TABLES["one flag"]), ids)
    assert all(a != b for a, b in itertools.combinations(found, 2))


def test_it_says_what_it_is() -> None:
    assert "is not a language model" in ProgramSearch(0, use_probe=True).description
    assert "which State quantities move with the task metric" in ProgramSearch(0, use_probe=True).description
    assert "no access to the task metric" in ProgramSearch(0, use_probe=False).description
    assert "correlation of 1.00" in ask(facts(WALKER, probe=METRIC_IS_PROGRESS))["g01-c01"].text


def test_nothing_to_reward_is_an_error_in_a_sentence() -> None:
    with pytest.raises(ProposerError, match="State of task t has no field that program_search can make a reward from"):
        ask(facts((spec("images", (3, 8, 8), "1"),)))
