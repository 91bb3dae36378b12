"""What prompts tell of a model beyond its source."""

import mujoco

from eureka.tasks.ppo import PPOConfig
from eureka.trainers.population.facts import physical_facts

MODEL = """
<mujoco>
  <option gravity="0 0 -3" timestep="0.01"/>
  <worldbody>
    <body name="cart">
      <joint name="rail" type="slide" limited="true" range="-2 2"/>
      <geom type="box" size=".1 .1 .1" mass="1.5"/>
      <body name="pole"><joint name="turn" type="hinge"/><geom type="box" size=".1 .1 .1" mass="0.5"/></body>
    </body>
  </worldbody>
  <actuator>
    <motor joint="rail" gear="20" ctrllimited="true" ctrlrange="-1 1"/>
    <position name="servo" joint="turn" kp="7"/>
  </actuator>
</mujoco>
"""


def test_sentences_by_hand() -> None:
    facts = physical_facts(mujoco.MjModel.from_xml_string(MODEL), PPOConfig(gamma=0.5, horizon=16), 0.02)
    assert facts == (
        "Gravity is (0, 0, -3) m/s². The physics takes 2 steps of 0.01 s in a control step.",
        "Masses in kg: cart 1.5, pole 0.5; 2 together.",
        "Joints in the order of qpos: rail (slide, -2 to 2 m), turn (hinge).",
        "Actuators in their order: rail (gear 20, control -1 to 1), servo (gear 1, a servo of gain 7).",
        "The trainer is PPO with a discount of 0.5 per control step: a reward 1 control steps ahead (0.02 s) counts "
        "half. It updates the policy after every 16 control steps of each environment.",
    )
