"""Task folders that keep the contract, and what is said of those that do not."""

import shutil
from pathlib import Path

import pytest

from eureka.core.errors import TaskError
from eureka.tasks import find_tasks, load_task


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A user's own task folder: a copy of cartpole under another name."""
    return Path(shutil.copytree(find_tasks()["cartpole"], tmp_path / "balance"))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_finds_own_and_users_tasks(folder: Path) -> None:
    assert {"ant", "cartpole"} <= set(find_tasks())
    assert find_tasks([folder.parent])["balance"] == folder
    assert find_tasks([str(folder)])["balance"] == folder
    assert load_task("balance", [folder]).info.name == "balance"


def test_shown_source_hides_metric_and_human_reward() -> None:
    source = load_task("ant").shown_source
    for name in ("advance", "state", "observe", "terminated"):
        assert f"def {name}(" in source
    for hidden in ("def metric", "human_reward", "sparse", "progress per second"):
        assert hidden not in source


def test_unknown_task_suggests() -> None:
    with pytest.raises(TaskError, match=r"no task `antt`.*Did you mean `ant`"):
        load_task("antt")


def test_missing_directory(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="no such directory"):
        find_tasks([tmp_path / "nowhere"])


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (
            "task.yaml",
            "num_envs:",
            "randomisation: {factors: {body_mass: 2}}\nnum_envs:",
            "body_mass` must be a list",
        ),
        ("task.yaml", "num_envs:", "randomisation: {wind: 1}\nnum_envs:", "unknown key `randomisation.wind`"),
        ("task.yaml", "num_envs:", "randomisation: {push: {speed_m_s: 1.0}}\nnum_envs:", "every_s"),
        (
            "task.yaml",
            "num_envs:",
            "randomisation: {push: {speed_m_s: 1.0, every_s: 2.0}}\nnum_envs:",
            "needs a model whose first joint is free",
        ),
        ("env.py", "import torch", "import torch\n1 / 0", r"env\.py:\d+: it raised ZeroDivisionError"),
        ("env.py", "class Cartpole(Task):", "class Cartpole(Task:", r"env\.py:\d+: it raised SyntaxError"),
        (
            "env.py",
            "cart_velocity=sim.qvel[:, 0]",
            "cart_velocity=sim.qvel",
            r"State\.cart_velocity must have the shape",
        ),
        ("env.py", "sim.qvel[:, 0]", "sim.speed[:, 0]", r"env\.py:\d+: `state` asks MujocoC for `speed`"),
        (
            "env.py",
            "sim.qvel[:, 0]",
            'sim.output("qvel")[:, 0]',
            r'env\.py:\d+: `state` asks for sim\.output\("qvel"\), and task\.yaml has outputs: \[\]',
        ),
        (
            "env.py",
            "state.pole_angle,",
            "state.pole_angl,",
            r"env\.py:\d+: `\w+` asks State for `pole_angl`, .*did you mean `pole_angle`",
        ),
        ("env.py", "def observe", "def look", r"lacks observe"),
        ("env.py", "class Cartpole(Task):", "class Cartpole:", r"exactly one subclass"),
        (
            "env.py",
            "action: torch.Tensor = state_field(",
            "action: torch.Tensor = print(",
            r"State\.action must be made",
        ),
        (
            "task.yaml",
            "substeps: 2",
            "substeps: 2\n  njmax: 1.5",
            r"`physics\.njmax` must be a valid integer, not 1\.5",
        ),
        ("task.yaml", "num_envs: 16", "num_envs: 0", r"`num_envs` must be greater than 0, not 0"),
        ("task.yaml", "substeps: 2", "substeps: 0", r"`physics\.substeps` must be greater than 0, not 0"),
        ("task.yaml", "epochs: 4", "epochs: 0", r"`ppo\.epochs` must be greater than 0, not 0"),
        ("task.yaml", "epochs: 4", "epochs: 4\n  hidden: 5", r"`ppo\.hidden` must be a list, not 5"),
        ("task.yaml", "epochs: 4", "epochs: 4\n  hidden: []", r"`ppo\.hidden` must hold more items"),
        ("task.yaml", "gamma: 0.98", "gamma: 2.0", r"`ppo\.gamma` must be less than or equal to 1, not 2\.0"),
        ("task.yaml", "gamma: 0.98", "gamma: .nan", r"`ppo\.gamma` must be a finite number, not nan"),
        ("task.yaml", "minibatches: 4", "minibatches: 513", r"more than an update's 512 rows \(16 worlds x 32 steps\)"),
        (
            "task.yaml",
            "activation: relu",
            "activation: gelu",
            "must be 'elu', 'relu' or 'tanh', not 'gelu'",
        ),
        ("task.yaml", "quick:", "slow: many\n  quick:", r"`steps\.slow` must be a valid integer, not 'many'"),
        (
            "task.yaml",
            "num_envs:",
            "randomisation: {factors: [a]}\nnum_envs:",
            r"must be a mapping of keys to values",
        ),
        (
            "task.yaml",
            "num_envs:",
            "randomisation: {factors: {a: [1, .inf]}}\nnum_envs:",
            r"a\[1\]` must be a finite",
        ),
        ("task.yaml", "num_envs:", "randomisation: {factors: {a: [2, 1]}}\nnum_envs:", "must be one such as"),
        ("task.yaml", "num_envs:", "randomisation: {factors: {body_mass: [0, 1]}}\nnum_envs:", "must be above 0"),
        (
            "task.yaml",
            "num_envs:",
            "randomisation: {factors: {opt.timestep: [1, 2]}}\nnum_envs:",
            r"set `physics\.timestep_s` instead",
        ),
        ("task.yaml", "num_envs: 16", "num_envs: many", r"`num_envs` must be a valid integer, not 'many'"),
        (
            "task.yaml",
            "num_envs: 16",
            "worlds: 16",
            "unknown key `worlds`; known keys: camera, ",
        ),
        ("task.yaml", "num_envs: 16\n", "", "`num_envs` is missing"),
        (
            "task.yaml",
            "integrator: implicitfast",
            "integrator: magic",
            r"integrator` must be 'euler', 'rk4', 'implicit' or",
        ),
        (
            "task.yaml",
            "substeps:",
            "solver: magic\n  substeps:",
            "solver` must be 'pgs', 'cg' or 'newton', not 'magic'",
        ),
        ("task.yaml", "  timestep_s: 0.02\n", "", r"`physics\.timestep_s` is missing"),
        ("task.yaml", "gymnasium:inverted_pendulum.xml", "gymnasium:none.xml", "no such model file"),
        ("task.yaml", "gymnasium:inverted_pendulum.xml", "atari:pong.xml", "must be gymnasium:FILE"),
        ("task.yaml", "physics:", "physics: [", "not valid YAML"),
        ("task.yaml", "epochs: 4", "epoch: 4", r"unknown key `ppo\.epoch`"),
    ],
)
def test_what_is_wrong_is_said(folder: Path, file: str, old: str, new: str, said: str) -> None:
    edit(folder / file, old, new)
    with pytest.raises(TaskError, match=said):
        load_task("balance", [folder])


