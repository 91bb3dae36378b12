"""The work behind the commands `run`, `resume` and `evaluate`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType

from eureka.config import ModelConfig, Parent, RunConfig, from_yaml
from eureka.console import ProgressLines, line
from eureka.errors import StoreError
from eureka.estimate import call_line, duration, estimate, measure_steps_per_second
from eureka.evaluation import best_reward, evaluations, retrain, retraining_jobs, summarise
from eureka.export import export_reward
from eureka.llm.base import Proposer
from eureka.llm.budget import Ledger, Spent
from eureka.llm.keys import Key
from eureka.llm.tokens import token_bound, token_estimate
from eureka.loop import Run, evolve, outcomes
from eureka.models import ModelAccess, make_ledger
from eureka.prompts import render_prompt
from eureka.reward.service import PRELOAD, RewardVerifier
from eureka.rl.recording import Recording, probe_metric, record
from eureka.sandbox import LayerReport, Limits, Sandbox
from eureka.search import Greedy, Outcome, pooled_score
from eureka.spending import open_calls, settle_calls, spending_line, spent_before, spent_beside_answers
from eureka.store import RunStore
from eureka.tasks import Task, load_task
from eureka.types import Prompt, PromptFacts, Reward, Schedule
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
    ledger: Ledger | None = None

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
        with (
            closing(make_backend(config, store.checkpoint_folder, self.task_dirs, self.environment)) as backend,
            self._accounts(store),
        ):
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
                    watcher=ProgressLines(
                        config.search.generations,
                        self.proposer.name,
                        self.task.metric.unit,
                        partial(spending_line, store) if isinstance(config.llm, ModelConfig) else None,
                    ),
                    generations=config.search.generations,
                    samples=config.search.samples,
                    training_seeds=config.train.seeds,
                    seed=config.seed,
                    finalists=config.search.finalists,
                    confirmation_seeds=config.search.confirmation_seeds,
                    hint=config.search.hint or "",
                    repairs=config.search.repairs,
                    probe=lambda: probe_metric(self.recording),
                )
            )
        self._hand_over(store, outcome)
        store.mark_finished()

    def preview(self) -> None:
        """Print the first prompt, and what the run would take. Asks nobody and writes nothing."""
        prompt = self._first_prompt()
        for message in prompt.messages:
            line(f"=== {message.role} ===")
            line(message.content)
        line("=== end of the first prompt ===")
        line(f"about {token_estimate(prompt.messages):,} tokens, at most {token_bound(prompt.messages):,}")
        expected = estimate(self.config, self.schedule, prompt)
        if isinstance(self.config.llm, ModelConfig):
            line(call_line(self.config, expected))
        else:
            line(f"{self.proposer.name} is asked, which costs nothing: {self.proposer.description}")
        workers = self.config.train.workers or 1
        speed = measure_steps_per_second(self.task, self.schedule.num_envs, workers)
        line(
            f"training: {expected.control_steps:,} control steps, about {duration(expected.training_s(speed))} with "
            f"{workers} {'worker' if workers == 1 else 'workers'} on this machine"
        )
        if expected.asking_s:
            line(f"waiting for answers: about {duration(expected.asking_s)}")
        line("this was a dry run: nobody was asked, and nothing was written")

    def _first_prompt(self) -> Prompt:
        facts = PromptFacts(
            task=self.task.info.name,
            seed=self.config.seed,
            generation=1,
            state=self.task.fields,
            hint=self.config.search.hint or "",
        )
        info = self.task.info
        return render_prompt(description=info.description, environment_source=self.task.shown_source, facts=facts)

    @contextmanager
    def _accounts(self, store: RunStore) -> Iterator[None]:
        """Keep in the store what the answers recorded there do not tell of a language model's cost."""
        if self.ledger is None or not isinstance(self.config.llm, ModelConfig):
            yield
            return
        before = spent_beside_answers(store, self.config.llm)
        open_calls(store)
        try:
            yield
        finally:
            settle_calls(store, before, self.ledger)

    def _announce(self, store: RunStore) -> None:
        line(f"task {self.task.info.name}: {self.task.info.description}")
        line(self.proposer.description)
        if isinstance(self.config.llm, ModelConfig):
            line(call_line(self.config, estimate(self.config, self.schedule, self._first_prompt())))
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
    config: RunConfig,
    task_dirs: Sequence[Path],
    environment: Mapping[str, str],
    keys: Mapping[str, Key] = MappingProxyType({}),
    resumed: RunStore | None = None,
) -> Iterator[SearchSession]:
    """Load the task, start the sandbox and record transitions: all that can fail before anything is asked or written.

    Args:
        keys: the language models', by provider; in nothing that a run writes, and in no child process.
        resumed: the run that goes on; what it has spent counts.

    Raises:
        EurekaError: the task, the machine or the proposer cannot be used.
    """
    task = load_task(config.task, task_dirs)
    schedule = make_schedule(config, task.info)
    ledger = None
    if isinstance(config.llm, ModelConfig):
        ledger = make_ledger(config.llm, spent_before(resumed, config.llm) if resumed else Spent())
    proposer = make_proposer(config, ModelAccess(keys, ledger, line) if ledger else None)
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
            ledger=ledger,
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
