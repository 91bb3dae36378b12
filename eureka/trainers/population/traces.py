"""Details of evaluation episodes: why and when they ended, the State during them, and the rewards collected."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby, pairwise
from typing import Any

import torch

from eureka.core.training import EpisodeTrace
from eureka.core.types import FieldSpec
from eureka.reward.graph.runtime import RewardFunction

EVEN_ROWS = 6
"""Rows of an episode's table that lie evenly in time, with the first and the last step."""
CHANGING_ROWS = 5
"""Rows that lie evenly in how much of the State's change is over, and so mostly where the State changes fastest."""
MAX_COLUMNS = 32
"""Maximum number of State columns that are kept of an episode."""
MAX_FIELD_COLUMNS = 6
"""Fields with more columns, such as the contact forces of all bodies, are omitted from the table."""
_DIGITS = 4


@dataclass(frozen=True)
class GroupTraces:
    """A group's evaluation episodes, and each component's correlation with the metric's change per step."""

    episodes: tuple[EpisodeTrace, ...]
    change_correlation: Mapping[str, float | None]


class EpisodeTracer:
    """Follows the first episode of every world of an evaluation, (num_groups * episodes) worlds.

    No values are read during the episodes, to avoid synchronising with the device.

    Args:
        fields: the State's fields.
        read: names of those that the rewards read.
        num_groups, episodes: number of policies, and of worlds for each.
        end_conditions: function from a State to the conditions that may end an episode, by name.
    """

    def __init__(
        self,
        fields: Sequence[FieldSpec],
        read: Sequence[str],
        num_groups: int,
        episodes: int,
        end_conditions: Callable[[Any], Mapping[str, torch.Tensor]],
    ) -> None:
        names = {field.name for field in fields}
        shown = [
            field
            for field in fields
            if math.prod(field.shape) <= MAX_FIELD_COLUMNS
            and (field.name in read or field.name.removeprefix("previous_") not in names - {field.name})
        ]
        # Fields that rewards read come first.
        shown.sort(key=lambda field: field.name not in read)
        self._columns: list[tuple[str, str, int]] = []
        for field in shown:
            size = math.prod(field.shape)
            labels = [field.name] if not field.shape else [f"{field.name}[{i}]" for i in range(size)]
            self._columns += [(label, field.name, i) for i, label in enumerate(labels)]
        self._columns = self._columns[:MAX_COLUMNS]
        self._kept = sorted({*read, *(name for _, name, _ in self._columns)})
        self._shape = (num_groups, episodes)
        self._state: dict[str, list[torch.Tensor]] = {name: [] for name in self._kept}
        self._metric: list[torch.Tensor] = []
        self._flags: list[torch.Tensor] = []
        self._end_conditions = end_conditions
        self._conditions: dict[str, list[torch.Tensor]] = {}

    def step(self, state: Any, metric: torch.Tensor, *flags: torch.Tensor) -> None:
        """Add one step: the State of all worlds, the per-step metric (G, E), and which worlds terminated, were
        truncated at the time limit, and diverged.
        """
        for name in self._kept:
            self._state[name].append(getattr(state, name).clone())
        self._metric.append(metric.flatten().clone())
        self._flags.append(torch.stack(flags))
        for name, holds in self._end_conditions(state).items():
            self._conditions.setdefault(name, []).append(holds.clone())

    def traces(self, scores: torch.Tensor, rewards: Sequence[RewardFunction]) -> list[GroupTraces]:
        """The traces of each group.

        Args:
            scores: scores of every episode, (G, E).
            rewards: reward function of every group.
        """
        episodes = self._shape[1]
        metric, flags = torch.stack(self._metric).cpu(), torch.stack(self._flags).cpu()  # (T, W), (T, 3, W)
        done = flags.any(dim=1)
        length = torch.where(done.any(dim=0), done.int().argmax(dim=0) + 1, len(done))
        state = {name: torch.stack(values) for name, values in self._state.items()}  # (T, W, ...)
        holding = {name: torch.stack(values).cpu() for name, values in self._conditions.items()}  # (T, W)
        found = []
        for group, reward in enumerate(rewards):
            of_group = slice(group * episodes, (group + 1) * episodes)
            own = {name: value[:, of_group] for name, value in state.items()}
            # The reward's constants are on the device it was compiled for; everything that follows is read on the CPU.
            values = {name: value.cpu() for name, value in _components(reward, own).items()}  # (T, E) each
            own = {name: value.cpu() for name, value in own.items()}
            alive = torch.arange(len(done), device="cpu")[:, None] < length[of_group]
            traces = []
            for number, steps in enumerate(length[of_group].tolist()):
                world = group * episodes + number
                ended = _why(flags[steps - 1, :, world])
                held_last = [name for name, held in holding.items() if held[steps - 1, world]]
                traces.append(
                    EpisodeTrace(
                        score=float(scores[group, number]),
                        steps=steps,
                        ended=ended,
                        condition=" and ".join(held_last) if ended == "terminated" else "",
                        first_metric_step=_first(metric[:steps, world]),
                        longest_metric_steps=_longest(metric[:steps, world]),
                        components={name: _short(float(v[:steps, number].mean())) for name, v in values.items()},
                    )
                )
            for number in _shown(traces):
                shown_steps, fields = self._rows(own, number, traces[number].steps)
                traces[number] = replace(traces[number], fields=fields, shown_steps=shown_steps)
            changes = {name: _with_change(value, metric[:, of_group], alive) for name, value in values.items()}
            found.append(GroupTraces(tuple(traces), changes))
        return found

    def _rows(
        self, state: Mapping[str, torch.Tensor], number: int, steps: int
    ) -> tuple[tuple[int, ...], dict[str, tuple[float, ...]]]:
        """The steps that are shown of episode `number`, and every column's values after them."""
        columns = {
            label: state[name][:steps, number].reshape(steps, -1)[:, index].double()
            for label, name, index in self._columns
        }
        at = moments(torch.stack(list(columns.values()), dim=1)) if columns else []
        return tuple(step + 1 for step in at), {label: _rounded(v[at].tolist()) for label, v in columns.items()}


