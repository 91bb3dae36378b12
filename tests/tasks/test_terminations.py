"""Which condition ended an episode: by name, or by the text of a part of the one expression."""

from types import SimpleNamespace

import pytest
import torch

from eureka.tasks import load_task
from eureka.tasks.base import state_tensors
from eureka.tasks.terminations import any_of, conditions

LIMIT = 0.2


class Named:
    def terminated(self, state):
        return {"fell over": state.height < LIMIT, "flew off": state.height > 2}


class Alternatives:
    def terminated(self, state):
        height = state.height
        return (height < LIMIT) | (height > 2) | (state.tilt.abs() > 1)


class Healthy:
    def terminated(self, state):
        upright = state.tilt.abs() < 1
        return ~((state.height > LIMIT) & (state.height <= 2) & upright)


class Branching:
    def terminated(self, state):
        if state.height.dim() == 1:
            return state.height < LIMIT
        return state.height > 2


class Never:
    def terminated(self, state):
        return torch.zeros_like(state.height, dtype=torch.bool)


class Comprehension:
    def terminated(self, state):
        return {name: getattr(state, name) > 2 for name in ("height", "tilt")}


class Union:
    def terminated(self, state):
        return {"low": state.height < LIMIT} | {"high": state.height > 2}


class Anywhere:
    def terminated(self, state):
        return (state.height > 2) | state.tilt.isnan().any()


STATE = SimpleNamespace(height=torch.tensor([0.1, 1.0, 3.0, 1.0]), tilt=torch.tensor([0.0, 0.0, 0.0, -2.0]))


@pytest.mark.parametrize(
    ("cls", "names"),
    [
        (Named, ["fell over", "flew off"]),
        (Alternatives, ["height < LIMIT", "height > 2", "state.tilt.abs() > 1"]),
        (Healthy, ["state.height <= LIMIT", "state.height > 2", "not upright"]),
        (Branching, [""]),
        (Never, [""]),
        (Comprehension, ["height", "tilt"]),
        (Union, ["low", "high"]),
        (Anywhere, [""]),  # the second is one number for all worlds
    ],
)
def test_conditions_by_name(cls, names):
    found = conditions(cls)(cls(), STATE)
    assert list(found) == names
    assert torch.equal(any_of(found), any_of(cls().terminated(STATE)))


def test_each_condition_holds_where_it_should():
    found = conditions(Healthy)(Healthy(), STATE)
    assert [value.tolist() for value in found.values()] == [
        [True, False, False, False],
        [False, False, True, False],
        [False, False, False, True],
    ]


@pytest.mark.parametrize("name", ["ant", "hopper", "walker2d", "cartpole", "quadcopter"])
def test_the_conditions_of_tasks_together_are_whether_it_is_over(name):
    task = load_task(name)
    generator = torch.Generator().manual_seed(0)
    fields = {spec.name: 0.7 * torch.randn((64, *spec.shape), generator=generator) for spec in task.fields}
    state = task.State(**fields)
    found = task.end_conditions(state)
    assert "" not in found
    assert torch.equal(any_of(found), task.is_over(state))
    assert int(task.is_over(state).sum()) > 0
    assert state_tensors(state).keys() == fields.keys()
