"""Isaac Lab's configurations of its cartpole, with the robot of `cartpole.usda`."""

from pathlib import Path

from isaaclab.utils import configclass
from isaaclab_tasks.core.cartpole import cartpole_direct_env_cfg
from isaaclab_tasks.core.cartpole.cartpole_manager_env_cfg import CartpoleEnvCfg

ROBOT = str(Path(__file__).parent / "cartpole.usda")

# The ground's material is a file on NVIDIA's servers; nothing touches it.


@configclass
class HandmadeCartpoleCfg(CartpoleEnvCfg):
    def __post_init__(self):
        super().__post_init__()
        self.scene.ground = None
        self.scene.robot.spawn.usd_path = ROBOT


@configclass
class HandmadeCartpoleDirectCfg(cartpole_direct_env_cfg.CartpoleEnvCfg):
    def __post_init__(self):
        super().__post_init__()
        self.scene.ground = None
        self.scene.cartpole.spawn.usd_path = ROBOT
