"""Packages of reward terms: what is in them, what is refused, and that they compute what the graph computes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from simulator_helpers import POSITION, installed, module_of, reward_graph, run_python

from eureka.core.errors import EurekaError
from eureka.core.types import FieldSpec
from eureka.reward.graph.parse import parse_graph
from eureka.trainers.remote.inside.reward_terms import term_names
from eureka.trainers.remote.packages import TermPackage, adds_up, train_command, write_package
from eureka.trainers.remote.table import table_graph
from eureka.trainers.remote.task import TableTerm

KNOWN = frozenset({"robot_joint_pos", "robot_joint_vel"})

STEPS = """
import torch
total = torch.zeros(4)
for step in range(8):
    before = env.common_step_counter
    position, velocity = env.point.position.clone(), env.point.velocity.clone()
    push = torch.randn(4, 1, generator=generator)
    moved = velocity + push[:, 0] * 0.05
    place, speed = 3.0 * (position + moved * 0.05), -0.5 * moved**2
    _, reward, _, _, _ = env.step(push)
    assert torch.allclose(reward, (FACTOR * (place + speed)) * SCALE, atol=1e-6), (reward, place, speed)
"""


def package(simulator: str, task: str, graph: str = "", **changes: object) -> TermPackage:
    graph = graph or reward_graph()
    return TermPackage(simulator, task, "g01-c02", graph, module_of(graph), **{"known": KNOWN, **changes})  # type: ignore[arg-type]


def test_a_total_adds_up_where_it_is_plainly_the_sum_of_the_components() -> None:
    assert adds_up(parse_graph(reward_graph(5)))
    assert not adds_up(parse_graph(reward_graph(6)))  # twice the sum
    assert not adds_up(parse_graph(reward_graph(5, place=POSITION)))  # one component less
    assert adds_up(parse_graph(reward_graph(1, place=POSITION)))


def test_terms_are_identifiers_and_what_is_missing_of_the_total_is_one() -> None:
    names = term_names(["joint limits (share)", "joint-limits (share)", "2nd"], adds_up=False)
    assert names == {
        "joint_limits__share": "joint limits (share)",
        "joint_limits__share_2": "joint-limits (share)",
        "_2nd": "2nd",
        "rest": "rest",
    }


def test_the_new_task_has_a_name_of_its_own() -> None:
    assert package("mjlab", "Mjlab-Point").new_task == "Mjlab-Point-Eureka"
    assert package("isaaclab", "Isaac-Point-v0").new_task == "Isaac-Point-Eureka-v0"
    assert train_command(package("mjlab", "Mjlab-Point")) == "train Mjlab-Point-Eureka --env.scene.num-envs 4096"
    assert train_command(package("isaaclab", "Isaac-Point-v0")).endswith("--task Isaac-Point-Eureka-v0")


def test_what_nothing_gives_is_named(tmp_path: Path) -> None:
    with pytest.raises(EurekaError, match="reads robot_joint_pos, robot_joint_vel, which no --state FILE gives"):
        write_package(package("mjlab", "Mjlab-Point", known=frozenset()), tmp_path / "out")
    state = tmp_path / "state.py"
    state.write_text("FIELDS = {'robot_joint_pos': ('m', '', '')}\ndef state(env): return {}\n")
    with pytest.raises(EurekaError, match=r"reads robot_joint_vel, which .*state.py does not give"):
        write_package(package("mjlab", "Mjlab-Point", known=frozenset(), state=state), tmp_path / "out")
    state.write_text("def state(env): return {}\n")
    with pytest.raises(EurekaError, match="it must define FIELDS"):
        write_package(package("mjlab", "Mjlab-Point", state=state), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(EurekaError, match="not empty: give another folder with --output"):
        write_package(package("mjlab", "Mjlab-Point"), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("task", ['x"""\nimport os', "../up", "", "a b"])
def test_an_id_that_is_none_is_refused(task: str, tmp_path: Path) -> None:
    with pytest.raises(EurekaError, match="no id of a task"):
        write_package(package("mjlab", task), tmp_path / "out")


@pytest.mark.process
@pytest.mark.parametrize(("total", "factor"), [(5, 1.0), (6, 2.0)])
def test_mjlab_computes_the_graph_in_terms_that_the_manager_sums(total: int, factor: float, tmp_path: Path) -> None:
    write_package(package("mjlab", "Mjlab-Velocity", reward_graph(total)), tmp_path / "out")
    found = installed(tmp_path / "out", tmp_path / "site", "mjlab")
    program = f"""
import torch, mjlab.tasks
from mjlab.envs import ManagerBasedRlEnv
from mjlab.tasks.registry import load_env_cfg
cfg = load_env_cfg("Mjlab-Velocity-Eureka")
assert list(cfg.curriculum) == ["harder"], cfg.curriculum
cfg.scene.num_envs, cfg.episode_length_s = 4, 100.0
generator = torch.Generator().manual_seed(0)
env = ManagerBasedRlEnv(cfg, device="cpu")
env.reset()
FACTOR, SCALE = {factor}, 0.05
{STEPS}
print(env.reward_manager.active_terms)
sums = sum(env.reward_manager._episode_sums.values())
assert torch.isfinite(sums).all()
"""
    terms = ["place", "speed"] if total == 5 else ["place", "speed", "rest"]
    assert run_python(program, found).strip() == str(terms)


