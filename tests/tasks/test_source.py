"""What a model is shown of a task's source: four functions, and what they use."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from eureka.tasks import load_task
from eureka.tasks.source import shown_source

MODULE = '''
import math

import torch

LENGTH_M = 0.5
TWICE: float = 2 * LENGTH_M
LIMIT = 3.0
UNUSED = 7.0


class State:
    """Described by its fields."""


def far(x):
    return near(x) if x > LIMIT else half(x)


def near(x):
    """Calls what calls it."""
    return far(x - math.pi)


def half(x):
    return x / TWICE


def scoring(x):
    return x


class Base:
    OFFSET = 1.5

    def shifted(self, x):
        return x + self.OFFSET

    def advance(self, carry):
        return carry


class Child(Base):
    @property
    def gain(self):
        return 2.0

    def state(self, sim):
        return State(far(self.shifted(sim)) * self.gain)

    def observe(self, state):
        # What judges stays hidden, even where somebody uses it.
        return state.x + self.metric(state)

    def terminated(self, state):
        return state.x > 9

    def metric(self, state):
        return scoring(state.x)

    def human_reward(self, state):
        return UNUSED
'''

SHOWN = """LENGTH_M = 0.5

TWICE: float = 2 * LENGTH_M

def half(x):
    return x / TWICE

LIMIT = 3.0

def near(x):
    \"\"\"Calls what calls it.\"\"\"
    return far(x - math.pi)

def far(x):
    return near(x) if x > LIMIT else half(x)

OFFSET = 1.5

def shifted(self, x):
    return x + self.OFFSET

@property
def gain(self):
    return 2.0

def advance(self, carry):
    return carry

def state(self, sim):
    return State(far(self.shifted(sim)) * self.gain)

def observe(self, state):
    # What judges stays hidden, even where somebody uses it.
    return state.x + self.metric(state)

def terminated(self, state):
    return state.x > 9
"""


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type:
    path = tmp_path / "made_up.py"
    path.write_text(MODULE)
    spec = importlib.util.spec_from_file_location("made_up", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "made_up", module)
    spec.loader.exec_module(module)
    made: type = module.Child
    return made


def blocks(source: str) -> list[str]:
    return sorted(source.strip().split("\n\n"))


def test_helpers_and_constants_come_before_the_functions_that_use_them(child: type) -> None:
    shown = shown_source(child)
    assert blocks(shown) == blocks(SHOWN)
    places = [
        shown.index(start) for start in ("LENGTH_M =", "TWICE:", "def half", "def far", "def advance", "def state")
    ]
    assert places == sorted(places)


def test_shipped_tasks_show_what_their_functions_use() -> None:
    assert load_task("swingup").shown_source.startswith("POLE_LENGTH_M = 1.0\n")
    assert load_task("walker2d").shown_source.count("POSITION_NOISE = VELOCITY_NOISE = 5e-3\n") == 1  # both are used
    humanoid = load_task("humanoid").shown_source
    assert "mass / mass.sum()" in humanoid
    assert humanoid.index("def _mass_shares(") < humanoid.index("def advance(")
