"""An open environment of one task: its State, its metric, random transitions, and rewards to train with.

rsl_rl steps environments in torch's inference mode, and tensors written in that mode cannot be written outside it. So
all code here that steps or resets an environment uses that mode too.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import torch

from eureka.trainers.remote.inside.metric import EpisodeValues, MetricReader, choose_metric
from eureka.trainers.remote.inside.reward_terms import SharedReward, TableTerms, term_names, without_curricula_of
from eureka.trainers.remote.inside.simulators import RewardManagerSimulator
from eureka.trainers.remote.inside.state import ManagerStateReader

_RECORDED_ROWS = 8_000


@dataclass(frozen=True)
class OpenRequest:
    """A request to open an environment.

    Attributes:
        state_file: the user's file with further fields.
        metric: name of the metric; None: a default is chosen.
        with_table: whether the terms of the task's own reward table are State fields.
    """

    task: str
    device: str
    num_envs: int
    state_file: str | None = None
    metric: str | None = None
    with_table: bool = False


class StepRecord:
    """The values of the reward manager since the last `take`: rows of totals, components and metric."""

    def __init__(self) -> None:
        self.rows: list[torch.Tensor] = []
        self.metric: list[torch.Tensor] = []

    def take(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return and clear the components (steps, num_envs, terms) and the metric (steps, num_envs)."""
        rows, metric = torch.stack(self.rows), torch.stack(self.metric)
        self.rows, self.metric = [], []
        return rows, metric


