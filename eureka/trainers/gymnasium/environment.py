"""A Gymnasium environment that reports State and metric after every step, and any failure of its code as one
sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np

from eureka.core.errors import TaskError
from eureka.core.missing import what_failed
from eureka.trainers.gymnasium.metric import EnvironmentMetric, EpisodeRecord, Transition, read_metric
from eureka.trainers.gymnasium.page import observation_tables
from eureka.trainers.gymnasium.recipe import Definition, EnvironmentRecipe, load_definition
from eureka.trainers.gymnasium.spaces import Leaf, PlainObservation, is_plain, require_numbers
from eureka.trainers.gymnasium.state import StateReader, state_of_function, state_of_spaces

STATE, STEP_METRIC, EPISODE_METRIC, OWN_RETURN = "eureka.state", "eureka.step", "eureka.episode", "eureka.return"
"""Keys of `info` that `ObservedEnvironment` adds: a row of the State, the metric of the step, and at the end of an
episode the metric and the environment's own return."""


class ObservedEnvironment(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Adds the row of the State and the metric to `info`, and removes all other entries.

    Exceptions and unusable values of the environment's code become a `TaskError` with the episode's seed and the
    action. A policy sees plain observations, see `spaces`.

    Attributes:
        reader: reads the State; None: no rows are added.
        latest: the entries that the last step added to `info`; kept after a reset.
        tells: whether `step` also returns them. Stable-Baselines3 deep-copies every `info`, which costs more than
            everything else here.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], identity: str, metric: EnvironmentMetric) -> None:
        super().__init__(env)
        self._identity, self._metric = identity, metric
        self._leaves = require_numbers(identity, env)
        self._shapes = [(leaf, leaf.space.shape) for leaf in self._leaves]
        self._plain = None if is_plain(env.observation_space) else PlainObservation(env, self._leaves)
        self.reader: StateReader | None = None
        self.latest: Mapping[str, Any] = {}
        self.tells = True
        if self._plain is not None:
            self.observation_space = self._plain.observation_space
        self._inner = env.unwrapped
        self._seed: int | None = None
        self._steps = 0
        self._before: tuple[Any, Mapping[str, Any]] = (None, {})
        self._action: Any = None
        self._values: list[float | None] = []
        self._return = 0.0
        self._record: EpisodeRecord | None = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode."""
        self._seed, self._steps, self._action = seed, 0, None
        self._values, self._return = [], 0.0
        self._record = EpisodeRecord(env=self._inner) if self._metric.function is not None else None
        try:
            result = self.env.reset(seed=seed, options=options)
        except Exception as error:
            raise TaskError(self._fault(f"reset(seed={seed}) {_said(error)}")) from error
        if not isinstance(result, tuple) or len(result) != 2:
            raise TaskError(self._fault(_OLD.format("reset", "an observation alone")))
        observation, info = result
        self._check(observation, None)
        self._before = (observation, info)
        return self._seen(observation), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """One control step."""
        transition, own, terminated, truncated = self.transition(action)
        step = own if self._metric.is_return else self._step_metric(transition)
        self._values.append(step)
        self._return += own
        row = self._row(transition)
        info: dict[str, Any] = {STATE: row, STEP_METRIC: step or 0.0}
        if self._record is not None:
            self._remember(transition, own, row, terminated)
        if terminated or truncated:
            record = self._record or EpisodeRecord(infos=[transition.info])
            info[EPISODE_METRIC] = self._metric.of_episode(self._values, record, f"at the end of {self._episode()}")
            info[OWN_RETURN] = self._return
            if self._metric.function is not None:
                info[STEP_METRIC] = info[EPISODE_METRIC]
        self.latest = info
        return self._seen(transition.observation), own, terminated, truncated, info if self.tells else {}

    def transition(self, action: Any) -> tuple[Transition, float, bool, bool]:
        """Take one control step without State and metric: the transition, the own reward, and whether the episode
        terminated or was truncated.
        """
        self._steps += 1
        try:
            result = self.env.step(action)
        except Exception as error:
            if isinstance(error, ValueError) and "unpack (expected 5, got 4)" in str(error):  # by a wrapper
                raise TaskError(self._fault(_OLD.format("step", "4 values"))) from error
            raise TaskError(self._fault(f"step {_said(error)} {self._where(action)}")) from error
        if not isinstance(result, tuple) or len(result) != 5:
            count = len(result) if isinstance(result, tuple) else 1
            raise TaskError(self._fault(_OLD.format("step", f"{count} values")))
        observation, own, terminated, truncated, info = result
        self._check(observation, action)
        try:
            reward = float(own)
        except (TypeError, ValueError) as error:
            raise TaskError(self._fault(f"its own reward is {own!r}, no number, {self._where(action)}")) from error
        if reward - reward != 0.0:  # NaN or infinite
            raise TaskError(self._fault(f"its own reward is {reward} {self._where(action)}"))
        before, info_before = self._before
        previous = action if self._action is None else self._action
        step = Transition(observation, action, info, before, previous, info_before, self._inner)
        self._before, self._action = (observation, info), action
        return step, reward, bool(terminated), bool(truncated)

    def _step_metric(self, transition: Transition) -> float | None:
        try:
            return self._metric.of_step(transition.info)
        except TaskError as error:
            raise TaskError(f"{error} {self._where(transition.action)}") from error

    def _row(self, transition: Transition) -> np.ndarray | None:
        if self.reader is None:
            return None
        try:
            row = self.reader.read(transition)
        except TaskError as error:
            raise TaskError(self._fault(f"{error} {self._where(transition.action)}")) from error
        except Exception as error:
            where = self._where(transition.action)
            raise TaskError(self._fault(f"`state` {_said(error)} {where}")) from error
        if not surely_finite(row) and not np.isfinite(row).all():
            at, name = np.flatnonzero(~np.isfinite(row))[0], ""
            for each in self.reader.fields:
                at -= int(np.prod(each.shape))
                if at < 0:
                    name = each.name
                    break
            raise TaskError(self._fault(f"`{name}` of the State is not finite {self._where(transition.action)}"))
        return row

    def _remember(self, step: Transition, own: float, row: np.ndarray | None, terminated: bool) -> None:
        record = self._record
        assert record is not None
        record.observations.append(step.observation)
        record.actions.append(step.action)
        record.infos.append(step.info)
        record.rewards.append(own)
        if row is not None and self.reader is not None:
            state = self.reader.tensors(row[None])
            record.state.append({name: value[0].numpy() for name, value in state.items()})
        record.terminated = terminated

    def _seen(self, observation: Any) -> Any:
        return observation if self._plain is None else self._plain.observation(observation)

    def _check(self, observation: Any, action: Any) -> None:
        """Raise if an observation is unusable; it followed `action`, or a reset if that is None."""
        for leaf, shape in self._shapes:
            value = observation if not leaf.path else None
            if type(value) is np.ndarray and value.shape == shape and value.dtype.kind == "f" and surely_finite(value):
                continue
            try:
                value = np.asarray(leaf.read(observation))
            except (KeyError, IndexError, TypeError, ValueError) as error:
                raise TaskError(self._fault(f"its observation has no `{leaf.name}`, as its space says")) from error
            kind = value.dtype.kind
            if value.shape != shape or kind not in "fiub" or (kind == "f" and not np.isfinite(value).all()):
                self._refuse(leaf, value, "after reset" if action is None else self._where(action))

    def _refuse(self, leaf: Leaf, value: np.ndarray, where: str) -> None:
        shape = leaf.space.shape
        if value.shape != shape:
            raise TaskError(
                self._fault(
                    f"`{leaf.name}` of its observation has the shape {value.shape} {where}, and its space "
                    f"says {shape}: an observation must keep its shape"
                )
            )
        if value.dtype.kind == "f":
            raise TaskError(self._fault(f"`{leaf.name}` of its observation is not finite {where}"))
        raise TaskError(self._fault(f"`{leaf.name}` of its observation is {value.dtype}, no numbers, {where}"))

    def _episode(self) -> str:
        return f"an episode of {self._steps} steps" + (f" with seed {self._seed}" if self._seed is not None else "")

    def _where(self, action: Any) -> str:
        started = f"of the episode with seed {self._seed}" if self._seed is not None else "of an episode"
        return f"in step {self._steps} {started}, after the action {_short(action)}"

    def _fault(self, text: str) -> str:
        return f"env={self._identity}: {text}"


_OLD = (
    "{0} gave {1}, which is the interface of the older package gym: wrap it with shimmy.GymV21CompatibilityV0(env=...) "
    "(pip install shimmy)"
)


def surely_finite(values: np.ndarray) -> bool:
    """Whether every number is finite, by one product, which costs a third of `np.isfinite(values).all()`.

    Also False if a square overflows, so the caller must check again.
    """
    flat = values if values.ndim == 1 else values.ravel()
    total = float(flat.dot(flat))
    return total - total == 0.0


def _said(error: Exception) -> str:
    return " ".join(what_failed(error).split())[:300]


def _short(action: Any) -> str:
    return np.array2string(np.asarray(action), precision=3, separator=", ", threshold=12)


class EnvironmentMaker:
    """Makes environments from a recipe, all with the same State.

    Attributes:
        definition: the loaded definition of the recipe.
        metric: the task metric.
        reader: reads the State.
        action_space: action space of a policy.

    Raises:
        ConfigError, TaskError: the environment cannot be used, see `recipe` and `ObservedEnvironment`.
    """

    def __init__(self, recipe: EnvironmentRecipe) -> None:
        self.definition: Definition = load_definition(recipe)
        self.metric = read_metric(self.definition.metric)
        first = self._observed(None)
        try:
            self.action_space = first.action_space
            self.reader = self._state(first)
        finally:
            first.close()

    def make(self, render_mode: str | None = None) -> ObservedEnvironment:
        """A new environment."""
        env = self._observed(render_mode)
        env.reader = self.reader
        return env

    def _observed(self, render_mode: str | None) -> ObservedEnvironment:
        return ObservedEnvironment(self.definition.make(render_mode), self.definition.recipe.identity, self.metric)

    def _state(self, env: ObservedEnvironment) -> StateReader:
        function = self.definition.state
        if function is None:
            tables = observation_tables(page_of(env))
            return state_of_spaces(env.env, require_numbers(self.definition.recipe.identity, env.env), tables)
        env.action_space.seed(0)
        env.reset(seed=0)
        step, *_ = env.transition(env.action_space.sample())
        identity = self.definition.recipe.identity
        try:
            return state_of_function(function, self.definition.fields, step, "in the first step of an episode")
        except TaskError as error:
            raise TaskError(f"env={identity}: {error}") from error


def page_of(env: gymnasium.Env[Any, Any]) -> str:
    """The docstring of an environment; empty if it has none of its own."""
    import inspect

    own = inspect.getdoc(type(env.unwrapped)) or ""
    return "" if own == inspect.getdoc(gymnasium.Env) else own
