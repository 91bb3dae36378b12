"""rsl_rl."""

from rsl_rl.runners import OnPolicyRunner
from stand_in import vec_env


def RslRlVecEnvWrapper(env, clip_actions=None):
    """The environment for rsl_rl."""
    return vec_env(env)


class MjlabOnPolicyRunner(OnPolicyRunner):
    """The runner."""