class OpenEnvironment:
    """A task's environment in which the reward can be replaced.

    Attributes:
        components: components of the current reward, in the order of `record`'s columns.
        record: the values of the current reward.
        finished: index of the environment, metric and length of each finished episode.
        table: the terms of the task's own reward table, if they are State fields; else None.
    """

    def __init__(self, simulator: RewardManagerSimulator, request: OpenRequest) -> None:
        self.simulator, self.request = simulator, request
        self._make(seed=0)
        # A runner's configuration may depend on the number of environments, which are made first.
        self.cfg, self.agent = simulator.configs(request.task)
        self.metric = choose_metric(self.env, self.env.reward_manager, request.metric)
        self.has_curriculum = bool(getattr(getattr(self.env, "curriculum_manager", None), "active_terms", None))
        self.components: tuple[str, ...] = ()
        self.shared: SharedReward | None = None
        self.put_in(None)

    def _make(self, seed: int) -> None:
        cfg, _ = self.simulator.configs(self.request.task)
        cfg.scene.num_envs = self.request.num_envs
        cfg.seed = seed
        # Curricula that change terms of the reward table would look for them in the replaced reward.
        table = cfg.rewards if isinstance(cfg.rewards, dict) else vars(cfg.rewards)
        for name in without_curricula_of(tuple(table), cfg.curriculum):
            if isinstance(cfg.curriculum, dict):
                del cfg.curriculum[name]
            else:
                setattr(cfg.curriculum, name, None)
        self.env = self.simulator.make(cfg, self.request.task, self.request.device)
        self.human = self.env.reward_manager
        self.table: TableTerms | None = None
        if self.request.with_table:
            own, _ = self.simulator.configs(self.request.task)
            self.table = TableTerms(self.simulator.reward_manager(own.rewards, self.env), self.env)
        self.reader = ManagerStateReader(self.env, self.simulator.quaternions, self.request.state_file, self.table)

    @torch.inference_mode()
    def renew(self, seed: int) -> None:
        """Make a new environment if a curriculum has changed the old one; otherwise reset all its episodes."""
        if self.has_curriculum and self.env.common_step_counter:
            self.env.close()
            self._make(seed)
        self.env.seed(seed)
        self.env.common_step_counter = 0
        self.env.reset()

    # ---- the reward ------------------------------------------------------------------------------------------------

    def put_in(self, reward: str | None) -> None:
        """Use the reward in an exported module's text instead of the reward table; None restores the table."""
        env = self.env
        if reward is None:
            self.shared = None
            manager = self.human
            self.components = tuple(manager.active_terms)
        else:
            module = load_module(reward)
            self.shared = SharedReward(module["compute_reward_from_state"], module["INPUTS"], self.reader.read)
            shared = self.shared

            def term(env: Any, component: str) -> torch.Tensor:
                return shared.component(env, component)

            names = term_names(module["COMPONENTS"], adds_up=False)
            terms = {name: self.simulator.reward_term(term, {"component": part}) for name, part in names.items()}
            manager = self.simulator.reward_manager(terms, env)
            self.components = tuple(names.values())
        self._manager = manager
        env.reward_manager = manager
        self.reading = MetricReader(self.simulator, env, self.human, self.metric)
        self.record = StepRecord()
        self.values = EpisodeValues(env.num_envs, env.max_episode_length, self.metric.reduce, env.device)
        self.finished: list[tuple[int, float, int]] = []
        self._observe(manager)

    def _observe(self, manager: Any) -> None:
        """Record the values that the manager computes, and also compute the task's own table if the metric needs it."""
        cls, beside = type(manager), self.reading.needs_human and manager is not self.human
        human, human_class = self.human, type(self.human)

        def compute(dt: float) -> torch.Tensor:
            given = cls.compute(manager, dt=dt)
            if beside:
                human_class.compute(human, dt=dt)
            self.record.rows.append(manager._step_reward.clone())
            if not self.reading.after_step:
                self.record.metric.append(self.reading())
            return given

        def reset(env_ids: Any = None) -> Any:
            if beside:
                human_class.reset(human, env_ids=env_ids)
            if self.table is not None:
                self.table.reset(env_ids)
            return cls.reset(manager, env_ids=env_ids)

        manager.compute, manager.reset = compute, reset

    @torch.inference_mode()
    def after_step(self, done: torch.Tensor) -> None:
        """Record finished episodes; called after every step with the flags (num_envs,) of the episodes that ended."""
        if self.reading.after_step:
            self.record.metric.append(self.reading())
        self.finished += self.values.add(self.record.metric[-1], done.bool())

    def step(self, action: torch.Tensor) -> torch.Tensor:
        """Take one step; returns the flags of the episodes that ended."""
        _, _, terminated, truncated, _ = self.env.step(action)
        done = terminated | truncated
        self.after_step(done)
        return done

    # ---- what rewards are checked on -------------------------------------------------------------------------------

    @torch.inference_mode()
    def record_transitions(self, num: int, seed: int) -> dict[str, torch.Tensor]:
        """Record `num` rows of State, metric and flags under random actions of different vigour, each held for several
        steps.

        A quarter of the rows are the last of an episode, if enough episodes terminated.
        """
        self.renew(seed)
        self.put_in(None)
        env = self.env
        generator = torch.Generator().manual_seed(seed)
        size = env.action_manager.total_action_dim
        vigour = torch.rand(env.num_envs, 1, generator=generator) * 2.0
        held = torch.rand(env.num_envs, 1, generator=generator) * 0.95
        states: list[dict[str, torch.Tensor]] = []
        flags: list[torch.Tensor] = []
        compute = env.reward_manager.compute

        def observed(dt: float) -> torch.Tensor:
            states.append(self.reader.read())
            flags.append(env.termination_manager.terminated.clone())
            return compute(dt=dt)

        env.reward_manager.compute = observed
        action = torch.zeros(env.num_envs, size)
        for _ in range(max(40, min(400, _RECORDED_ROWS // env.num_envs))):
            new = torch.randn(env.num_envs, size, generator=generator) * vigour
            action = torch.where(torch.rand(env.num_envs, 1, generator=generator) < held, action, new)
            self.step(action.to(env.device))
        rows = {name: torch.cat([state[name] for state in states]).cpu() for name in states[0]}
        ended, metric = torch.cat(flags).cpu().bool(), torch.cat(self.record.metric).cpu()
        self.put_in(None)
        kept = _chosen(ended, num, generator)
        return {f"state.{name}": value[kept] for name, value in rows.items()} | {
            "metric": metric[kept],
            "terminated": ended[kept],
        }

    @torch.inference_mode()
    def measure_speed(self, seconds: float) -> float:
        """Control steps per second of all environments together, without learning."""
        zeros = torch.zeros(self.env.num_envs, self.env.action_manager.total_action_dim, device=self.env.device)
        self.step(zeros)
        started, steps = time.monotonic(), 0
        while time.monotonic() - started < seconds:
            self.step(zeros)
            steps += 1
        self.put_in(None)
        return steps * self.env.num_envs / (time.monotonic() - started)


def _chosen(ended: torch.Tensor, num: int, generator: torch.Generator) -> torch.Tensor:
    """The indices of `num` rows in random order."""
    last, others = ended.nonzero().flatten(), (~ended).nonzero().flatten()
    last = last[torch.randperm(len(last), generator=generator)][: num // 4]
    others = others[torch.randperm(len(others), generator=generator)][: num - len(last)]
    kept = torch.cat([last, others])
    return kept[torch.randperm(len(kept), generator=generator)]


def load_module(text: str) -> dict[str, Any]:
    """The namespace of an exported reward module, whose text Eureka generated from a verified graph."""
    scope: dict[str, Any] = {"__name__": "eureka_reward"}
    exec(compile(text, "<exported reward>", "exec"), scope)
    return scope
