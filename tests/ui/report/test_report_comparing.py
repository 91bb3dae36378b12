"""Which of several runs leads, and how sure that is."""

from types import SimpleNamespace
from typing import Any

import pytest

from eureka.evaluation.data import ComparedMethod, Estimate, Role
from eureka.ui.report.comparing import _human, _winner
from eureka.ui.report.text import percent

Interval = tuple[float, float] | None


def method(role: Role, iqm: float, interval: Interval, seeds: int = 3) -> ComparedMethod:
    return ComparedMethod(
        role=role,
        name=role.value,
        seeds=tuple(range(seeds)),
        scores=(iqm,) * seeds,
        iqm=Estimate(iqm, interval),
        improvement=None,
        normalised=None,
        correlation=None,
    )


def run(
    name: str, searched: float | None, fresh: ComparedMethod | None = None, human: ComparedMethod | None = None
) -> Any:
    found = {Role.BEST: fresh, Role.HUMAN: human}
    best = SimpleNamespace(score=searched) if searched is not None else None
    comparison = SimpleNamespace(method=found.get) if fresh else None
    return SimpleNamespace(name=name, method=fresh, run=SimpleNamespace(best=best, unit="m/s", comparison=comparison))


@pytest.mark.parametrize(
    ("runs", "sentence"),
    [
        # A run without a usable reward does not keep the others' fresh seeds from counting.
        (
            [
                run("a", 3.0, method(Role.BEST, 2.0, (1.9, 2.1))),
                run("b", 2.5, method(Role.BEST, 2.4, (2.2, 2.6))),
                run("c", None),
            ],
            "ant: b reaches 2.40 m/s with fresh seeds, against a 2.00.",
        ),
        (
            [
                run("a", 3.0, method(Role.BEST, 2.0, (1.5, 2.5))),
                run("b", 2.5, method(Role.BEST, 2.4, (2.2, 2.6))),
            ],
            "ant: b reaches 2.40 m/s with fresh seeds, against a 2.00; these seeds do not tell which is better.",
        ),
        (
            [run("a", 3.0, method(Role.BEST, 2.0, None)), run("b", 2.5, method(Role.BEST, 2.4, None))],
            "ant: b reaches 2.40 m/s with fresh seeds, against a 2.00; these seeds do not tell which is better.",
        ),
        (
            [run("a", 3.0), run("b", 2.5, method(Role.BEST, 2.4, (2.2, 2.6)))],
            "ant: a reaches 3.00 m/s in the searches' own evaluation, against b 2.50.",
        ),
        ([run("a", 3.0, method(Role.BEST, 2.0, None))], "ant: a reaches 2.00 m/s with fresh seeds."),
        ([run("a", None)], "ant: no usable reward yet."),
    ],
)
def test_who_leads(runs: list[Any], sentence: str) -> None:
    assert _winner("ant", runs) == sentence


def test_the_human_reward_is_that_of_the_most_seeds() -> None:
    few = run("a", 1.0, method(Role.BEST, 1.0, None), method(Role.HUMAN, 1.5, None, seeds=2))
    many = run("b", 1.0, method(Role.BEST, 1.0, None), method(Role.HUMAN, 1.75, None, seeds=5))
    assert [(row.name, row.centre) for row in _human([few, many, run("c", 1.0)])] == [("human-written", 1.75)]
    assert _human([run("c", 1.0)]) == []


def test_what_rounds_to_zero_has_no_sign() -> None:
    assert [percent(share) for share in (-0.0001, 0.0, -0.002)] == ["0.0%", "0%", "−0.2%"]
