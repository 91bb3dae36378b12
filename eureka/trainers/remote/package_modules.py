"""The modules of a package of reward terms, with `@WORDS@` in place of what differs from package to package."""

from __future__ import annotations

_SHARED = '''
TASK = @TASK@
NEW_TASK = @NEW_TASK@
OWN_STATE = @OWN@
# Whether the reward reads terms of the task's own reward table.
READS_TABLE = @READS_TABLE@

# The task may be of another package, which registers it in the same way as this one.
for _entry_point in entry_points(group=@GROUP@):
    if TASK not in @KNOWN@ and _entry_point.value != __name__:
        _entry_point.load()

# The terms of the reward manager, and the component that each hands to it.
TERMS = {
@TERMS@}


def shared_reward(env):
    """The reward of an environment, computed once in a step."""
    if "eureka_reward" not in vars(env):
        table = None
        if READS_TABLE:
            table = TableTerms(type(env.reward_manager)(own_cfg().rewards, env), env)
        reader = ManagerStateReader(env, QUATERNIONS, OWN_STATE, table)
        env.eureka_reward = SharedReward(reward.compute_reward_from_state, reward.INPUTS, reader.read, table)
    return env.eureka_reward


def reset_reward(env, env_ids):
    """Tell the reward which episodes begin anew."""
    if "eureka_reward" in vars(env):
        env.eureka_reward.reset(env_ids)


def use_reward(cfg):
    """The configuration with this reward in place of its reward table, and without curricula of the table's terms."""
    rewards = cfg.rewards if isinstance(cfg.rewards, dict) else vars(cfg.rewards)
    for name in without_curricula_of(tuple(rewards), cfg.curriculum):
        if isinstance(cfg.curriculum, dict):
            del cfg.curriculum[name]
        else:
            setattr(cfg.curriculum, name, None)
    cfg.rewards = {
        term: RewardTermCfg(func=Component, weight=1.0, params={"component": component})
        for term, component in TERMS.items()
    }
    return cfg
'''

MJLAB_MODULE = (
    '''"""Registers @NEW_TASK@: @TASK@ with a reward that Eureka found."""

from importlib.metadata import entry_points
from pathlib import Path

import mjlab.tasks  # registers the tasks that mjlab brings along
from mjlab.managers.reward_manager import RewardTermCfg
from mjlab.tasks.registry import list_tasks, load_env_cfg, load_rl_cfg, load_runner_cls, register_mjlab_task

from . import reward
from .reward_terms import SharedReward, TableTerms, without_curricula_of
from .state import ManagerStateReader

QUATERNIONS = "wxyz"
'''
    + _SHARED
    + '''

class Component:
    """A term: one component of the reward."""

    def __init__(self, cfg, env):
        self._env = env

    def __call__(self, env, component):
        return shared_reward(env).component(env, component)

    def reset(self, env_ids=None):
        reset_reward(self._env, env_ids)


def own_cfg():
    """The configuration of the task with its own reward table."""
    return load_env_cfg(TASK)


_runner = load_rl_cfg(TASK)
_runner.experiment_name = f"{_runner.experiment_name}_eureka"
register_mjlab_task(
    task_id=NEW_TASK,
    env_cfg=use_reward(load_env_cfg(TASK)),
    play_env_cfg=use_reward(load_env_cfg(TASK, play=True)),
    rl_cfg=_runner,
    runner_cls=load_runner_cls(TASK),
)
'''
)

_ISAACLAB_IMPORT = """\
    from isaaclab.managers import RewardTermCfg

    from .terms import Component

    cfg.rewards = {
"""

ISAACLAB_TERMS = '''"""The term of Isaac Lab's reward manager."""

from isaaclab.managers import ManagerTermBase

from . import reset_reward, shared_reward


class Component(ManagerTermBase):
    """One component of the reward."""

    def __call__(self, env, component):
        return shared_reward(env).component(env, component)

    def reset(self, env_ids=None):
        reset_reward(self._env, env_ids)
'''

