"""What the study of the search found: the form of `search_study_<task>.json`."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from result_files import COMMITTED

from eureka.core.serialize import dumps, loads
from eureka.evaluation.data import Estimate
from eureka.evaluation.statistics import LEVEL

VERSION = 1
NUM_RESAMPLES = 4_000


@dataclass(frozen=True)
class Settings:
    """How the study was made. Steps are control steps of one training, in the search and with fresh seeds."""

    searches: int
    generations: int
    samples: int
    search_steps: int
    fresh_steps: int
    fresh_seeds: int
    baseline_seeds: int
    eval_episodes: int
    overrides: tuple[str, ...]


@dataclass(frozen=True)
class Hardware:
    """The machine of the study."""

    machine: str
    cpu: str
    cores: int


@dataclass(frozen=True)
class Picked:
    """A candidate selected by a search, with its scores with fresh seeds; empty if all trainings failed."""

    candidate_id: str
    scores: tuple[float, ...]


@dataclass(frozen=True)
class Search:
    """One search: the best of its first and last generation by the search's own scores, and the one it called best."""

    seed: int
    first: Picked | None
    last: Picked | None
    called_best: Picked


@dataclass(frozen=True)
class Condition:
    """All searches with metric probing, or all without."""

    use_probe: bool
    searches: tuple[Search, ...]


@dataclass(frozen=True)
class SearchStudy:
    """The study of one task. `human` and `sparse` are scores with fresh seeds, `sparse` empty where there is none."""

    version: int
    task: str
    metric: str
    unit: str
    settings: Settings
    hardware: Hardware
    versions: Mapping[str, str]
    human: tuple[float, ...]
    sparse: tuple[float, ...]
    conditions: tuple[Condition, ...]


def path_of(task: str, folder: Path) -> Path:
    """Where a task's study is kept."""
    return folder / f"search_study_{task}.json"


def write_study(study: SearchStudy, folder: Path) -> Path:
    """Write the study, and return the path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = path_of(study.task, folder)
    path.write_text(dumps(study) + "\n", encoding="utf-8")
    return path


def read_studies(folder: Path = COMMITTED) -> list[SearchStudy]:
    """Every study in the folder, by task.

    Raises:
        DecodeError: a file has another form.
    """
    return [loads(SearchStudy, path.read_text(encoding="utf-8")) for path in sorted(folder.glob("search_study_*.json"))]


def this_hardware() -> Hardware:
    """The data of this machine."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return Hardware(platform.machine(), names[0] if names else "unknown", len(os.sched_getaffinity(0)))


# ---- estimates ---------------------------------------------------------------------------------------------------

Array = NDArray[np.float64]
Groups = Sequence[Sequence[float]]
"""Scores by what they have in common: one inner sequence a search, or one a training where nothing is shared."""


def alone(scores: Sequence[float]) -> list[list[float]]:
    """Trainings that share only their reward, as groups of one."""
    return [[score] for score in scores]


def scores_of(condition: Condition, which: str) -> list[tuple[float, ...]]:
    """The scores of `first`, `last` or `called_best` of every search that has them."""
    picked = [getattr(search, which) for search in condition.searches]
    return [found.scores for found in picked if found is not None and found.scores]


def clustered_bootstrap(statistic: Callable[..., Array], *samples: Groups, paired: bool = False) -> Estimate:
    """`statistic` of the pooled scores of every sample, with an interval that resamples searches, then their seeds.

    Trainings of one search share its luck, so that resampling them alone would make the interval too narrow.

    Args:
        statistic: takes arrays whose last axis are scores, and reduces that axis.
        paired: the samples have the same searches in the same order, which are drawn together.
    """
    rng = np.random.default_rng(0)
    shape = (NUM_RESAMPLES, len(samples[0]))
    together = rng.integers(len(samples[0]), size=shape) if paired else None
    resampled = []
    for groups in samples:
        picks = together if together is not None else rng.integers(len(groups), size=(NUM_RESAMPLES, len(groups)))
        lengths = np.asarray([len(group) for group in groups])
        width = int(lengths.max())
        table = np.asarray([[*group, *[np.nan] * (width - len(group))] for group in groups])
        # If a training failed, a search has fewer scores, which are then drawn more often.
        seeds = (rng.random((*picks.shape, width)) * lengths[picks][..., None]).astype(int)
        resampled.append(table[picks[..., None], seeds].reshape(NUM_RESAMPLES, -1))
    low, high = np.quantile(statistic(*resampled), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    pooled = statistic(*(np.concatenate([np.asarray(group) for group in groups]) for groups in samples))
    return Estimate(float(pooled), (float(low), float(high)))
