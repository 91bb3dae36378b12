"""A Gymnasium environment as named numbers and a metric, and one sentence for each that cannot be used."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gym_environments import HERE, Walk
from gymnasium import spaces

from eureka.core.errors import EurekaError
from eureka.trainers.gymnasium.describing import step_without_reward
from eureka.trainers.gymnasium.environment import EPISODE_METRIC, STATE, STEP_METRIC, EnvironmentMaker
from eureka.trainers.gymnasium.page import (
    ObservationTable,
    TableRow,
    field_name,
    goal_sentence,
    observation_tables,
    without_reward,
)
from eureka.trainers.gymnasium.recipe import EnvironmentRecipe, time_limit
from eureka.trainers.gymnasium.spaces import Leaf
from eureka.trainers.gymnasium.state import state_of_spaces
from eureka.trainers.gymnasium.template import environment_file
from eureka.trainers.gymnasium.transitions import random_episodes

LANDER = '''
import gymnasium
from {here} import Walk as _Walk


class Line:
    sentence = "be at 1"
    fields = {{"distance": ("m", "to the goal"), "back": "whether it went back"}}
    metric_unit = "m"

    def make(self, **kwargs):
        return _Walk(**kwargs)

    def state(self, step):
        return {{
            "distance": abs(step.observation[0] - step.env.goal),
            "back": bool(step.observation[0] < step.previous_observation[0]),
            "jerk": step.action - step.previous_action,
        }}

    def metric(self, episode):
        """the way that was gone"""
        return sum(abs(each["distance"]) for each in episode.state) + len(episode.rewards)
'''


def maker(name: str, **recipe: str) -> EnvironmentMaker:
    return EnvironmentMaker(EnvironmentRecipe(f"{HERE}:{name}", **recipe))


def episode(env: Any, action: float = 1.0, seed: int = 0) -> list[dict[str, Any]]:
    env.reset(seed=seed)
    infos, over = [], False
    while not over:
        *_, terminated, truncated, info = env.step(np.array([action], np.float32))
        over = terminated or truncated
        infos.append(info)
    return infos


def test_the_state_is_named_by_the_table_of_the_page() -> None:
    made = maker("Walk")
    assert [(f.name, f.shape, f.dtype, f.unit) for f in made.reader.fields] == [
        ("position_on_line", (), "float32", "m"),
        ("speed", (), "float32", "m/s"),
        ("action", (1,), "float32", "1"),
    ]
    infos = episode(made.make())
    assert len(infos) == 10
    state = made.reader.tensors(np.stack([info[STATE] for info in infos]))
    assert state["speed"].tolist() == [1.0] * 10
    assert state["action"].shape == (10, 1)
    # One tenth for each step.
    assert torch.allclose(state["position_on_line"].diff(), torch.full((9,), 0.1))


def test_what_is_no_number_is_left_out_of_a_structure() -> None:
    made = maker("Parts")
    assert [(f.name, f.shape, f.dtype) for f in made.reader.fields] == [
        ("body_gear", (), "int64"),
        ("body_position", (3,), "float32"),
        ("pair_0", (2,), "float32"),
        ("action", (1,), "float32"),
    ]
    env = made.make()
    seen, _ = env.reset(seed=0)
    # A column for each of three gears, three numbers, two bits.
    assert (seen.shape, seen.dtype) == ((8,), np.float32)
    assert seen.tolist()[:3] == [1.0, 0.0, 0.0]
    state = made.reader.tensors(np.stack([info[STATE] for info in episode(env)]))
    assert state["body_gear"].tolist() == [1, 2, 0, 1, 2, 0, 1, 2, 0, 1]


@pytest.mark.parametrize(
    ("metric", "wanted", "unit"),
    [
        ("info.is_success", 1.0, "success rate"),  # ten steps of 0.1 from about 0 to about 1
        ("mean:info.is_success", 0.2, "share of time"),  # of the last two or three of ten
        ("min:info.far.away", 0.0, "far.away"),
        ("", -4.5, "return"),  # minus 0.9, 0.8, ... 0
    ],
)
def test_metrics(metric: str, wanted: float, unit: str) -> None:
    made = maker("Walk", metric=metric)
    assert made.metric.spec(None).unit == unit
    assert episode(made.make())[-1][EPISODE_METRIC] == pytest.approx(wanted, abs=0.75 if not metric else 0.11)


def test_a_file_names_its_own_state_and_metric(tmp_path: Path) -> None:
    path = tmp_path / "line.py"
    path.write_text(LANDER.format(here=HERE))
    made = EnvironmentMaker(EnvironmentRecipe(str(path), kwargs='{"goal": 0.0}'))
    assert [(f.name, f.shape, f.dtype, f.unit, f.description) for f in made.reader.fields] == [
        ("distance", (), "float32", "m", "to the goal"),
        ("back", (), "bool", "1", "whether it went back"),
        ("jerk", (1,), "float32", "1", ""),
    ]
    assert made.definition.sentence == "be at 1"
    spec = made.metric.spec(made.definition.described)
    assert (spec.description, spec.unit) == ("the way that was gone", "m")
    infos = episode(made.make(), action=-1.0)
    state = made.reader.tensors(np.stack([info[STATE] for info in infos]))
    assert state["back"].all()
    # The metric adds one for each of ten steps to the distances.
    assert infos[-1][EPISODE_METRIC] == pytest.approx(10 + float(state["distance"].sum()), abs=1e-4)
    assert infos[-1][STEP_METRIC] == infos[-1][EPISODE_METRIC]
    assert infos[0][STEP_METRIC] == 0.0


def test_random_episodes_tell_of_constants(tmp_path: Path) -> None:
    found = random_episodes(maker("Parts"), 128, 0)
    assert found.constants == ["pair_0"]
    assert len(found.recording.metric) == 128
    again = random_episodes(maker("Parts"), 128, 0)
    assert torch.equal(again.recording.state["body_position"], found.recording.state["body_position"])


@pytest.mark.parametrize(
    ("env", "recipe", "sentence"),
    [
        ("CartPol-v1", {}, "Gymnasium has no environment of this name; did you mean CartPole-v1"),
        ("LunarLanderContinous-v3", {}, "no environment of this name; did you mean LunarLanderContinuous-v3"),
        ("ALE/Pong-v5", {}, "Gymnasium has no environment of this name: pip install 'ale-py' brings it"),
        ("nowhere/Walk-v0", {}, "install the package that registers it, .* env=MODULE:nowhere/Walk-v0"),
        ("no_such_module:Walk", {}, "there is no module no_such_module here: start in the folder that has it"),
        (f"{HERE}:Wolk", {}, "has no `Wolk`, nor does it register an environment of that name; did you mean Walk"),
        (f"{HERE}:Walk", {"kwargs": '{"gaol": 1}'}, r"cannot be made with {'gaol': 1}: .*unexpected keyword"),
        (f"{HERE}:Walk", {"wrappers": "NoWrapper"}, "env.wrappers=NoWrapper: gymnasium.wrappers has no `NoWrapper`"),
        (f"{HERE}:Walk", {"metric": "success"}, "metric=success: give return, info.KEY, or one of last, any"),
        (f"{HERE}:Walk", {"metric": "info.solved"}, "info has no `solved` at the end of an episode .*is_success"),
        (f"{HERE}:Walk", {"metric": "info.far"}, r"metric=info.far: {'away': .*} is not a number in step 1"),
        (
            f"{HERE}:RaisesInStep",
            {},
            r"step raised RuntimeError: the motor burned in step 4 of the episode with seed 0, ",
        ),
        (f"{HERE}:RaisesInReset", {}, r"reset\(seed=0\) raised OSError: no licence"),
        (
            f"{HERE}:NotFinite",
            {},
            r"`obs` of its observation is not finite in step 3 of the episode with seed 0, after",
        ),
        (f"{HERE}:ChangesItsSpace", {}, r"has the shape \(3,\) in step 3 .* and its space says \(2,\)"),
        (f"{HERE}:FourValues", {}, r"step gave 4 values, .*older package gym: wrap it with shimmy.GymV21Compatibility"),
        (f"{HERE}:OldGym", {}, "OldGym is no gymnasium.Env but of the older package gym"),
        (f"{HERE}:Several", {}, "it has several agents"),
        (f"{HERE}:Pictures", {}, "has no plain numbers .* of which a reward could be made: give a file"),
        (f"{HERE}:RewardIsText", {}, "its own reward is 'much', no number"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(env: str, recipe: dict[str, str], sentence: str) -> None:
    with pytest.raises(EurekaError, match=sentence) as raised:
        random_episodes(EnvironmentMaker(EnvironmentRecipe(env, **recipe)), 64, 0)
    assert "\n" not in str(raised.value)


def test_a_namespace_of_an_id_is_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"import gymnasium\ngymnasium.register('walks_of_a_test/Walk-v0', '{HERE}:Walk', max_episode_steps=9)"
    (tmp_path / "walks_of_a_test.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    # A run folder of others may hold any id: none decides by itself what is imported.
    with pytest.raises(EurekaError, match="name its module before the id: env=MODULE:walks_of_a_test/Walk-v0"):
        EnvironmentMaker(EnvironmentRecipe("walks_of_a_test/Walk-v0"))
    assert "walks_of_a_test" not in sys.modules
    identity = "walks_of_a_test:walks_of_a_test/Walk-v0"
    assert time_limit(EnvironmentMaker(EnvironmentRecipe(identity)).make()) == 9
    # A file of one's own makes it in a process where nobody has imported the module before.
    written = environment_file(identity, "walk", str(tmp_path)).text
    assert "import walks_of_a_test" in written
    assert 'gymnasium.make("walks_of_a_test/Walk-v0", **kwargs)' in written
    with pytest.raises(EurekaError, match="did you mean walks_of_a_test/Walk-v0"):
        EnvironmentMaker(EnvironmentRecipe("walks_of_a_test/Wolk-v0"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("def broken(:", r"line 1: invalid syntax"),
        ("import no_such_module", "No module named 'no_such_module'"),
        ("1 / 0", "importing it raised ZeroDivisionError: division by zero"),
        ("x = 1", "it has no class with a function `make`"),
        (LANDER.replace("abs(step", "bad(step"), "`state` raised NameError: name 'bad' is not defined"),
        (LANDER.replace('"back":', '"bock":', 1), "`fields` describes `bock`, which `state` does not give; it gives"),
        (LANDER.replace("return {{", 'return "x" if step else {{'), "`state` must return {name: number or array}"),
        (LANDER.replace("- step.env.goal", "/ 0.0"), "`distance` of the State is not finite in step"),
        (
            LANDER.replace("return sum", "return [sum").replace("(episode.rewards)", "(episode.rewards), 1]"),
            "not a number",
        ),
    ],
)
def test_what_is_wrong_in_a_file_is_one_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "line.py"
    path.write_text(text.format(here=HERE) if "{here}" in text else text)
    with np.errstate(all="ignore"), pytest.raises(EurekaError, match=sentence):
        random_episodes(EnvironmentMaker(EnvironmentRecipe(str(path))), 64, 0)


# ---- what a page says --------------------------------------------------------------------------------------------


def test_pages() -> None:
    page = "Top.\n## Rewards\nIt is +1.\n### More\nmore\n## Starting State\nnear zero\n## Version History\n* v1"
    assert without_reward(page) == "Top.\n## Starting State\nnear zero"
    assert goal_sentence(str(Walk.__doc__)) == "The goal is to be at 1."
    (table,) = observation_tables("\n".join(line.strip() for line in str(Walk.__doc__).splitlines()))
    assert [(row.name, row.unit) for row in table.rows] == [("position_on_line", "m"), ("speed", "m/s")]
    assert field_name("x = cos(theta)") == "x_cos_theta"
    assert field_name("1 if the door is open") == "obs_1_if_door_is_open"


@pytest.mark.parametrize(
    "goal",
    [
        "The goal of the agent is to reach the square.",
        "The task to be completed consists on opening the door.",
        "The task in the environment is for a ball to reach a place.",
        "The car must appropriately park between two lines.",
        "The goal is near.",
    ],
)
def test_the_sentence_that_says_the_goal_is_found(goal: str) -> None:
    beside = "It was made for tests. If the task is set to go on, nothing ends."
    assert goal_sentence(f"{beside} {goal}") == (
        "If the task is set to go on, nothing ends." if "near" in goal else goal
    )
    assert goal_sentence(f"It was made for tests. {goal} Have fun.") == goal


def test_a_unit_is_no_quantity_with_its_symbol() -> None:
    page = "| Num | Observation | Unit |\n|-|-|-|\n| 0 | position | position (m) |\n| 1 | velocity | velocity (v) |"
    (table,) = observation_tables(page)
    assert [row.unit for row in table.rows] == ["m", "1"]


def test_goals_stay_whole() -> None:
    leaves = [Leaf((name,), spaces.Box(-2.0, 2.0, (2,))) for name in ("achieved_goal", "desired_goal", "observation")]
    rows = tuple(TableRow(name, "m", f"place along {name}") for name in "xy")
    env = gymnasium.make("MountainCarContinuous-v0")
    tables = [ObservationTable(leaf.name, rows) for leaf in leaves]
    fields = state_of_spaces(env, leaves, tables).fields
    assert [(f.name, f.shape, f.unit) for f in fields] == [
        ("achieved_goal", (2,), "m"),
        ("desired_goal", (2,), "m"),
        ("x", (), "m"),
        ("y", (), "m"),
        ("action", (1,), "1"),
    ]
    assert fields[0].description == "place along x; place along y, between -2 and 2"


def test_the_source_of_step_is_shown_without_the_reward() -> None:
    shown = step_without_reward(Walk)
    assert "reward = " not in shown
    assert "reward_distance" not in shown
    # What is needed for more than the reward stays.
    assert "distance = abs(self.position - self.goal)" in shown
    assert "return (self.seen(), ..., abs(self.position) > 2.0, self.steps >= 10, info)" in shown


class _Shaped:
    def reset(self) -> None:
        self.before = None

    def step(self, action: float) -> Any:
        """Secret of the reward."""
        state = [action]
        reward = 0.0
        shaping = -abs(state[0])
        if self.before is not None:
            reward = shaping - self.before
        self.before = shaping
        done = False
        if abs(state[0]) > 1:
            done = True
            reward = -100.0
        return state, reward, done, False, {"reward": reward, "state": state}


def test_shaping_that_feeds_the_reward_alone_is_left_out() -> None:
    assert step_without_reward(_Shaped).split("\n") == [
        "def step(self, action: float) -> Any:",
        "    state = [action]",
        "    done = False",
        "    if abs(state[0]) > 1:",
        "        done = True",
        "    return (state, ..., done, False, {'state': state})",
    ]


def test_tables_belong_to_the_keys_that_are_named_before_them() -> None:
    page = """
