"""The work behind the commands `run`, `resume` and `evaluate`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from eureka.config import Parent, RunConfig, from_yaml
from eureka.console import ProgressLines, line
from eureka.errors import StoreError
from eureka.evaluation import best_reward, evaluations, retrain, retraining_jobs, summarise
from eureka.export import export_reward
from eureka.llm.base import Proposer
from eureka.loop import Run, evolve, outcomes
from eureka.reward.service import PRELOAD, RewardVerifier
from eureka.rl.recording import Recording, probe_metric, record
from eureka.sandbox import LayerReport, Limits, Sandbox
from eureka.search import Greedy, Outcome, pooled_score
from eureka.store import RunStore
from eureka.tasks import Task, load_task
from eureka.types import Reward, Schedule
from eureka.wiring import evaluation_schedule, make_backend, make_proposer, make_schedule, recorded_task_dirs, run_facts

TRACE_LIMITS = Limits(wall_s=10.0, cpu_s=10, memory_bytes=1 << 30)
"""A candidate is traced in a tenth of a second at a few dozen environments: these leave room for slow machines."""


@dataclass(frozen=True)
class SearchSession:
    """Everything that a search needs beside its run folder, ready to work."""

    config: RunConfig
    task_dirs: tuple[Path, ...]
    task: Task
    schedule: Schedule
    proposer: Proposer
    recording: Recording
    verifier: RewardVerifier
    layers: tuple[LayerReport, ...]
    environment: Mapping[str, str]

    def facts(self) -> dict[str, str]:
        """What is kept about the run beside its config."""
        confined = "; ".join(f"{layer.name} {layer.state}" for layer in self.layers)
        return {**run_facts(self.config, self.proposer, self.task_dirs), "sandbox layers": confined}

    def search(self, store: RunStore) -> None:
        """Run the search, or what is left of it, and hand the best reward over.

        Raises:
            EurekaError: the host failed, or no reward was usable; what was finished stays in the store.
        """
        config = self.config
        self._announce(store)
        with closing(make_backend(config, store.checkpoint_folder, self.task_dirs, self.environment)) as backend:
            outcome = evolve(
                Run(
                    task=self.task,
                    store=store,
                    proposer=self.proposer,
                    verifier=self.verifier,
                    backend=backend,
                    search=Greedy(
                        "best_of_generation" if config.search.parent is Parent.best_of_generation else "best_so_far"
                    ),
                    schedule=self.schedule,
                    watcher=ProgressLines(config.search.generations, self.proposer.name, self.task.metric.unit),
                    generations=config.search.generations,
                    samples=config.search.samples,
                    training_seeds=config.train.seeds,
                    seed=config.seed,
                    finalists=config.search.finalists,
                    confirmation_seeds=config.search.confirmation_seeds,
                    probe=lambda: probe_metric(self.recording),
                )
            )
        self._hand_over(store, outcome)
        store.mark_finished()

    def _announce(self, store: RunStore) -> None:
        line(f"task {self.task.info.name}: {self.task.info.description}")
        line(self.proposer.description)
        line(f"had metric access: {'yes' if self.proposer.uses_metric else 'no'}")
        line(f"sandbox: {store.facts()['sandbox layers']}")
        if "unsafe" in store.facts():
            line(f"UNSAFE: {store.facts()['unsafe']}")
        line(f"run folder: {store.folder} (if it is stopped, `eureka resume {store.folder}` goes on)")
        in_flight = store.calls_in_flight()
        if in_flight:
            line(f"asked before and not answered, so asked again: {', '.join(in_flight)}")

    def _hand_over(self, store: RunStore, outcome: Outcome) -> None:
        best = max(outcome.results, key=lambda result: result.score)
        store.write_file("best/reward.py", reward_module(store, self.task, best_reward(store)))
        store.write_file("best/source.py.txt", outcome.candidate.source)
        store.write_file("best/policy.pt", best.policy)
        line()
        line(f"best reward: {outcome.candidate.id}, {outcome.score:.3g} {self.task.metric.unit}")
        line(f"components: {', '.join(best.components)}")
        line(f"as a module that needs only torch: {store.best_folder / 'reward.py'}")
        line(f"how sure the score is: eureka evaluate {store.folder}")


def reward_module(store: RunStore, task: Task, reward: Reward) -> str:
    """The text of the standalone module of one reward, with where it came from."""
    facts = store.facts()
    score = pooled_score([result for result in store.results() if result.candidate_id == reward.candidate_id])
    provenance = {
        "Sentence": task.info.description,
        "Score": f"{score:.4g} {task.metric.unit} ({task.metric.description}) in the search's own evaluation",
        "Proposer": facts["proposer"],
        "Had metric access": facts["had metric access"],
        "Written by": f"eureka {facts['eureka']}",
    }
    if "unsafe" in facts:
        provenance["UNSAFE"] = facts["unsafe"]
    return export_reward(
        graph=reward.graph,
        task=task.info.name,
        candidate_id=reward.candidate_id,
        fields=task.fields,
        provenance=provenance,
    )


@contextmanager
def search_session(
    config: RunConfig, task_dirs: Sequence[Path], environment: Mapping[str, str]
) -> Iterator[SearchSession]:
    """Load the task, start the sandbox and record transitions: all that can fail before anything is asked or written.

    Raises:
        EurekaError: the task, the machine or the proposer cannot be used.
    """
    task = load_task(config.task, task_dirs)
    schedule = make_schedule(config, task.info)
    proposer = make_proposer(config)
    with Sandbox(preload=PRELOAD, limits=TRACE_LIMITS, mode=config.sandbox.value) as sandbox:
        recording = record(task)
        yield SearchSession(
            config=config,
            task_dirs=tuple(task_dirs),
            task=task,
            schedule=schedule,
            proposer=proposer,
            recording=recording,
            verifier=RewardVerifier(task.fields, recording.state, sandbox),
            layers=sandbox.layers,
            environment=environment,
        )


def evaluate_run(
    store: RunStore, num_seeds: int | None, task_dirs: Sequence[Path], environment: Mapping[str, str]
) -> None:
    """Re-train a run's best reward with fresh seeds and print what they say together.

    Args:
        num_seeds: as the run's config has it where None.
    """
    config = from_yaml(store.config_yaml)
    every_dir = [*recorded_task_dirs(store), *task_dirs]
    task = load_task(config.task, every_dir)
    reward = best_reward(store)
    count = num_seeds or config.evaluation.seeds
    lines = ProgressLines(1, "", task.metric.unit)
    line(f"re-training {reward.candidate_id} with {count} fresh seeds")
    with closing(make_backend(config, store.checkpoint_folder / "evaluation", every_dir, environment)) as backend:
        jobs = retraining_jobs(store, reward, evaluation_schedule(config, task.info), count)
        lines.training_started(jobs)
        for event in retrain(store, backend, jobs):
            lines.event(event)
    results = evaluations(store, reward.candidate_id)[:count]
    for result in results:
        line(f"seed {result.seed}: {result.score:.4g} {task.metric.unit}")
    summary = summarise([result.score for result in results])
    interval = f", 95% interval [{summary.interval[0]:.4g}, {summary.interval[1]:.4g}]" if summary.interval else ""
    line(f"IQM over {len(results)} seeds: {summary.iqm:.4g} {task.metric.unit}{interval}")


def export_run(store: RunStore, candidate: str | None, task_dirs: Sequence[Path]) -> str:
    """The standalone module of a run's best reward, or of another candidate's.

    Raises:
        StoreError: no reward is there yet, or the run has no verified reward of that id.
    """
    config = from_yaml(store.config_yaml)
    task = load_task(config.task, [*recorded_task_dirs(store), *task_dirs])
    if candidate is None:
        return reward_module(store, task, best_reward(store))
    rewards = {outcome.candidate.id for outcome in outcomes(store)}
    if candidate not in rewards:
        raise StoreError(f"{store.folder}: no trained reward {candidate}; there are {', '.join(sorted(rewards))}")
    return reward_module(store, task, next(r for r in store.rewards() if r.candidate_id == candidate))
