"""Makes the table and the pictures of docs/tasks.md from the task folders.

python docs/make_tasks_page.py              # the table
python docs/make_tasks_page.py --pictures   # and a picture of every task whose model's package is installed
"""

from __future__ import annotations

import argparse
import inspect
from pathlib import Path

from eureka.tasks import Task, find_tasks, load_task
from eureka.tasks.info import read_info
from eureka.tasks.models import EXTRAS, is_installed, needed_package

PAGE = Path(__file__).parent / "tasks.md"
PICTURES = Path(__file__).parent / "images" / "tasks"
BEGIN, END = "<!-- table -->\n", "<!-- end of the table -->\n"
WIDTH, HEIGHT, STEPS, QUALITY = 240, 180, 5, 72


def first_line(text: str | None) -> str:
    """The first sentence of a docstring."""
    return " ".join((text or "").split("\n\n")[0].split())


def row(task: Task) -> str:
    """One task: picture, name, metric, human-written reward, status."""
    info = task.info
    package = needed_package(info.model)
    needs = f"<br>extra `{EXTRAS[package]}`" if package in EXTRAS else ""
    if info.learned is not None:
        found = info.learned
        status = f"learns: {found.score:.3g} {found.unit} after {found.steps:,} steps, {found.seeds} seeds"
    else:
        status = f"runs: {' '.join((info.tried or '').split())}"
    reward = first_line(inspect.getdoc(task.human_reward)).replace("|", "\\|")
    cells = [
        f"![{info.name}](images/tasks/{info.name}.jpg)",
        f"`{info.name}`{needs}",
        f"{task.metric.as_told.description} ({task.metric.unit})",
        reward,
        status,
    ]
    return "| " + " | ".join(cells) + " |"


def table(names: list[str]) -> str:
    """The rows of these tasks, with what is above them."""
    head = ["| | task | judged by | human-written reward | status |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*head, *(row(load_task(name)) for name in names)]) + "\n"


def draw(name: str) -> None:
    """A picture of the task's start, a few control steps in."""
    import torch
    from PIL import Image

    from eureka.core.pictures import Look
    from eureka.trainers.population.scene import Scene, SceneState
    from eureka.trainers.population.worlds import Worlds

    task = load_task(name)
    worlds = Worlds(task, [torch.Generator().manual_seed(3)], 1, desynchronise=False)
    for _ in range(STEPS):
        worlds.step(torch.zeros(1, task.num_actions))
    with Scene(task, Look(width=WIDTH, height=HEIGHT)) as scene:
        picture = Image.fromarray(scene.draw(SceneState.one_of(worlds, 0)))
    PICTURES.mkdir(parents=True, exist_ok=True)
    picture.save(PICTURES / f"{name}.jpg", quality=QUALITY)


def main() -> None:
    """Write the table into the page; draw where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", nargs="*", metavar="TASK", help="draw these, all where none is named")
    options = parser.parse_args()
    missing = [
        name
        for name, folder in find_tasks().items()
        if (package := needed_package(read_info(folder).model)) and not is_installed(package)
    ]
    if missing:
        raise SystemExit(f"the models of {', '.join(missing)} are not installed: see the page itself")
    names = list(find_tasks())
    for name in options.pictures or names if options.pictures is not None else ():
        draw(name)
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(before + BEGIN + table(names) + END + after)


if __name__ == "__main__":
    main()
