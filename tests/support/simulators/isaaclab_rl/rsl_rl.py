"""rsl_rl."""

from dataclasses import asdict

from rsl_rl.runners import OnPolicyRunner
from stand_in import vec_env


def RslRlVecEnvWrapper(env, clip_actions=None):
    return vec_env(env)


def handle_deprecated_rsl_rl_cfg(agent_cfg, installed_version):
    return agent_cfg


def create_rsl_rl_runner(env, agent_cfg, log_dir=None):
    return OnPolicyRunner(env, asdict(agent_cfg), log_dir=log_dir, device=agent_cfg.device)
