"""The list of tasks, for the terminal."""

from __future__ import annotations

from dataclasses import replace

from eureka.tasks import find_tasks
from eureka.tasks.describe import overview
from eureka.tasks.info import Learned, TaskInfo, read_info


def made(name: str, model: str, learned: Learned | None = None) -> TaskInfo:
    cartpole = read_info(find_tasks()["cartpole"])
    return replace(cartpole, name=name, model=model, description="Lift it.", learned=learned, tried="nothing")


def test_tasks_without_their_package_stand_below_the_line_that_installs_it() -> None:
    infos = [
        made("away", "package:no_such_package/arm.xml"),
        made("here", "gymnasium:ant.xml", Learned(score=0.0695, unit="of the time", steps=1000, seeds=5)),
        made("there", "arm.xml", Learned(score=1.993, unit="m/s", steps=1000, seeds=5)),
    ]
    assert list(overview(infos)) == [
        "task   status                  the sentence that a model is given",
        "here   learns, 7% of the time  Lift it.",
        "there  learns, 1.99 m/s        Lift it.",
        "",
        "after pip install no_such_package",
        "away   runs                    Lift it.",
    ]