def test_own_model_file(folder: Path) -> None:
    model = "<mujoco><worldbody><body><joint type='slide'/><joint axis='0 1 0'/><geom size='.1'/></body></worldbody>"
    model += "<actuator><motor joint='j' ctrlrange='-1 1'/></actuator></mujoco>"
    (folder / "model.xml").write_text(model.replace("type='slide'/>", "type='slide' name='j'/>"))
    edit(folder / "task.yaml", "gymnasium:inverted_pendulum.xml", "model.xml")
    assert load_task("balance", [folder]).model.nq == 2
    (folder / "model.xml").write_text("<mujoco><nonsense/></mujoco>")
    with pytest.raises(TaskError, match="MuJoCo cannot compile"):
        load_task("balance", [folder])


def test_a_body_that_cannot_act_is_no_task(folder: Path) -> None:
    joints = "<joint type='slide'/><joint axis='0 1 0'/>"
    model = f"<mujoco><worldbody><body>{joints}<geom size='.1'/></body></worldbody></mujoco>"
    (folder / "model.xml").write_text(model)
    edit(folder / "task.yaml", "gymnasium:inverted_pendulum.xml", "model.xml")
    with pytest.raises(TaskError, match=r"task\.yaml: the model `model\.xml` has no actuators, .* add an <actuator>"):
        load_task("balance", [str(folder)])


def test_missing_env_file(folder: Path) -> None:
    (folder / "env.py").unlink()
    with pytest.raises(TaskError, match="missing; a task folder holds"):
        load_task("balance", [folder])


def test_a_task_remembers_in_a_carry_of_its_own(folder: Path) -> None:
    edit(folder / "env.py", "    def state(", "    def start(self, sim, rng):\n        return None\n\n    def state(")
    with pytest.raises(TaskError, match=r"env\.py: start must be a NoCarry, not NoneType"):
        load_task("balance", [folder.parent])


def test_every_world_has_a_carry(folder: Path) -> None:
    carry = "    @dataclass(frozen=True)\n    class Carry:\n        speed: torch.Tensor\n\n"
    edit(folder / "env.py", "    def reset(", f"{carry}    def reset(")
    edit(folder / "env.py", "(num, 2)))", "(num, 2)), self.Carry(torch.zeros(())))")
    with pytest.raises(TaskError, match=r"Carry\.speed must be a tensor with num_envs in front"):
        load_task("balance", [folder])
