"""Vectorised MuJoCo behind one protocol: `mujoco_c` on CPU threads, `mujoco_warp` on a CUDA device."""

from eureka.physics.base import OF_SENSORS, Simulator, Snapshot, WorldStates
from eureka.physics.engine import Engine
from eureka.physics.mujoco_c import MujocoC

__all__ = ["OF_SENSORS", "Engine", "MujocoC", "Simulator", "Snapshot", "WorldStates"]