* `far`: where to go, see `near`

| Num | Observation |
|-----|-------------|
| 0   | far x       |

* `near`: where it is

| Num | Observation |
|-----|-------------|
| 0   | near x      |
"""
    assert [(table.key, table.rows[0].name) for table in observation_tables(page)] == [
        ("far", "far_x"),
        ("near", "near_x"),
    ]


# ---- the file that `eureka init` writes --------------------------------------------------------------------------


@pytest.mark.parametrize("env", ["CartPole-v1", f"{HERE}:Walk", f"{HERE}:Parts"])
def test_the_written_file_gives_the_same_state(env: str, tmp_path: Path) -> None:
    path = tmp_path / "written.py"
    written = environment_file(env, "my_lander", "")
    path.write_text(written.text)
    assert "class MyLander:" in written.text
    by_file, by_space = EnvironmentMaker(EnvironmentRecipe(str(path))), EnvironmentMaker(EnvironmentRecipe(env))
    own, theirs = ([(f.name, f.shape, f.unit) for f in made.reader.fields] for made in (by_file, by_space))
    assert own == theirs
    rows, action = [], None
    for made in (by_file, by_space):
        env_made = made.make()
        env_made.reset(seed=3)
        action = env_made.action_space.sample() if action is None else action
        rows.append(env_made.step(action)[-1][STATE])
    assert rows[0].tolist() == rows[1].tolist()


def test_the_written_file_has_what_was_found_out() -> None:
    written = environment_file(f"{HERE}:Walk", "walk", "")
    assert written.sentence == "The goal is to be at 1."
    assert written.info.keys() == {"is_success", "reward_distance"}
    assert 'metric = "info.is_success"' in written.text
    assert '"speed": ("m/s", "speed (m/s)"),' in written.text
    assert '"speed": step.observation[1],' in written.text
    assert "from gym_environments import Walk as _Walk" in written.text


def test_the_file_of_the_page_is_an_environment(tmp_path: Path) -> None:
    pytest.importorskip("Box2D")
    page = (Path(__file__).parents[3] / "docs" / "gymnasium.md").read_text()
    path = tmp_path / "lander.py"
    path.write_text(page.split("```python\n")[1].split("```")[0])
    made = EnvironmentMaker(EnvironmentRecipe(str(path)))
    assert [each.name for each in made.reader.fields] == ["height", "sideways", "contacts", "jerk", "action"]
    found = random_episodes(made, 64, 0)
    assert set(found.metrics) <= {0.0, 1.0}
    assert made.metric.spec(made.definition.described).unit == "success rate"
