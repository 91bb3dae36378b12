"""Isaac Lab's configuration of its cartpole, with the robot of `cartpole.usda`."""

from pathlib import Path

from isaaclab.utils import configclass
from isaaclab_tasks.core.cartpole.cartpole_manager_env_cfg import CartpoleEnvCfg


@configclass
class HandmadeCartpoleCfg(CartpoleEnvCfg):
    def __post_init__(self):
        super().__post_init__()
        # The ground's material is a file on NVIDIA's servers; nothing touches it.
        self.scene.ground = None
        self.scene.robot.spawn.usd_path = str(Path(__file__).parent / "cartpole.usda")
