"""MuJoCo environments of Gymnasium as task folders, and one sentence for each that cannot be one."""

from __future__ import annotations

from pathlib import Path

import gymnasium
import pytest
import torch
from gymnasium.envs.mujoco.hopper_v5 import HopperEnv

from eureka.app.cli import main
from eureka.core.errors import ConfigError
from eureka.physics import MujocoC
from eureka.tasks import load_task
from eureka.trainers.gymnasium.as_task import task_source

HERE = __name__


class PushedHopper(HopperEnv):
    """Its own Python takes part in the physics."""

    def do_simulation(self, ctrl, n_frames):
        self.data.xfrc_applied[1, 0] = 1.0
        super().do_simulation(ctrl, n_frames)


def test_a_task_steps_as_the_environment_that_it_was_written_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["init", "hop", "--from-env", "Hopper-v5"])
    assert not ended.value.code
    said = " ".join(capsys.readouterr().out.split())
    assert "metric, to be confirmed: speed of the body along +x of the world" in said
    assert "look it over, then: eureka run task=hop --task-dir hop" in said
    task = load_task("hop", ["hop"])
    assert (task.info.model, task.info.max_episode_steps) == ("gymnasium:hopper.xml", 1000)
    # Four steps of 2 ms with RK4, as Hopper-v5 has it.
    env = gymnasium.make("Hopper-v5").unwrapped
    env.reset(seed=0)
    sim = MujocoC(task.model, 1, task.info.outputs)
    qpos, qvel = (torch.from_numpy(x.copy())[None] for x in (env.data.qpos, env.data.qvel))
    sim.reset(torch.arange(1), qpos, qvel, None, None)
    for _ in range(5):
        env.step([0.5, -0.5, 1.0])
        sim.ctrl[:] = task.control(sim, None, torch.tensor([[0.5, -0.5, 1.0]])).ctrl
        sim.step(task.info.physics.substeps)
    assert sim.qpos[0].tolist() == pytest.approx(env.data.qpos.tolist(), abs=1e-9)
    env.close()


@pytest.mark.parametrize(
    ("identity", "sentence"),
    [
        (
            "CartPole-v1",
            "CartPoleEnv is no gymnasium.envs.mujoco.MujocoEnv; `eureka init NAME --env CartPole-v1` works",
        ),
        (f"{HERE}:PushedHopper", "its own `do_simulation` takes part in the physics"),
        ("Hoper-v5", "did you mean Hopper-v5"),
    ],
)
def test_an_environment_that_cannot_be_a_task_is_refused(identity: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        task_source(identity, str(Path(__file__).parent))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["arm"], "init: give one of --env ID, --xml FILE and --from-env ID"),
        (["arm", "--env", "CartPole-v1", "--xml", "a.xml"], "init: give one of --env ID, --xml FILE and --from-env ID"),
        (["arm", "--xml", "none.xml"], "none.xml: there is no such file"),
        (["my arm", "--xml", "none.xml"], "`my arm`: give a name of letters, digits and _, such as lander"),
    ],
)
def test_what_cannot_be_written_is_one_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["init", *arguments])
    assert ended.value.code in (1, 2)
    assert sentence in " ".join(capsys.readouterr().err.split())
