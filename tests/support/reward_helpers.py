"""State fields, recorded transitions and a stand-in for the sandbox, shared by the tests of rewards."""

from __future__ import annotations

import ast
import inspect
import sys
import types
from collections.abc import Callable

import torch

from eureka.core.types import Candidate, FieldSpec
from eureka.reward.extract.state_inputs import InputsError, state_inputs
from eureka.reward.trace.child import trace
from eureka.reward.trace.trial import trial
from eureka.sandbox import Failed, Finished

SHAPES: dict[str, tuple[int, ...]] = {
    "base_lin_vel": (3,),
    "base_ang_vel": (3,),
    "projected_gravity": (3,),
    "commands": (3,),
    "dof_pos": (12,),
    "dof_vel": (12,),
    "default_dof_pos": (12,),
    "torques": (12,),
    "actions": (12,),
    "last_actions": (12,),
    "contact_forces": (4, 3),
    "foot_height": (4,),
    "feet_air_time": (4,),
    "base_height": (),
    "up_proj": (),
    "heading": (),
    "potential": (),
    "prev_potential": (),
    "object_pos": (3,),
    "goal_pos": (3,),
    "ee_pos": (3,),
    "gripper_width": (),
    "object_rot": (4,),
    "goal_rot": (4,),
    "fingertip_pos": (5, 3),
    "success": (),
    "episode_length": (),
}
FIELDS = tuple(
    FieldSpec(
        name,
        shape,
        "bool" if name == "success" else "int64" if name == "episode_length" else "float32",
        "",
        "",
        "",
    )
    for name, shape in SHAPES.items()
)


def states(num_envs: int, seed: int = 0) -> dict[str, torch.Tensor]:
    """A batch of every field."""
    generator = torch.Generator().manual_seed(seed)
    batch = {}
    for field in FIELDS:
        value = torch.randn((num_envs, *field.shape), generator=generator)
        if field.name.endswith("rot"):
            value = value / value.norm(dim=-1, keepdim=True)
        if field.dtype == "bool":
            value = value < -0.5
        if field.dtype == "int64":
            value = (value.abs() * 600).long()
        batch[field.name] = value
    return batch


class InProcess:
    """Runs the target here: everything of the sandbox but the confinement."""

    def run(self, target: str, payload: bytes) -> Finished | Failed:
        return Finished(
            {"eureka.reward.trace.child:trace": trace, "eureka.reward.trace.trial:trial": trial}[target](payload), 0.0
        )


def candidate(source: str, name: str = "g01-c01") -> Candidate:
    """A candidate with what its `compute_reward` reads as inputs; `base_height` where that cannot be said."""
    inputs: tuple[str, ...] = ("base_height",)
    try:
        body = ast.parse(source).body
        function = next(n for n in body if isinstance(n, ast.FunctionDef) and n.name == "compute_reward")
        inputs = state_inputs(function, body, FIELDS)
    except (SyntaxError, StopIteration):
        pass
    except InputsError:
        inputs = tuple(a.arg for a in function.args.args)
    return Candidate(name, source, inputs)


def plain(source: str, state: dict[str, torch.Tensor]) -> Callable[[], tuple[torch.Tensor, dict[str, torch.Tensor]]]:
    """The source's own function as plain Python, to be called on `state`; its results have the form of a reward's."""
    module = types.ModuleType("plain_reward")
    sys.modules[module.__name__] = module
    module.__dict__["print"] = lambda *_: None
    exec(compile(source.replace("@torch.jit.script\n", ""), "<plain>", "exec"), module.__dict__)
    function = module.__dict__["compute_reward"]
    given = {n: state[n] for n in candidate(source).inputs}
    parameters = inspect.signature(function).parameters
    if "self" in parameters:
        this = types.SimpleNamespace(**given, num_envs=len(state["up_proj"]), device=torch.device("cpu"))
        for name, value in module.__dict__.items():
            if isinstance(value, types.FunctionType):
                setattr(this, name, types.MethodType(value, this))
        given = {"self": this} | {n: v for n, v in given.items() if n in parameters}

    def call() -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        total, parts = function(**given)
        return total.float(), {name: torch.as_tensor(part).float().expand(total.shape) for name, part in parts.items()}

    return call


def eager(source: str, state: dict[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """What `plain` gives, on a copy of `state`."""
    with torch.no_grad():
        return plain(source, {name: value.clone() for name, value in state.items()})()