ISAACLAB_MODULE = (
    '''"""Registers @NEW_TASK@: @TASK@ with a reward that Eureka found."""

import copy
from importlib import import_module
from importlib.metadata import entry_points, version
from pathlib import Path

import gymnasium
import isaaclab_tasks  # registers the tasks that Isaac Lab brings along

from . import reward
from .reward_terms import SharedReward, TableTerms, without_curricula_of
from .state import ManagerStateReader

# Isaac Lab 3 has quaternions as x y z w; earlier versions as w x y z.
QUATERNIONS = "xyzw" if int(version("isaaclab").split(".")[0]) >= 3 else "wxyz"
'''
    + _SHARED.replace("    cfg.rewards = {\n", _ISAACLAB_IMPORT)
    + '''

class RewardMixin:
    """For environments of the direct workflow: the total in place of what `_get_rewards` gives. No scaling by dt."""

    def _get_rewards(self):
        shared = shared_reward(self)
        values = {component: shared.component(self, component) for component in (*TERMS.values(), "rest")}
        log = self.extras.setdefault("log", {})
        log.update({f"Reward/{component}": value.mean() for component, value in values.items()})
        return sum(values.values())


def _object(path):
    """What `module:name` names."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


def own_cfg():
    """The configuration of the task with its own reward table."""
    entry = gymnasium.spec(TASK).kwargs["env_cfg_entry_point"]
    made = _object(entry) if isinstance(entry, str) else entry
    return made() if callable(made) else copy.deepcopy(made)


def env_cfg():
    """The configuration of the task, with this reward where it has a reward table."""
    cfg = own_cfg()
    return use_reward(cfg) if hasattr(cfg, "rewards") else cfg


def environment(cfg, **options):
    """The task's environment; of the direct workflow with the mixin in front of its class."""
    entry = gymnasium.spec(TASK).entry_point
    original = _object(entry) if isinstance(entry, str) else entry
    if not hasattr(cfg, "rewards"):
        original = type(original.__name__, (RewardMixin, original), {})
    return original(cfg=cfg, **options)


_options = dict(gymnasium.spec(TASK).kwargs)
_options["env_cfg_entry_point"] = f"{__name__}:env_cfg"
gymnasium.register(id=NEW_TASK, entry_point=f"{__name__}:environment", disable_env_checker=True, kwargs=_options)
'''
)

MANISKILL_MODULE = '''"""Registers @NEW_TASK@: @TASK@ with a reward that Eureka found.

After this package is imported, `gymnasium.make` knows it.
"""

from pathlib import Path

import mani_skill.envs  # registers the tasks that ManiSkill brings along
from mani_skill.utils.registration import REGISTERED_ENVS, register_env

from . import reward
from .maniskill_view import ManiSkillView
from .reward_terms import SharedReward
from .state import ManagerStateReader

TASK = @TASK@
NEW_TASK = @NEW_TASK@
OWN_STATE = @OWN@
# Whether the reward reads the task's own reward.
READS_TABLE = @READS_TABLE@

# The components by name, and "rest" where they do not add up to the total.
TERMS = {
@TERMS@}

_original = REGISTERED_ENVS[TASK]


class EurekaEnv(_original.cls):
    """The task with this reward, in every reward mode; `info["reward_components"]` has its components."""

    def _eureka(self):
        if "_eureka_reward" not in vars(self):
            view = ManiSkillView(self)
            reader = ManagerStateReader(view, "wxyz", OWN_STATE, view if READS_TABLE else None)
            shared = SharedReward(reward.compute_reward_from_state, reward.INPUTS, reader.read)
            self._eureka_reward = view, shared
        return self._eureka_reward

    def get_reward(self, obs, action, info):
        own = super().get_reward(obs=obs, action=action, info=info) if READS_TABLE else None
        view, shared = self._eureka()
        view.stepped(action, info, own)
        parts = {term: shared.component(view, component) for term, component in TERMS.items()}
        info["reward_components"] = parts
        return sum(parts.values())

    def reset(self, seed=None, options=None):
        begun = super().reset(seed=seed, options=options)
        if "_eureka_reward" in vars(self):
            self._eureka()[0].started((options or {}).get("env_idx"))
        return begun


register_env(
    NEW_TASK,
    max_episode_steps=_original.max_episode_steps,
    asset_download_ids=list(_original.asset_download_ids or []),
    **_original.default_kwargs,
)(EurekaEnv)
'''
