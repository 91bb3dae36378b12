"""What prompts tell of a model beyond its source."""

import mujoco

from eureka.tasks.ppo import PPOConfig
from eureka.trainers.population.facts import physical_facts

MODEL = """
<mujoco>
  <option gravity="0 0 -3" timestep="0.01"/>
  <worldbody>
    <body name="cart">
      <joint name="rail" type="slide" axis="1 0 0" limited="true" range="-2 2" damping="0.3"/>
      <geom type="box" size=".1 .1 .1" mass="1.5"/>
      <body name="pole" pos="0 0 .1">
        <joint name="turn" type="hinge" axis="0 -1 0" pos="0 0 -.3" armature="0.02" stiffness="4"/>
        <geom type="capsule" size=".05 .3" mass="0.5"/>
      </body>
    </body>
  </worldbody>
  <equality>
    <connect body1="pole" anchor="0 0 .5"/><weld body1="pole" body2="cart"/><weld body1="cart" active="false"/>
  </equality>
  <actuator>
    <motor joint="rail" gear="20" ctrllimited="true" ctrlrange="-1 1"/>
    <position name="servo" joint="turn" kp="7" kv="0.5"/>
  </actuator>
</mujoco>
"""


def test_sentences_by_hand() -> None:
    # The pole is a cylinder of 0.45 kg and two half balls of 0.025 kg each. Across its axis that is
    # 0.45 (0.6² / 12 + 0.05² / 4) + 0.05 (2/5 0.05² + 0.6² / 4 + 3/8 0.6 0.05) = 0.018894 kg m²,
    # and around it 0.45 0.05² / 2 + 0.05 2/5 0.05² = 0.0006125 kg m².
    facts = physical_facts(
        mujoco.MjModel.from_xml_string(MODEL), PPOConfig(gamma=0.5, horizon=16, initial_std=0.25), 0.02, 8
    )
    assert facts == (
        "Gravity is (0, 0, -3) m/s². The physics takes 2 steps of 0.01 s in a control step.",
        "Bodies, with shapes in the body's own frame: cart (1.5 kg, box of 0.2 x 0.2 x 0.2 m); "
        "pole (0.5 kg, principal inertia (0.0189, 0.0189, "
        "0.000613) kg m² about its centre of mass, (0, 0, 0), capsule of radius 0.05 m from (0, 0, -0.3) to "
        "(0, 0, 0.3), at (0, 0, 0.1) in cart); 2 kg together.",
        "Joints in the order of qpos, axes and places in the frame of the joint's body: rail (slide of cart along x, "
        "-2 to 2 m, damping 0.3), turn (hinge of pole about -y at (0, 0, -0.3), armature 0.02, spring 4).",
        "Constraints: pole pinned to the world at (0, 0, 0.5) in pole, pole welded to cart.",
        "Actuators in their order: rail (gear 20, control -1 to 1), servo (gear 1, a servo of gain 7 and damping 0.5).",
        "The trainer is PPO with a discount of 0.5 per control step: a reward 1 control step ahead (0.02 s) counts "
        "half. It updates the policy after every 16 control steps of each of 8 environments. The noise of "
        "its actions has a standard deviation of 0.25 at the start; in evaluations there is none. Actions are clipped "
        "to -1 to 1 before they are applied and enter the State. Observations are normalised by their running mean "
        "and spread. Rewards are divided by the spread of the discounted return, so that a common positive factor "
        "changes nothing. After an early end nothing more is earned; at the limit of steps, the value of the last "
        "state stands for what would follow.",
    )


def test_a_body_is_placed_and_turned_in_its_parent() -> None:
    # A quarter turn about x takes the capsule's z axis to -y; the box stands aside.
    model = mujoco.MjModel.from_xml_string(
        """
        <mujoco><worldbody><body name="post" pos="0 0 2"><geom type="sphere" size=".1"/></body>
          <body name="base" pos="0 0 1"><freejoint/><geom type="sphere" size=".1"/>
          <body name="arm" pos="0 0 1" euler="0 0 90">
            <joint name="elbow" type="hinge" axis="1 1 0"/>
            <geom type="capsule" size=".1 .5" euler="90 0 0" pos="0 1 0"/>
            <geom type="box" size="1 2 3" pos="2 0 0" euler="90 0 0"/>
          </body>
        </body></worldbody></mujoco>
        """
    )
    facts = physical_facts(model, PPOConfig(), 0.02, 8)
    assert "capsule of radius 0.1 m from (0, 1.5, 0) to (0, 0.5, 0), box of 2 x 4 x 6 m" in facts[1]
    assert "box of 2 x 4 x 6 m at (2, 0, 0), turned by 1.57 rad about x" in facts[1]
    assert "at (0, 0, 1) in base, turned by 1.57 rad about z)" in facts[1]
    assert "post (4.19 kg, sphere of radius 0.1 m, at (0, 0, 2) in the world)" in facts[1]
    assert "in the world" not in facts[1].split("base (")[1]  # its place is in qpos
    assert "elbow (hinge of arm about (0.707, 0.707, 0))" in facts[2]


def test_one_physics_step_and_no_discount() -> None:
    model = mujoco.MjModel.from_xml_string(MODEL)
    facts = physical_facts(model, PPOConfig(gamma=1.0), 0.01, 8)
    assert facts[0].endswith("The physics takes 1 step of 0.01 s in a control step.")
    assert facts[-1].startswith("The trainer is PPO with a discount of 1 per control step. It updates ")


def test_a_model_of_many_bodies_is_told_by_its_masses() -> None:
    body = "<body name='b{0}'><freejoint/><geom type='sphere' size='.1' mass='2'/></body>"
    bodies = "".join(body.format(number) for number in range(17))
    model = mujoco.MjModel.from_xml_string(f"<mujoco><worldbody>{bodies}</worldbody></mujoco>")
    facts = physical_facts(model, PPOConfig(), 0.02, 8)
    assert facts[1].startswith("Masses in kg: b0 2, b1 2, ")
    assert facts[1].endswith("; 34 together.")
