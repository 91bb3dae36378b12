"""Writes the files of a new task folder from a MuJoCo model: `eureka init NAME --xml FILE` and `--from-env ID`."""

from __future__ import annotations

import shutil
import textwrap
import warnings
from dataclasses import dataclass
from pathlib import Path

import mujoco
import yaml

from eureka.core.errors import TaskError
from eureka.core.text import class_name
from eureka.tasks.loading import load_task
from eureka.tasks.model_fields import ModelField, fields_of_model, goal_of_model

_CONTROL_STEP_S = 0.02
"""Approximate length of a control step in seconds, if the number of the model's steps is not given."""
_INTEGRATORS = {
    mujoco.mjtIntegrator.mjINT_EULER: "euler",
    mujoco.mjtIntegrator.mjINT_RK4: "rk4",
    mujoco.mjtIntegrator.mjINT_IMPLICIT: "implicit",
    mujoco.mjtIntegrator.mjINT_IMPLICITFAST: "implicitfast",
}
_ASSETS = "assets"
_IMPORTED = frozenset({"Metric", "Reset", "Task"})
"""Classes that env.py imports, whose names a task must not have."""


@dataclass(frozen=True)
class TaskSource:
    """The source of a task folder.

    Attributes:
        path: the model's file.
        model: what task.yaml says in its place, such as `gymnasium:hopper.xml`; empty: it is copied.
        sentence: what a policy should do; empty: a sentence is made for the metric.
        substeps: of the model's time step in a control step; None: so many that it lasts about 0.02 s.
        episode_steps: the time limit, in control steps.
        gymnasium_id: the environment with this body, where there is one.
    """

    path: Path
    model: str = ""
    sentence: str = ""
    substeps: int | None = None
    episode_steps: int = 500
    gymnasium_id: str | None = None


@dataclass(frozen=True)
class WrittenTask:
    """The written task, and information for the user: the sentence, the State's names, and the metric in words."""

    sentence: str
    fields: tuple[str, ...]
    metric: str


