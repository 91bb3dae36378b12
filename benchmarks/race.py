"""How often does each way of choosing find the best of sixteen rewards, at equal steps of training?

    python benchmarks/race.py collect [--tasks ant] [--seeds 10] [--steps N]   # resumable; an hour
    python benchmarks/race.py choose                                           # from what was collected
    python benchmarks/race.py recorded                 # what stopping early does to rewards that a model wrote

`collect` trains the pool of `benchmarks/pools/<task>.py` with every seed and keeps the scores of eight evaluations on
the way: trainings are carried on bit for bit, so the score of a shorter training is that of the longer one on its way,
and every way of choosing can be played through on this table (`race_<task>.json`). `choose` plays
each 2,000 times: half of the seeds, drawn anew, may be used for choosing; the truth is the mean of the others. What it
finds goes to `race.json`; both are under `outputs/benchmarks` (`--record`: `benchmarks/results`).
"""

from __future__ import annotations

import argparse
import ast
import json
import math
import os
import random
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

from race_ways import CHECKPOINTS, WAYS, Table, full_length, is_dominated
from result_files import COMMITTED, add_results_option

from eureka.app.build import training_length
from eureka.app.configs import compose_config
from eureka.core.ids import generation_of
from eureka.core.serialize import dumps, loads
from eureka.core.training import TrainingJob, TrainingResult
from eureka.core.types import Candidate, Completion, Reward
from eureka.reward.extract.extraction import extract
from eureka.reward.trace.service import PRELOAD, RewardVerifier
from eureka.sandbox import Sandbox
from eureka.search.racing import late_mean
from eureka.store.files import write_atomically
from eureka.tasks import load_task
from eureka.trainers.population.recording import record
from eureka.trainers.registry import make_trainer

HERE = Path(__file__).parent
VERSION = 1
FILE = "race.json"
TASKS = ("cartpole", "swingup", "hopper", "ant")
LENGTHS = {"cartpole": 8_192, "hopper": 150_000, "ant": 200_000}
"""Control steps; shorter than `budget=quick`: on Cartpole half of the pool would be perfect, the others take long."""
REPETITIONS = 2_000
WITHIN = 0.05
"""A choice counts where the chosen reward's true score is at most this share below the best one's."""


