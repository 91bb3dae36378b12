"""Registers the stand-in's tasks."""

from types import SimpleNamespace

from stand_in import Novelty, PointCfg, RunnerCfg, TermCfg, at_rest, reward_table

from mjlab.managers.reward_manager import RewardTermCfg
from mjlab.tasks.registry import register_mjlab_task

_POINT = PointCfg(rewards=reward_table(RewardTermCfg), metrics={"at_rest": TermCfg(at_rest, reduce="mean")})
_VELOCITY = PointCfg(
    rewards=reward_table(RewardTermCfg),
    commands={"twist": SimpleNamespace()},
    curriculum={
        "less_effort": SimpleNamespace(params={"reward_name": "effort"}),
        "harder": SimpleNamespace(params={"command_name": "twist"}),
    },
)
_NOVELTY = PointCfg(rewards={**reward_table(RewardTermCfg), "novelty": RewardTermCfg(func=Novelty, weight=0.5)})
_DYING = PointCfg(rewards=reward_table(RewardTermCfg), dies_after=45)


class _Files(PointCfg):
    """A task whose files would have to be fetched."""

    error = ConnectionError("connection to the assets' server refused")

    @property
    def episode_length_s(self):
        raise self.error

    @episode_length_s.setter
    def episode_length_s(self, value):
        pass


class _Device(_Files):
    """A task whose simulator wants a GPU."""

    error = RuntimeError("Found no NVIDIA driver on your system")


_TASKS = {
    "Point": _POINT,
    "Velocity": _VELOCITY,
    "Novelty": _NOVELTY,
    "Dying": _DYING,
    "Fetched": _Files(),
    "Device": _Device(),
}
for _name, _cfg in _TASKS.items():
    register_mjlab_task(f"Mjlab-{_name}", _cfg, _cfg, RunnerCfg())
