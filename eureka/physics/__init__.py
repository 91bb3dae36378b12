"""Vectorised MuJoCo behind one protocol: `mujoco_c` on CPU threads."""

from eureka.physics.base import Simulator, Snapshot, WorldStates
from eureka.physics.mujoco_c import MujocoC

__all__ = ["MujocoC", "Simulator", "Snapshot", "WorldStates"]