def pool(task: str) -> list[str]:
    """The sources of the pool's rewards, each with a `compute_reward`."""
    tree = ast.parse((HERE / "pools" / f"{task}.py").read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    for function in functions:
        function.name = "compute_reward"
    return [f"import torch\n\n\n{ast.unparse(function)}\n" for function in functions]


def rewards(task_name: str) -> list[Reward]:
    """The pool, confined, traced and verified like a model's answers."""
    task = load_task(task_name)
    answers = [
        Completion(f"g01-c{index:02d}", f"```python\n{source}```", "pool")
        for index, source in enumerate(pool(task_name), start=1)
    ]
    candidates = [extract(answer, task.fields) for answer in answers]
    with Sandbox(preload=PRELOAD) as sandbox:
        usable = [candidate for candidate in candidates if isinstance(candidate, Candidate)]
        verdicts = RewardVerifier(task.fields, record(task).state, sandbox).verify_all(usable)
    wrong = [verdict for verdict in [*candidates, *verdicts] if not isinstance(verdict, Candidate | Reward)]
    if wrong:
        raise SystemExit(f"{wrong[0].candidate_id} of the pool: {wrong[0].reason}")
    return [verdict for verdict in verdicts if isinstance(verdict, Reward)]


def table_file(task: str) -> str:
    """The name of the file with a task's scores."""
    return f"race_{task}.json"


def collect(task: str, num_seeds: int, steps: int | None, folder: Path) -> None:
    """Run the missing trainings of the table, seed by seed."""
    path = folder / table_file(task)
    config = compose_config([f"task={task}", "budget=quick"])
    trainer = make_trainer(config, [], os.environ)
    length = replace(training_length(config, trainer), evaluations=CHECKPOINTS)
    if steps:
        length = replace(length, steps=steps)
    table: dict[str, dict[str, dict[str, float]]] = {}
    if path.is_file():
        recorded = json.loads(path.read_text())
        if recorded["steps"] != length.steps:
            raise SystemExit(f"{path} has trainings of {recorded['steps']} steps: give --steps {recorded['steps']}")
        table = recorded["table"]
    graphs = rewards(task)
    with tempfile.TemporaryDirectory() as checkpoints:
        for seed in range(num_seeds):
            missing = [r for r in graphs if str(seed) not in table.get(r.candidate_id, {})]
            jobs = [TrainingJob(r.candidate_id, r.graph, seed, length) for r in missing]
            with closing(trainer):
                for event in trainer.train(jobs, Path(checkpoints)):
                    if isinstance(event, TrainingResult):
                        scores = zip(event.checkpoint_steps, event.checkpoint_scores, strict=True)
                        row = {str(step): round(score, 5) for step, score in scores}
                        table.setdefault(event.candidate_id, {})[str(seed)] = row
            path.parent.mkdir(parents=True, exist_ok=True)
            content = {"version": 1, "task": task, "steps": length.steps, "table": table}
            path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")
            print(f"{task}: {min(len(rows) for rows in table.values())} of {num_seeds} seeds", flush=True)


def read_table(path: Path) -> Table:
    """Scores by reward, seed and steps."""
    recorded = json.loads(path.read_text())
    return {
        name: {int(seed): {int(steps): score for steps, score in row.items()} for seed, row in rows.items()}
        for name, rows in recorded["table"].items()
    }


@dataclass(frozen=True)
class Found:
    """The result of one way of choosing on one task, over all draws of seeds.

    `best` and `within` are shares of the draws in which the best reward was chosen, or one whose true score is at most
    5% below its; `regret` is the mean of how far the chosen one's lies below, as a share of the best one's; `steps` the
    mean cost as a share of training everybody once to the end.
    """

    task: str
    way: str
    best: float
    within: float
    regret: float
    steps: float


@dataclass(frozen=True)
class Races:
    """The file. `lengths` are the control steps of a whole training, by task."""

    version: int
    rewards: int
    seeds: int
    lengths: Mapping[str, int]
    found: tuple[Found, ...]


def play(task: str, table: Table, repetitions: int = REPETITIONS) -> list[Found]:
    """The results of all ways of choosing."""
    seeds = sorted(set.intersection(*(set(rows) for rows in table.values())))
    full = full_length(table)
    half = len(seeds) // 2
    found = []
    for name, way in WAYS.items():
        generator = random.Random(0)
        best, within, regret, steps = [], [], [], []
        for _ in range(repetitions):
            shuffled = generator.sample(seeds, len(seeds))
            truth = {reward: fmean(rows[seed][full] for seed in shuffled[half:]) for reward, rows in table.items()}
            chosen, spent = way(table, shuffled[:half])
            top = max(truth.values())
            best.append(truth[chosen] == top)
            within.append(truth[chosen] >= top - WITHIN * abs(top))
            regret.append((top - truth[chosen]) / abs(top))
            steps.append(spent / (full * len(table)))
        shares = (round(fmean(values), 4) for values in (best, within, regret, steps))
        found.append(Found(task, name, *shares))
    return found


def choose(folder: Path) -> Races:
    """Play every table that was collected in `folder`, or else the committed ones."""
    paths = {task: folder / table_file(task) for task in TASKS}
    if not any(path.is_file() for path in paths.values()):
        paths = {task: COMMITTED / table_file(task) for task in TASKS}
    tables = {task: read_table(path) for task, path in paths.items() if path.is_file()}
    found = [each for task, table in tables.items() for each in play(task, table)]
    first = next(iter(tables.values()))
    lengths = {task: full_length(table) for task, table in tables.items()}
    return Races(VERSION, len(first), len(next(iter(first.values()))), lengths, tuple(found))


def read_races(path: Path = COMMITTED / FILE) -> Races | None:
    """The results, None if there are none.

    Raises:
        DecodeError: the file has another form.
    """
    return loads(Races, path.read_text(encoding="utf-8")) if path.is_file() else None


def race_lines(races: Races) -> list[str]:
    """The table, as Markdown."""
    tasks = list(races.lengths)
    lines = [f"| way of choosing | steps | {' | '.join(tasks)} | mean |", "| --- | --- |" + " --- |" * (len(tasks) + 1)]
    for way in dict.fromkeys(each.way for each in races.found):
        by_task = {each.task: each for each in races.found if each.way == way}
        pairs = [(by_task[task].within, by_task[task].regret) for task in tasks]
        pairs.append((fmean(within for within, _ in pairs), fmean(regret for _, regret in pairs)))
        cells = " | ".join(f"{within:.0%} ({regret:.0%})" for within, regret in pairs)
        lines.append(f"| {way} | {fmean(each.steps for each in by_task.values()):.2f} | {cells} |")
    lengths = ", ".join(f"{task} {steps:,}" for task, steps in races.lengths.items())
    return [
        *lines,
        "",
        f"How often a reward was chosen whose true score is within {WITHIN:.0%} of the best one's, and in brackets how "
        "far the chosen one's lies below it on average; steps as a share of training all once to the end. "
        f"{races.rewards} rewards a task with {races.seeds} seeds each: half of them, drawn {REPETITIONS:,} times, are "
        f"for choosing, and the others are the truth. Control steps of a training: {lengths}. "
        "`python benchmarks/race.py choose`",
        "",
    ]


RECORDED = HERE / "recorded"
SHORT_OF_BEST = 0.05


@dataclass(frozen=True)
class Stopped:
    """What a rule that stops candidates at half time does to one recorded generation, by one seed each.

    `near` candidates end within 5% of the best; `stopped` are stopped, `wrongly` of them are near it; `best` is the
    best final score, and `kept` that of those that train on.
    """

    task: str
    generation: int
    rule: str
    near: int
    stopped: int
    wrongly: int
    best: float
    kept: float


def stop_in_recorded(folder: Path = RECORDED) -> list[Stopped]:
    """Both rules on every generation that a language model wrote, all of which were trained to the end."""
    found = []
    for path in sorted(folder.glob("*/scores.json")):
        fields: dict[int, dict[str, dict[int, float]]] = {}
        for name, trainings in json.loads(path.read_text()).items():
            whole = next(rows for kind, rows in trainings.items() if kind.startswith("all to the end"))
            scores = next(row["checkpoint_scores"] for row in whole if row["seed"] == 0)
            fields.setdefault(generation_of(name), {})[name] = dict(enumerate(scores))
        for generation, rows in sorted(fields.items()):
            evaluations = list(next(iter(rows.values())))
            half = evaluations[: len(evaluations) // 2]
            by_half = sorted(rows, key=lambda name: -late_mean([rows[name][at] for at in half]))
            rules = {
                "halving at half time": by_half[math.ceil(len(rows) / 2) :],
                "dominated by half at half time": [n for n in rows if is_dominated(n, rows, half, 0.5)],
            }
            final = {name: row[max(row)] for name, row in rows.items()}
            best = max(final.values())
            near = {name for name, score in final.items() if score >= (1 - SHORT_OF_BEST) * best}
            for rule, stopped in rules.items():
                kept = max(score for name, score in final.items() if name not in stopped)
                wrongly = len(near.intersection(stopped))
                found.append(Stopped(path.parent.name, generation, rule, len(near), len(stopped), wrongly, best, kept))
    return found


def stopped_lines(found: Sequence[Stopped]) -> list[str]:
    """The table of `stop_in_recorded`, as Markdown."""
    return [
        "| task, generation | rule | stopped | of them near the best | best score | best of those kept |",
        "| --- | --- | --- | --- | --- | --- |",
        *(
            f"| {each.task} {each.generation} | {each.rule} | {each.stopped} of 8 | {each.wrongly} of {each.near} | "
            f"{each.best:.3g} | {each.kept:.3g} |"
            for each in found
        ),
    ]


def main() -> None:
    """Collect, choose, or look at what was recorded."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["collect", "choose", "recorded"])
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=TASKS)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--steps", type=int, help="as the task has it for budget=quick where not given")
    add_results_option(parser)
    options = parser.parse_args()
    if options.what == "recorded":
        print("\n".join(stopped_lines(stop_in_recorded())))
        return
    if options.what == "collect":
        for task in options.tasks:
            collect(task, options.seeds, options.steps or LENGTHS.get(task), options.results)
        return
    races = choose(options.results)
    options.results.mkdir(parents=True, exist_ok=True)
    write_atomically(options.results / FILE, (dumps(races).replace('{"task"', '\n{"task"') + "\n").encode())
    print("\n".join(race_lines(races)))


if __name__ == "__main__":
    main()
