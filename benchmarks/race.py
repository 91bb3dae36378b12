"""How often does each way of choosing find the best of sixteen rewards, at equal steps of training?

    python benchmarks/race.py collect cartpole [--seeds 10] [--steps N]   # resumable; hours for the larger tasks
    python benchmarks/race.py choose cartpole                             # from what was collected: seconds

`collect` trains the pool of `benchmarks/pools/<task>.py` with every seed and keeps the scores of eight evaluations on
the way: trainings are carried on bit for bit, so the score of a shorter training is that of the longer one on its way,
and every way of choosing can be played through on this table. `choose` plays each 2,000 times: half of the seeds, drawn
anew, may be used for choosing; the truth is the mean of the others. The table is `benchmarks/results/race_<task>.json`.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from statistics import fmean

from eureka.config import compose_config
from eureka.extract import extract
from eureka.reward.service import PRELOAD, RewardVerifier
from eureka.rl.backend import LocalBackend
from eureka.rl.recording import record
from eureka.sandbox import Sandbox
from eureka.search.race import Race
from eureka.tasks import load_task
from eureka.types import Candidate, Completion, Reward, TrainingJob, TrainingResult
from eureka.wiring import make_schedule

HERE = Path(__file__).parent
CHECKPOINTS = 8
REPETITIONS = 2_000
WITHIN = 0.05
"""A choice counts where the chosen reward's true score is at most this share below the best one's."""

Table = Mapping[str, Mapping[int, Mapping[int, float]]]


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


def results_file(task: str) -> Path:
    return HERE / "results" / f"race_{task}.json"


def collect(task: str, num_seeds: int, steps: int | None) -> None:
    """Train what is missing of the table, seed by seed."""
    path = results_file(task)
    config = compose_config([f"task={task}", "budget=quick"])
    schedule = replace(make_schedule(config, load_task(task).info), checkpoints=CHECKPOINTS)
    if steps:
        schedule = replace(schedule, steps=steps)
    table: dict[str, dict[str, dict[str, float]]] = {}
    if path.is_file():
        recorded = json.loads(path.read_text())
        if recorded["steps"] != schedule.steps:
            raise SystemExit(f"{path} has trainings of {recorded['steps']} steps: give --steps {recorded['steps']}")
        table = recorded["table"]
    graphs = rewards(task)
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(num_seeds):
            missing = [r for r in graphs if str(seed) not in table.get(r.candidate_id, {})]
            jobs = [TrainingJob(r.candidate_id, r.graph, seed, schedule) for r in missing]
            with closing(LocalBackend(task, (), Path(folder), dict(os.environ))) as backend:
                for event in backend.train(jobs):
                    if isinstance(event, TrainingResult):
                        scores = zip(event.checkpoint_steps, event.checkpoint_scores, strict=True)
                        row = {str(step): round(score, 5) for step, score in scores}
                        table.setdefault(event.candidate_id, {})[str(seed)] = row
            path.parent.mkdir(exist_ok=True)
            content = {"version": 1, "task": task, "steps": schedule.steps, "table": table}
            path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")
            print(f"{task}: {min(len(rows) for rows in table.values())} of {num_seeds} seeds", flush=True)


def read_table(task: str) -> Table:
    """Scores by reward, seed and steps."""
    recorded = json.loads(results_file(task).read_text())
    return {
        name: {int(seed): {int(steps): score for steps, score in row.items()} for seed, row in rows.items()}
        for name, rows in recorded["table"].items()
    }


Choice = tuple[str, int]
"""The chosen reward and the steps that it took."""


def by_maximum(table: Table, seeds: Sequence[int]) -> Choice:
    """The original's way: one seed each, and the maximum over training."""
    full = max(next(iter(next(iter(table.values())).values())))
    return max(table, key=lambda name: max(table[name][seeds[0]].values())), full * len(table)


def by_final(table: Table, seeds: Sequence[int]) -> Choice:
    """One seed each, and the final score."""
    full = max(next(iter(next(iter(table.values())).values())))
    return max(table, key=lambda name: table[name][seeds[0]][full]), full * len(table)


def by_race(width: float, rungs: Sequence[int], budget: float) -> Callable[[Table, Sequence[int]], Choice]:
    """`Race` with rungs at these checkpoints, and a budget in full trainings of the field; 0: no further seeds."""

    def choose(table: Table, seeds: Sequence[int]) -> Choice:
        lengths = sorted(next(iter(next(iter(table.values())).values())))
        steps = tuple(lengths[rung - 1] for rung in rungs)
        race = Race(steps, tuple(seeds), round(budget * steps[-1] * len(table)), width=width)
        evidence: dict[str, dict[int, dict[int, float]]] = {}
        spent = 0
        while (standing := race.standing(list(table), evidence)).wanted:
            for wanted in standing.wanted:
                scores = table[wanted.candidate][wanted.seed]
                seen = {at: score for at, score in scores.items() if at <= wanted.steps}
                evidence.setdefault(wanted.candidate, {})[wanted.seed] = seen
                spent += wanted.new_steps
        return standing.ranked[0], spent

    return choose


WAYS: Mapping[str, Callable[[Table, Sequence[int]], Choice]] = {
    "one seed, maximum over training (the original)": by_maximum,
    "one seed, final score": by_final,
    "halving at 1/4, 1/2": by_race(1.0, (2, 4, 8), 0.0),
    "race, a third of the steps": by_race(1.0, (1, 2, 4, 8), 1 / 3),
    "race, half of the steps": by_race(1.0, (2, 4, 8), 0.75),
    "race": by_race(1.0, (2, 4, 8), 1.0),
    "race, wider": by_race(2.0, (2, 4, 8), 1.0),
}


def choose(task: str) -> None:
    """Print how every way did."""
    table = read_table(task)
    seeds = sorted(set.intersection(*(set(rows) for rows in table.values())))
    full = max(next(iter(next(iter(table.values())).values())))
    whole = full * len(table)
    print(f"{task}: {len(table)} rewards, {len(seeds)} seeds, {full:,} steps")
    print(f"{'way of choosing':48}  best  within 5%  regret  steps")
    for name, way in WAYS.items():
        generator = random.Random(0)
        best, within, regret, steps = [], [], [], []
        for _ in range(REPETITIONS):
            shuffled = generator.sample(seeds, len(seeds))
            half = len(seeds) // 2
            truth = {reward: fmean(rows[seed][full] for seed in shuffled[half:]) for reward, rows in table.items()}
            chosen, spent = way(table, shuffled[:half])
            top = max(truth.values())
            best.append(truth[chosen] == top)
            within.append(truth[chosen] >= top - WITHIN * abs(top))
            regret.append((top - truth[chosen]) / abs(top))
            steps.append(spent / whole)
        print(f"{name:48}  {fmean(best):4.0%}  {fmean(within):9.0%}  {fmean(regret):6.1%}  {fmean(steps):5.2f}")


def main() -> None:
    """Collect or choose."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["collect", "choose"])
    parser.add_argument("task")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--steps", type=int, help="as the task has it for budget=quick where not given")
    options = parser.parse_args()
    collect(options.task, options.seeds, options.steps) if options.what == "collect" else choose(options.task)


if __name__ == "__main__":
    main()
