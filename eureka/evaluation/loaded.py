"""Recorded runs as pandas tables, for the user's own analyses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eureka.core.errors import EurekaError
from eureka.core.extras import install_line
from eureka.core.ids import place_of
from eureka.core.training import TrainingResult
from eureka.evaluation.record import read_comparison
from eureka.search.status import candidate_statuses
from eureka.store import RunStore

if TYPE_CHECKING:
    import pandas as pd

Row = Mapping[str, Any]
_CURVES = ("metric", "episode_length", "total")


@dataclass(frozen=True)
class RunFrames:
    """The tables of one or several runs; `run` is the run folder in each.

    Attributes:
        candidates: the status of every candidate: `usable`, its `score`, why it was rejected, its parents.
        trainings: one row per training of the search: `candidate`, `seed`, `steps`, `score`, `wall_s`.
        curves: one row per point: `candidate`, `seed`, `quantity`, `steps`, `value`. Quantities are `metric`,
            `episode_length`, `total`, `component NAME`, and `evaluation` for the evaluation episodes at checkpoints.
        evaluations: one row per training of the final comparison: `role` (best, human, sparse), `reward`, `seed`,
            `score`, `steps`, `cached`.
    """

    candidates: pd.DataFrame
    trainings: pd.DataFrame
    curves: pd.DataFrame
    evaluations: pd.DataFrame


@dataclass(frozen=True)
class LoadedRuns:
    """Run folders to be read; code that they name is not executed."""

    folders: tuple[Path, ...]

    def to_pandas(self) -> RunFrames:
        """All recorded data as tables.

        Raises:
            EurekaError: pandas is not installed.
            StoreError: a run cannot be read.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise EurekaError(f"tables need pandas: {install_line('pandas')}") from error
        rows: dict[str, list[Row]] = {"candidates": [], "trainings": [], "curves": [], "evaluations": []}
        for folder in self.folders:
            with RunStore.open(folder, read_only=True) as store:
                for name, found in _rows(store).items():
                    rows[name] += found
        return RunFrames(**{name: pd.DataFrame(found) for name, found in rows.items()})


def _rows(store: RunStore) -> dict[str, list[Row]]:
    run = str(store.folder)
    results = store.results()
    return {
        "candidates": list(_candidates(store)),
        "trainings": [_training(run, result) for result in results],
        "curves": [point for result in results for point in _curves(run, result)],
        "evaluations": list(_evaluations(store)),
    }


def _candidates(store: RunStore) -> Iterator[Row]:
    parents = {sample.id: sample.parents for sample in store.samples()}
    for status in candidate_statuses(store):
        place = place_of(status.candidate_id)
        yield {
            "run": str(store.folder),
            "candidate": status.candidate_id,
            "generation": place.generation,
            "sample": place.sample,
            "parents": " ".join(parents.get(status.candidate_id, ())),
            "usable": status.usable,
            "repairs": status.repairs,
            "score": status.score,
            "stopped_after": status.stopped_after,
            "rejected_at": status.rejected.stage.value if status.rejected else None,
            "reason": status.rejected.reason if status.rejected else None,
        }


def _training(run: str, result: TrainingResult) -> Row:
    return {
        "run": run,
        "candidate": result.candidate_id,
        "seed": result.seed,
        "steps": result.trained_steps,
        "score": result.score,
        "wall_s": result.wall_s,
    }


def _curves(run: str, result: TrainingResult) -> Iterator[Row]:
    curves = {name: (result.steps, getattr(result, name)) for name in _CURVES}
    curves |= {f"component {name}": (result.steps, values) for name, values in result.components.items()}
    curves["evaluation"] = (result.checkpoint_steps, result.checkpoint_scores)
    for quantity, (steps, values) in curves.items():
        for step, value in zip(steps, values, strict=False):
            yield {
                "run": run,
                "candidate": result.candidate_id,
                "seed": result.seed,
                "quantity": quantity,
                "steps": step,
                "value": value,
            }


def _evaluations(store: RunStore) -> Iterator[Row]:
    comparison = read_comparison(store.folder)
    for method in comparison.methods if comparison else ():
        assert comparison is not None
        for seed, score in zip(method.seeds, method.scores, strict=False):
            yield {
                "run": str(store.folder),
                "task": comparison.task,
                "role": method.role.value,
                "reward": method.name,
                "seed": seed,
                "score": score,
                "steps": comparison.steps,
                "cached": seed in method.cached,
            }