def write_task(folder: Path, source: TaskSource) -> WrittenTask:
    """Write a task folder with a State of the model's joints, bodies, sites and sensors, and load it once.

    Raises:
        TaskError: the folder exists already, or the model cannot be read or has nothing that a policy could move.
    """
    spec, model = read_model(source.path)
    fields, goal = fields_of_model(model), goal_of_model(model)
    sentence = source.sentence or goal.sentence
    try:
        folder.mkdir(parents=True)
    except FileExistsError as error:
        raise TaskError(f"{folder}: there is such a folder already; give another name, or remove it") from error
    except OSError as error:
        raise TaskError(f"{folder}: the folder cannot be made: {error.strerror}") from error
    try:
        named = source.model or _copied(spec, source.path, folder)
        (folder / "task.yaml").write_text(_task_yaml(source, named, sentence, model, fields), encoding="utf-8")
        (folder / "env.py").write_text(_env_py(folder.name, source, spec, model), encoding="utf-8")
        load_task(folder.name, [folder])
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        where = f"{error.filename}: " if error.filename else ""
        raise TaskError(f"{folder}: the task cannot be written: {where}{error.strerror}") from error
    except (ValueError, mujoco.FatalError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise TaskError(f"{folder}: the task cannot be written: {' '.join(str(error).split())}") from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return WrittenTask(sentence, tuple(field.name for field in fields), goal.metric)


def read_model(path: Path) -> tuple[mujoco.MjSpec, mujoco.MjModel]:
    """A model's file, and the compiled model.

    Raises:
        TaskError: the file is not a model, or it has no joints or no actuators.
    """
    if not path.is_file():
        raise TaskError(f"{path}: there is no such file")
    if path.suffix == ".urdf":
        raise TaskError(
            f"{path}: a URDF has no actuators, which a policy acts with: save it as MJCF (MuJoCo's `compile` does it), "
            "add an <actuator> to that, and give the MJCF"
        )
    try:
        spec = mujoco.MjSpec.from_file(str(path))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is about to be dropped, see `_extend_model`
            model = spec.compile()
    except ValueError as error:
        raise TaskError(f"{path}: MuJoCo cannot read the model: {' '.join(str(error).split())}") from error
    if not model.njnt:
        raise TaskError(f"{path}: the model has no joints, so nothing in it can move")
    if not model.nu:
        joints = [model.joint(index).name for index in range(model.njnt)]
        example = next(filter(None, joints), "NAME")
        raise TaskError(
            f"{path}: the model has no actuators, so a policy has nothing to act with: add them, such as "
            f'<actuator><motor joint="{example}" ctrlrange="-1 1"/></actuator>'
        )
    return spec, model


def _copied(spec: mujoco.MjSpec, path: Path, folder: Path) -> str:
    """Copy the model with its meshes, textures and height fields; returns the name of its file."""
    parts = [(part, spec.meshdir) for part in (*spec.meshes, *spec.hfields)]
    parts += [(part, spec.texturedir) for part in spec.textures]
    named = [(part, Path(below) / part.file) for part, below in parts if part.file]
    beyond = [texture for texture in spec.textures if any(texture.cubefiles)] or list(spec.skins)
    if beyond or spec.strippath:
        what = "textures of six files or skins" if beyond else "paths that MuJoCo strips"
        raise TaskError(f"{path}: it has {what}, which are not copied: take these out of the model first")
    if not named and "<include" not in path.read_text(encoding="utf-8", errors="replace"):
        shutil.copyfile(path, folder / f"model{path.suffix}")
        return f"model{path.suffix}"
    for number, (part, file) in enumerate(named):
        target = Path(f"{number}_{file.name}")
        (folder / _ASSETS).mkdir(exist_ok=True)
        shutil.copyfile(path.parent / file, folder / _ASSETS / target)
        part.file = str(target)
    spec.meshdir = spec.texturedir = _ASSETS
    spec.modelfiledir = str(folder)
    (folder / "model.xml").write_text(spec.to_xml(), encoding="utf-8")
    return "model.xml"


def _task_yaml(
    source: TaskSource, named: str, sentence: str, model: mujoco.MjModel, fields: tuple[ModelField, ...]
) -> str:
    timestep = float(model.opt.timestep)
    substeps = source.substeps or max(1, round(_CONTROL_STEP_S / timestep))
    outputs = sorted({field.output for field in fields if field.output})
    values = {
        "description": sentence,
        "model": named,
        **({"gymnasium_id": source.gymnasium_id} if source.gymnasium_id else {}),
        "max_episode_steps": source.episode_steps,
        "physics": {
            "integrator": _INTEGRATORS[mujoco.mjtIntegrator(model.opt.integrator)],
            "timestep_s": timestep,
            "substeps": substeps,
        },
        **({"outputs": outputs} if outputs else {}),
        "num_envs": 16,
        "steps": {"quick": 200_000, "standard": 1_000_000},
        "ppo": {"hidden": [64, 64], "horizon": 64, "epochs": 5, "minibatches": 4, "learning_rate": 5e-4, "gamma": 0.99},
    }
    return (
        "# What a language model is told to achieve (description), how the model is stepped, and how long to train:\n"
        "# the keys are in docs/adding-a-task.md. Say in `description` what you want.\n"
        + yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=100)
    )


def _env_py(name: str, source: TaskSource, spec: mujoco.MjSpec, model: mujoco.MjModel) -> str:
    fields, goal = fields_of_model(model), goal_of_model(model)
    observed = [field.observed for field in fields if field.observed]
    written = [f"{field.name}={field.read}," for field in fields]
    return _ENV_PY.format(
        name=name,
        file=_quoted(source.gymnasium_id or source.path.name).strip('"'),
        class_name=class_name(name, "Task", _IMPORTED),
        fields=textwrap.indent("\n".join(map(_declared, fields)), " " * 8),
        spread=_spread(model),
        home="self.model.key_qpos[0]" if model.nkey else "self.model.qpos0",
        home_words="the first keyframe" if model.nkey else "the model's own positions",
        outputs=_outputs(fields),
        state=textwrap.indent("\n".join(written), " " * 12),
        observed=textwrap.indent("\n".join(f"{each}," for each in observed), " " * 12),
        value=goal.value,
        unit=goal.unit,
        metric=goal.metric,
        imports=_SET_TOTAL_MASS if spec.compiler.settotalmass > 0 else "",
        extend=_extend_model(spec, model),
    )


