# source: JiaheXu/Eureka (GPT-4 ShadowHand run): the code that is run begins with from isaacgym.torch_utils import *
# expect: accept
from isaacgym.torch_utils import *
import torch

def compute_reward(forward_velocity, action):
    forward = forward_velocity
    return forward, {"forward": forward}