@pytest.mark.process
def test_a_term_of_one_adds_the_control_step_to_the_return(tmp_path: Path) -> None:
    """1 x 0.05 s, as the manager scales its own; and without that, 1."""
    program = """
import mjlab.tasks, torch
from mjlab.envs import ManagerBasedRlEnv
from mjlab.managers.reward_manager import RewardTermCfg
from mjlab.tasks.registry import load_env_cfg
from eureka.trainers.remote.inside.environment import OpenEnvironment, OpenRequest
from eureka.trainers.remote.inside.simulators import Mjlab
one = '''
import torch
INPUTS, COMPONENTS = ("robot_joint_pos",), ("alive",)
def compute_reward_from_state(state):
    ones = torch.ones_like(state["robot_joint_pos"][:, 0])
    return ones, {"alive": ones}
'''
environment = OpenEnvironment(Mjlab(), OpenRequest("Mjlab-Point", "cpu", 4))
environment.put_in(one)
for scales in (True, False):
    environment.env.reward_manager._scale_by_dt = scales
    print(environment.env.step(torch.zeros(4, 1))[1].tolist())
"""
    from simulator_helpers import environment

    root = str(Path(__file__).parents[3])
    variables = environment()
    variables["PYTHONPATH"] += f":{root}"
    first, second = run_python(program, variables).splitlines()
    assert eval(first) == pytest.approx([0.05] * 4)
    assert eval(second) == pytest.approx([1.0] * 4)


TABLE = (FieldSpec("term_distance", (), "float32", "1", "", ""), FieldSpec("term_novelty", (), "float32", "1", "", ""))
OPENED = {
    "mjlab": """
import mjlab.tasks
from mjlab.envs import ManagerBasedRlEnv
from mjlab.tasks.registry import load_env_cfg
cfg = load_env_cfg("Mjlab-Novelty-Eureka")
cfg.scene.num_envs = 4
env = ManagerBasedRlEnv(cfg, device="cpu")
""",
    "isaaclab": """
import gymnasium
from isaaclab.cli import load_external_tasks
load_external_tasks()
from isaaclab_tasks.utils import resolve_task_config
cfg, agent = resolve_task_config("Isaac-Point-Eureka-v0", "rsl_rl_cfg_entry_point")
cfg.scene.num_envs = 4
env = gymnasium.make("Isaac-Point-Eureka-v0", cfg=cfg).unwrapped
""",
}


@pytest.mark.process
@pytest.mark.parametrize(
    ("simulator", "task", "fields"), [("mjlab", "Mjlab-Novelty", TABLE), ("isaaclab", "Isaac-Point-v0", TABLE[:1])]
)
def test_a_reward_of_the_tables_terms_computes_them_in_the_package(
    simulator: str, task: str, fields: Sequence[FieldSpec], tmp_path: Path
) -> None:
    """Among them one that counts the steps of an episode: it begins anew with the episode, and counts once a step."""
    names = [field.name for field in fields]
    terms = [TableTerm(name.removeprefix("term_"), name, 3.0) for name in names]
    graph = table_graph("Point", terms, names)
    module = module_of(graph, fields)
    write_package(TermPackage(simulator, task, "g01-c00", graph, module, known=frozenset(names)), tmp_path / "out")
    program = f"""
import torch
{OPENED[simulator]}
env.reset()
generator = torch.Generator().manual_seed(0)
for _ in range(50):  # two whole episodes of 20 steps
    step = env.episode_length_buf + 1.0
    velocity = env.point.velocity + torch.randn(4, generator=generator) * 0.05
    position = env.point.position + velocity * 0.05
    push = (velocity - env.point.velocity) / 0.05
    _, reward, _, _, _ = env.step(push[:, None])
    wanted = 3.0 * torch.exp(-1.5 * position.abs()) + {len(names) - 1} * 3.0 / step
    assert torch.allclose(reward, 0.05 * wanted, atol=1e-5), (reward, 0.05 * wanted)
"""
    run_python(program, installed(tmp_path / "out", tmp_path / "site", simulator))


@pytest.mark.process
@pytest.mark.parametrize(("task", "scale"), [("Isaac-Point", 0.05), ("Isaac-Point-Direct", 1.0)])
def test_isaac_lab_in_both_workflows(task: str, scale: float, tmp_path: Path) -> None:
    """Against a stand-in with the same classes. The direct workflow scales nothing."""
    write_package(package("isaaclab", f"{task}-v0", reward_graph(6)), tmp_path / "out")
    found = installed(tmp_path / "out", tmp_path / "site", "isaaclab")
    program = f"""
import gymnasium, torch
from isaaclab.cli import load_external_tasks
load_external_tasks()
from isaaclab_tasks.utils import resolve_task_config
name = "{task}-Eureka-v0"
cfg, agent = resolve_task_config(name, "rsl_rl_cfg_entry_point")
cfg.scene.num_envs = 4
generator = torch.Generator().manual_seed(0)
env = gymnasium.make(name, cfg=cfg).unwrapped
env.reset()
FACTOR, SCALE = 2.0, {scale}
env.point.position[:] = 0.0
{STEPS}
"""
    run_python(program, found)