def moments(columns: torch.Tensor) -> list[int]:
    """The rows of `columns` (steps, columns) that tell most of an episode, in order: at most EVEN_ROWS + CHANGING_ROWS.

    Some lie evenly in time. The others lie evenly in the sum over columns of how far each has moved so far, as a share
    of its range: an episode that is decided within a few steps, by a swing-up or a fall, has most of these there.
    Rows that coincide are replaced by the middle of the longest gaps.
    """
    steps = len(columns)
    wanted = min(steps, EVEN_ROWS + CHANGING_ROWS)
    found = {round((steps - 1) * part / (EVEN_ROWS - 1)) for part in range(EVEN_ROWS)}
    columns = columns.nan_to_num(0.0, 0.0, 0.0)
    extent = columns.amax(dim=0) - columns.amin(dim=0)
    moved = (columns[1:] - columns[:-1]).abs() / extent.where(extent > 0.0, torch.inf)
    passed = moved.sum(dim=1).cumsum(dim=0)
    if steps > 1 and float(passed[-1]) > 0.0:
        parts = torch.arange(1, CHANGING_ROWS + 1, dtype=passed.dtype, device=passed.device) / (CHANGING_ROWS + 1)
        found.update((torch.searchsorted(passed, parts * passed[-1]) + 1).tolist())
    while len(found) < wanted:
        rows = sorted(found)
        gap, before = max((after - row, -row) for row, after in pairwise(rows))
        found.add(-before + gap // 2)
    return sorted(found)


def as_plain(episode: EpisodeTrace) -> dict[str, Any]:
    """A trace in the form kept in a training's state, where names chosen by a model are values and not keys."""
    plain = asdict(episode)
    return {**plain, "components": list(plain["components"].items()), "fields": list(plain["fields"].items())}


def from_plain(plain: Mapping[str, Any]) -> EpisodeTrace:
    """The trace that was passed to `as_plain`."""
    fields = {name: tuple(values) for name, values in plain["fields"]}
    shown_steps = tuple(plain.get("shown_steps", ()))
    return EpisodeTrace(
        **{**plain, "components": dict(plain["components"]), "fields": fields, "shown_steps": shown_steps}
    )


def _components(reward: RewardFunction, state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    steps, episodes = next(iter(state.values())).shape[:2]
    _, components = reward({name: state[name].flatten(0, 1) for name in reward.inputs})
    return {
        name: value.float().view(steps, episodes).nan_to_num(0.0, 0.0, 0.0).cpu() for name, value in components.items()
    }


def _why(flags: torch.Tensor) -> str:
    terminated, truncated, diverged = flags.tolist()
    if diverged:
        return "diverged"
    return "terminated" if terminated else "time limit" if truncated else "not ended"


def _first(metric: torch.Tensor) -> int | None:
    above = metric > 0
    return int(above.int().argmax()) + 1 if bool(above.any()) else None


def _longest(metric: torch.Tensor) -> int:
    """The largest number of values in a row that are above 0."""
    return max((sum(1 for _ in run) for above, run in groupby((metric > 0).tolist()) if above), default=0)


def _shown(traces: Sequence[EpisodeTrace]) -> set[int]:
    """The indices of the episode with the median score, and of the worst."""
    order = sorted(range(len(traces)), key=lambda number: traces[number].score)
    return {order[len(order) // 2], order[0]}


def _with_change(value: torch.Tensor, metric: torch.Tensor, alive: torch.Tensor) -> float | None:
    """The correlation of a component's per-step value with the change of the metric, (T, E) each."""
    change = (metric[1:] - metric[:-1])[alive[1:]].double()
    steps = value[1:][alive[1:]].double()
    if len(change) < 2 or float(change.std()) < 1e-7 or float(steps.std()) < 1e-7:
        return None
    return float(torch.corrcoef(torch.stack([change, steps]))[0, 1].clamp(-1.0, 1.0))


def _rounded(values: Sequence[float]) -> tuple[float, ...]:
    """A column rounded to the decimals of its largest value at three significant digits."""
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    decimals = 2 - math.floor(math.log10(largest)) if largest > 0.0 else 0
    return tuple(round(float(value), decimals) + 0.0 if math.isfinite(value) else 0.0 for value in values)


def _short(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else 0.0