def _declared(field: ModelField) -> str:
    line = (
        f'{field.name}: torch.Tensor = state_field({field.shape}, "{field.unit}", "{field.frame}", '
        f"{_quoted(field.description)})"
    )
    if len(line) <= 110:
        return line
    return (
        f'{field.name}: torch.Tensor = state_field(\n    {field.shape}, "{field.unit}", "{field.frame}",\n'
        f"    {_quoted(field.description)},\n)"
    )


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', "'") + '"'


def _outputs(fields: tuple[ModelField, ...]) -> str:
    names = sorted({field.output for field in fields if field.output})
    return "".join(f'        {name} = sim.output("{name}")\n' for name in names)


def _spread(model: mujoco.MjModel) -> str:
    """The range of start states around the home position, for each number of qpos: only hinge and slide joints are
    varied.
    """
    spread = [0.0] * model.nq
    for index in range(model.njnt):
        if int(model.jnt_type[index]) in (mujoco.mjtJoint.mjJNT_HINGE, mujoco.mjtJoint.mjJNT_SLIDE):
            spread[int(model.jnt_qposadr[index])] = 0.02
    return "[" + ", ".join(map(str, spread)) + "]"


def _extend_model(spec: mujoco.MjSpec, model: mujoco.MjModel) -> str:
    """The source of `extend_model`, if the model's file needs it; ends with an empty line."""
    low, high = model.actuator_ctrlrange.T
    lines = []
    if spec.compiler.settotalmass > 0:
        lines += ["set_total_mass(spec)  # by an attribute of the file which MuJoCo is about to drop"]
    if (low >= high).any():
        lines += [
            "for actuator in spec.actuators:  # -1 to 1 where the file gives no range",
            "    if actuator.ctrlrange[0] >= actuator.ctrlrange[1]:",
            "        actuator.ctrlrange = (-1, 1)",
        ]
    if not lines:
        return ""
    return "    def extend_model(self, spec):\n" + textwrap.indent("\n".join(lines), " " * 8) + "\n\n"


_SET_TOTAL_MASS = "from eureka.tasks.shared.locomotion import set_total_mass\n"
_ENV_PY = '''"""The task {name}, as `eureka init` wrote it from {file}. It is yours to change: docs/adding-a-task.md.

It runs as it is. Look at three things first: what the policy should do (`description` in task.yaml), what judges it
(`metric`), and what a reward may read (`State`).
"""

from dataclasses import dataclass

import torch

from eureka.tasks import Metric, Reset, Task, state_field
{imports}


class {class_name}(Task):
    """Episodes start near {home_words}, and none ends before the time limit."""

    @dataclass(frozen=True)
    class State:
        """What a reward may read after a control step."""

{fields}

{extend}    def reset(self, rng, num):
        spread = torch.tensor({spread})
        qpos = torch.from_numpy({home}) + spread * rng.uniform(-1, 1, (num, self.model.nq))
        return Reset(qpos, rng.uniform(-0.02, 0.02, (num, self.model.nv)))

    def state(self, sim, carry, action):
{outputs}        return self.State(
{state}
        )

    def observe(self, state):
        """What the policy sees: (num_envs, numbers)."""
        parts = (
{observed}
        )
        return torch.cat(parts, dim=1)

    def terminated(self, state):
        """Episodes that end here, such as those in which it has fallen: (num_envs,) bool. None does yet."""
        return torch.zeros(len(state.action), dtype=torch.bool, device=state.action.device)

    @property
    def metric(self):
        """What judges a policy. A language model never sees it."""
        return Metric(
            value=self.sparse_reward,
            reduce="mean",
            unit="{unit}",
            description="{metric}",
        )

    def sparse_reward(self, state):
        """The metric of a control step."""
        return {value}

    def human_reward(self, state):
        """The reward that you would write: what a search is compared with."""
        components = {{"task": self.sparse_reward(state), "effort": -0.01 * state.action.square().sum(dim=1)}}
        return components["task"] + components["effort"], components
'''
