"""Registers the stand-in's tasks."""

from types import SimpleNamespace

import gymnasium
from isaaclab.managers import RewardTermCfg
from stand_in import PointCfg, RunnerCfg, reward_table


def point_cfg():
    return PointCfg(rewards=reward_table(RewardTermCfg))


def direct_cfg():
    return SimpleNamespace(scene=SimpleNamespace(num_envs=1), sim=SimpleNamespace(), dies_after=None)


def runner_cfg():
    return RunnerCfg()


for _name, _cfg, _env in (
    ("Point", "point_cfg", "ManagerBasedRLEnv"),
    ("Point-Direct", "direct_cfg", "PointDirectEnv"),
):
    gymnasium.register(
        id=f"Isaac-{_name}-v0",
        entry_point=f"isaaclab.envs:{_env}",
        disable_env_checker=True,
        kwargs={
            "env_cfg_entry_point": f"{__name__}:{_cfg}",
            "rsl_rl_cfg_entry_point": f"{__name__}:runner_cfg",
        },
    )
