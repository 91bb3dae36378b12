"""What a study of a task's settings shares: copies of the task with changes, trainings, and a table that is resumed.

A setting is a flat mapping: `gear` (of the body's one actuator), `max_episode_steps`, `timestep_s` and `substeps` of
the task folder, `steps` and `num_envs` of a training, and any hyper-parameter of PPO.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import yaml

from eureka.core.training import OwnReward, TrainingResult
from eureka.core.types import Rejected
from eureka.evaluation import Role
from eureka.evaluation.statistics import iqm
from eureka.store.files import write_atomically
from eureka.tasks import Task, find_tasks, load_task
from eureka.trainers.population.baselines import trace_baselines
from eureka.trainers.population.group import GroupJob, Schedule
from eureka.trainers.population.pool import WorkerPool
from eureka.trainers.population.recording import record

CHECKPOINTS = 4
EVAL_EPISODES = 8
_OF_THE_FOLDER = ("max_episode_steps",)
_OF_THE_PHYSICS = ("timestep_s", "substeps")

Setting = Mapping[str, float]


@dataclass(frozen=True)
class Training:
    """One row of the table: the score of `reward` with `seed` under `setting`, in the metric's unit."""

    setting: Setting
    reward: str
    seed: int
    score: float
    best_score: float


def shipped(task: Task, keys: Sequence[str]) -> dict[str, float]:
    """The values of these keys in the task's folder."""
    info = task.info
    known = {**asdict(info.ppo), **asdict(info.physics), "num_envs": info.num_envs, "steps": info.steps["quick"]}
    known |= {"max_episode_steps": info.max_episode_steps, "gear": float(task.model.actuator_gear[0, 0])}
    return {key: known[key] for key in keys}


@contextmanager
def changed_task(name: str, setting: Setting) -> Iterator[Path]:
    """A folder with a copy of the task that has the setting's body and physics."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(shutil.copytree(find_tasks()[name], Path(temporary) / name))
        info = yaml.safe_load((folder / "task.yaml").read_text())
        info |= {key: setting[key] for key in _OF_THE_FOLDER if key in setting}
        info["physics"] |= {key: setting[key] for key in _OF_THE_PHYSICS if key in setting}
        (folder / "task.yaml").write_text(yaml.safe_dump(info))
        if "gear" in setting:
            body = folder / info["model"]
            text, count = re.subn(r'gear="[^"]*"', f'gear="{setting["gear"]:g}"', body.read_text())
            if count != 1:
                raise SystemExit(f"{body} has {count} actuators with a gear, not one")
            body.write_text(text)
        yield folder


def schedule_of(task: Task, setting: Setting) -> Schedule:
    """The schedule of a group under the setting; unset values are the task's own."""
    info = task.info
    ppo = replace(info.ppo, **{key: value for key, value in setting.items() if key in asdict(info.ppo)})
    num_envs, steps = int(setting.get("num_envs", info.num_envs)), int(setting.get("steps", info.steps["quick"]))
    return Schedule(num_envs, steps, CHECKPOINTS, EVAL_EPISODES, ppo)


class Study:
    """Trainings of the human reward and of the bare metric under settings, kept in a file."""

    def __init__(self, task: str, path: Path) -> None:
        self._task = task
        self._path = path
        self._rows: list[Training] = []
        if self._path.is_file():
            self._rows = [Training(**row) for row in json.loads(self._path.read_text())["trainings"]]

    def train(self, setting: Setting, rewards: Sequence[Role], seeds: Sequence[int]) -> None:
        """Run the trainings that the table lacks."""
        missing = [(r, s) for r in rewards for s in seeds if s not in self._of(setting, r)]
        if not missing:
            return
        checkpoints = _checkpoint_folder(self._path.stem, setting)
        with changed_task(self._task, setting) as folder:
            task = load_task(self._task, [folder])
            own = trace_baselines(task, record(task).state)
            graphs = {Role.HUMAN: own[OwnReward.OWN], Role.SPARSE: own[OwnReward.METRIC]}
            schedule = schedule_of(task, setting)
            jobs = [GroupJob(reward.value, graphs[reward], seed, schedule) for reward, seed in missing]
            with closing(WorkerPool(self._task, [folder], checkpoints, dict(os.environ))) as backend:
                for event in backend.train(jobs):
                    if isinstance(event, Rejected):
                        raise SystemExit(f"{event.candidate_id}: {event.reason}")
                    if isinstance(event, TrainingResult):
                        self._keep(setting, event)
        shutil.rmtree(checkpoints)

    def _of(self, setting: Setting, reward: Role) -> dict[int, Training]:
        return {row.seed: row for row in self._rows if row.setting == setting and row.reward == reward.value}

    def _keep(self, setting: Setting, result: TrainingResult) -> None:
        score, best = round(result.score, 4), round(result.best_score, 4)
        self._rows.append(Training(setting, result.candidate_id, result.seed, score, best))
        self.write({})

    def scores(self, setting: Setting, reward: Role, seeds: Sequence[int]) -> list[float]:
        """The scores in the order of the seeds, without those that were not trained."""
        rows = self._of(setting, reward)
        return [rows[seed].score for seed in seeds if seed in rows]

    def highest(self, setting: Setting) -> float:
        """The best score of any checkpoint of any training under the setting."""
        return max(row.best_score for row in self._rows if row.setting == setting)

    def write(self, summary: Mapping[str, object]) -> None:
        """Write the table, after the summary."""
        rows = ",\n  ".join(json.dumps(asdict(row)) for row in self._rows)
        head = "".join(f" {json.dumps(key)}: {json.dumps(value)},\n" for key, value in summary.items())
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self._path, f'{{\n{head} "trainings": [\n  {rows}\n ]\n}}\n'.encode())


def _checkpoint_folder(study: str, setting: Setting) -> Path:
    digest = hashlib.sha256(json.dumps(dict(setting)).encode()).hexdigest()[:12]
    return Path("outputs") / "studies" / f"{study}_{digest}"


def estimate(scores: Sequence[float]) -> dict[str, object]:
    """Scores with their interquartile mean and its 95% interval."""
    found = iqm(scores)
    return {"iqm": round(found.value, 4), "interval": [round(end, 4) for end in found.interval or ()], "scores": scores}


def line(setting: Setting, base: Setting, shown: Mapping[str, Sequence[float]]) -> str:
    """How a setting differs from `base`, and each reward's IQM with its lowest and highest score."""
    changes = ", ".join(f"{key} {value:g}" for key, value in setting.items() if value != base[key]) or "as shipped"
    parts = [f"{name} {iqm(s).value:.3f} ({min(s):.3f} to {max(s):.3f})" for name, s in shown.items() if s]
    return f"{changes:<32} " + "   ".join(parts)
