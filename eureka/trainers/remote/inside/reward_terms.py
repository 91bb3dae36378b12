"""A reward as terms of a reward manager: computed once per step, and returned to it component by component.

Nothing but torch is imported: this file runs in the simulator's interpreter, under Python 3.10 or newer, and is copied
as it is into exported packages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

REST = "rest"
"""The name of the term for the difference between the total and the sum of the components."""


class TableTerms:
    """The terms of a task's own reward table, each computed by itself and before its weight.

    Terms of weight 0 are left out: a reward manager never computes them.

    Args:
        manager: a reward manager of the table that nothing else uses, since terms may keep values between steps.

    Attributes:
        weights: by the terms' names.
    """

    def __init__(self, manager: Any, env: Any) -> None:
        self._manager, self._env = manager, env
        weights = {name: float(manager.get_term_cfg(name).weight) for name in manager.active_terms}
        self.weights = {name: weight for name, weight in weights.items() if weight}

    def function(self, name: str) -> Any:
        """What computes a term: a function, or an instance of a class."""
        return self._manager.get_term_cfg(name).func

    def params(self, name: str) -> dict[str, Any]:
        """What it is given besides the environment."""
        return dict(self._manager.get_term_cfg(name).params)

    def value(self, name: str) -> torch.Tensor:
        """A term's value in this step, (num_envs,); to be asked for once in a step."""
        return self.function(name)(self._env, **self.params(name)).float()

    def reset(self, env_ids: Any = None) -> None:
        """Tell the terms which episodes begin anew."""
        self._manager.reset(env_ids=env_ids)


class SharedReward:
    """Computes a reward when its first term is evaluated in a step, and caches it for the other terms.

    Args:
        function: returns the total and the components (num_envs,) for a State.
        inputs: the State fields that it reads.
        read: returns these fields, (num_envs, ...).
        table: the terms of the task's own reward table, if the reward reads any; else None.

    Attributes:
        not_finite: number of environment steps in which each component was NaN or infinite although the State was
            finite.
        diverged: number of environment steps in which the State itself was not finite.
    """

    def __init__(
        self,
        function: Callable[[dict[str, torch.Tensor]], tuple[torch.Tensor, dict[str, torch.Tensor]]],
        inputs: Sequence[str],
        read: Callable[[Sequence[str]], dict[str, torch.Tensor]],
        table: TableTerms | None = None,
    ) -> None:
        self._function, self._inputs, self._read, self._table = function, tuple(inputs), read, table
        self._step: int | None = None
        self._values: dict[str, torch.Tensor] = {}
        self.not_finite: dict[str, int] = {}
        self.diverged = 0

    def component(self, env: Any, name: str) -> torch.Tensor:
        """One component (num_envs,) in this step; `REST` is the total minus all of them. Non-finite values are replaced
        by 0.
        """
        if env.common_step_counter != self._step:
            self._values = self._computed()
            self._step = env.common_step_counter
        return self._values[name]

    def reset(self, env_ids: Any = None) -> None:
        """Tell what it reads which episodes begin anew."""
        if self._table is not None:
            self._table.reset(env_ids)

    @torch.no_grad()
    def _computed(self) -> dict[str, torch.Tensor]:
        state = {name: value for name, value in self._read(self._inputs).items() if name in self._inputs}
        total, components = self._function(state)
        values = {**components, REST: total - sum(components.values())}
        whole = torch.ones_like(total, dtype=torch.bool)
        for value in state.values():
            if value.is_floating_point():
                whole &= value.flatten(1).isfinite().all(dim=1) if value.dim() > 1 else value.isfinite()
        finite = torch.stack([value.isfinite() for value in values.values()])
        if not bool(finite.all()):
            self._count(components, total, whole)
        return {name: torch.where(value.isfinite(), value, 0.0) for name, value in values.items()}

    def _count(self, components: Mapping[str, torch.Tensor], total: torch.Tensor, whole: torch.Tensor) -> None:
        self.diverged += int((~whole).sum())
        for name, value in {**components, "total": total}.items():
            broken = int((whole & ~value.isfinite()).sum())
            if broken:
                self.not_finite[name] = self.not_finite.get(name, 0) + broken


def term_names(components: Sequence[str], *, adds_up: bool) -> dict[str, str]:
    """The components by name of their terms, which are identifiers; includes `REST` if they do not add up to the
    total."""
    names: dict[str, str] = {}
    for component in (*components, *(() if adds_up else (REST,))):
        word = "".join(c if c.isascii() and c.isalnum() else "_" for c in component).strip("_") or "component"
        word = f"_{word}" if word[0].isdigit() else word
        unique, count = word, 1
        while unique in names:
            count += 1
            unique = f"{word}_{count}"
        names[unique] = component
    return names


def without_curricula_of(rewards: Sequence[str], curriculum: Any) -> list[str]:
    """The names of a curriculum's terms that change one of these reward terms, and so must be removed with them."""
    terms = curriculum if isinstance(curriculum, dict) else vars(curriculum or object)
    return [
        name
        for name, term in terms.items()
        if any(
            isinstance(value, str) and value in rewards for value in dict(getattr(term, "params", {}) or {}).values()
        )
    ]
