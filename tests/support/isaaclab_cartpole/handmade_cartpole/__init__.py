"""Isaac Lab tasks that need no file from the network: its cartpoles of both workflows, with a robot of our own and no
ground.
"""

import gymnasium

gymnasium.register(
    id="Handmade-Cartpole-v0",
    entry_point="isaaclab.envs:ManagerBasedRLEnv",
    disable_env_checker=True,
    kwargs={
        "env_cfg_entry_point": f"{__name__}.configuration:HandmadeCartpoleCfg",
        "rsl_rl_cfg_entry_point": "isaaclab_tasks.core.cartpole.agents.rsl_rl_ppo_cfg:CartpolePPORunnerCfg",
    },
)

gymnasium.register(
    id="Handmade-Cartpole-Direct-v0",
    entry_point="isaaclab_tasks.core.cartpole.cartpole_direct_env:CartpoleEnv",
    disable_env_checker=True,
    kwargs={
        "env_cfg_entry_point": f"{__name__}.configuration:HandmadeCartpoleDirectCfg",
        "rsl_rl_cfg_entry_point": "isaaclab_tasks.core.cartpole.agents.rsl_rl_ppo_cfg:CartpoleDirectPPORunnerCfg",
    },
)
