"""The work behind the commands `run` and `resume`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from eureka.app.build import (
    UNSAFE,
    cache_folder,
    resume_command,
    run_facts,
)
from eureka.app.comparing import best_reward, print_comparison, watching_comparison
from eureka.app.estimate import (
    assumption_line,
    call_line,
    estimate,
    first_prompt,
    largest_cost,
)
from eureka.app.exporting import reward_module
from eureka.config import Halving, RunConfig, SandboxMode
from eureka.core.errors import ConfigError, ProposerError, SearchFailed
from eureka.core.events import BestReward, Observer, RunStarted, broadcast, ignore
from eureka.core.ids import INIT_ID
from eureka.core.training import TrainingLength
from eureka.core.types import TaskSpec
from eureka.evaluation import Comparison, Role, read_comparison
from eureka.evaluation.comparer import Comparer
from eureka.proposers.base import Proposer
from eureka.proposers.budget import Ledger
from eureka.proposers.provider import ModelConfig
from eureka.proposers.spending import recording_costs, spending_line
from eureka.reward.analysis.confined import Examiner
from eureka.reward.analysis.screening import Screening
from eureka.reward.trace.service import RewardVerifier
from eureka.sandbox import LayerReport
from eureka.search.diagnoses import record_diagnoses
from eureka.search.history import SEED_STRIDE, Budget
from eureka.search.loop import evolve
from eureka.search.methods import make_method
from eureka.search.methods.base import Services
from eureka.search.outcomes import Outcome, outcomes, ranked
from eureka.search.racing import RUNGS, TO_THE_END, Racing, make_race
from eureka.search.run import Run
from eureka.search.start import Start, label
from eureka.search.status import candidate_statuses, summary_lines
from eureka.search.tuning import Tuning
from eureka.search.warm_start import FROM_SCRATCH, WarmStart, keep
from eureka.store import Fitness, RunFacts, RunStore
from eureka.trainers.base import Trainer
from eureka.trainers.recording import probe_metric, random_ranges
from eureka.trainers.trajectories import cached_trajectories
from eureka.ui.console import View, best_reward_found, say, watching
from eureka.ui.report.writer import ReportWriter, update_report
from eureka.ui.tracking import tracking
from eureka.ui.video.queue import FilmQueue
from eureka.ui.web.live_page import live_page
from eureka.ui.web.review.reviewer import asks_somebody, make_reviewer


@dataclass(frozen=True)
class SearchSession:
    """The objects that a search needs besides its run folder."""

    config: RunConfig
    task_dirs: tuple[Path, ...]
    trainer: Trainer
    length: TrainingLength
    proposer: Proposer
    verifier: RewardVerifier
    examiner: Examiner
    layers: tuple[LayerReport, ...]
    environment: Mapping[str, str]
    comparer: Comparer | None
    ledger: Ledger | None = None
    start: Start | None = None
    warm_start: WarmStart = FROM_SCRATCH
    limits: tuple[str, ...] = ()

    @property
    def spec(self) -> TaskSpec:
        """The task's specification."""
        return self.trainer.spec

    @property
    def confinement(self) -> str:
        """The layers of confinement in force."""
        return "; ".join(f"{name} {state}" for name, state in self._layers.items())

    @property
    def _layers(self) -> dict[str, str]:
        return {layer.name: layer.state for layer in self.layers}

    def facts(self) -> RunFacts:
        """The facts recorded of the run besides its config."""
        return replace(
            run_facts(self.config, self.proposer, self.task_dirs),
            sandbox_layers=self._layers,
            trainer=" · ".join([self.trainer.description, *self.limits]),
            sentence=self.spec.sentence,
            metric=self.spec.judged_by,
            metric_unit=self.spec.unit,
            fitness=Fitness.METRIC if self.spec.has_metric else Fitness.PREFERENCE,
            seed_stride=SEED_STRIDE,
            init=self.start.origin if self.start else "",
            init_source=self.start.source if self.start else "",
        )

    def require_judge(self, *, has_answers: bool) -> None:
        """Raise ConfigError if the task has no metric and no person would judge its policies."""
        if not (self.spec.has_metric or has_answers or asks_somebody(self.config)):
            raise ConfigError(
                f"task {self.spec.name} has no metric (fitness: preference), so a person must judge: give "
                "search.feedback=ask, or --feedback FILE"
            )

    def search(self, store: RunStore, *, watch: bool = False) -> None:
        """Run the search and the final comparison, or the rest of them, and export the best reward.

        Args:
            watch: whether to serve the run's page during the run.

        Raises:
            EurekaError: the host failed, or no reward was usable; finished results stay in the store.
        """
        self._announce(store)
        keep(self.warm_start, store)
        screening = self._screening()
        with (
            live_page(store.folder, self.environment, say) if watch else nullcontext(),
            FilmQueue(store, self.config.report.films, self.environment, say, self.task_dirs, self.config) as films,
        ):
            with (
                closing(self.trainer),
                ReportWriter(store.folder, self.environment, say) as report,
                tracking(self.config, store, self.environment, say) as tracker,
            ):

                def after_generation() -> None:
                    self._record_worker_confinement(store)
                    record_diagnoses(store, screening.examiner)
                    report.start()
                    films.film_report()

                with self._with_summary(store), self._recorded_costs(store), watching(self._view(store)) as shown:
                    observe = broadcast(shown, tracker)
                    observe(self._run_started(store))
                    run = self._run(store, observe, screening, after_generation, films.film_review)
                    outcome = evolve(run)
                # Exported before the comparison, so that the module exists even if the comparison fails.
                self._hand_over(store, outcome)
                if self.comparer is not None:
                    rivals = ranked(other for other in outcomes(store) if _is_rival(other, outcome))
                    seeds = self.config.evaluation.seeds
                    with watching_comparison(store, self.spec) as shown:
                        outcome = self.comparer.choose(store, [outcome, *rivals], seeds, broadcast(shown, tracker))
                    self._record_worker_confinement(store)
                    self._hand_over(store, outcome)
            self.trainer.forget(store.checkpoint_folder)
            store.mark_finished()
            self._report_result(store, outcome)
            films.finish()
        update_report(store.folder, self.environment, say)

    def _run(
        self,
        store: RunStore,
        observe: Observer,
        screening: Screening,
        after_generation: Callable[[], None],
        film_review: Callable[[int, Sequence[str]], None],
    ) -> Run:
        config = self.config
        services = Services(
            capabilities=lambda: self.proposer.capabilities,
            probe=lambda: probe_metric(self.trainer.record()),
            random_ranges=lambda: random_ranges(self.trainer.record()),
            diagnose=screening.about,
            constants=screening.constants,
            racing=self._racing(),
        )
        return Run(
            trainer=self.trainer,
            store=store,
            proposer=self.proposer,
            verifier=self.verifier,
            method=make_method(config.search, services),
            budget=self._budget(store),
            seed=config.seed,
            observe=observe,
            warm_start=self.warm_start,
            hint=config.search.hint or "",
            start=self.start.source if self.start else "",
            screening=screening,
            tuning=Tuning(config.search.tune, screening.constants) if config.search.tune else None,
            reviewer=make_reviewer(config, store, say, film_review),
            after_generation=after_generation,
        )

    def stepwise(self, store: RunStore) -> Run:
        """The `Run` of a search whose steps the caller takes (ask and tell): without console output and films."""
        screening = self._screening()

        def after_generation() -> None:
            record_diagnoses(store, screening.examiner)

        return self._run(store, ignore, screening, after_generation, lambda _generation, _names: None)

    def _budget(self, store: RunStore) -> Budget:
        search, train = self.config.search, self.config.train
        return Budget(
            generations=search.generations,
            samples=search.samples,
            length=self.length,
            training_seeds=train.num_seeds,
            seed_stride=store.facts().seed_stride,
            retrained=search.retrain,
            finalists=search.finalists,
            confirmation_seeds=search.confirmation_seeds,
            repairs=search.repairs,
            target=train.target,
        )

    def _racing(self) -> Racing | None:
        """The rules that decide which trainings follow; None if every candidate is trained to the end, and no
        further."""
        train, search = self.config.train, self.config.search
        if train.halving is Halving.off:
            return None
        seeds = range(train.num_seeds + search.confirmation_seeds)
        evaluations = len(self.trainer.evaluated_after(self.length))
        shares = RUNGS if train.halving is Halving.race else TO_THE_END
        return Racing(make_race(evaluations, seeds, train.num_seeds, search.samples, shares))

    def _screening(self) -> Screening:
        """The screening that rejects rewards not worth training; with `search.preflight`, also by recorded
        trajectories.
        """
        if not self.config.search.preflight:
            return Screening(self.examiner)
        folder = cache_folder(self.environment, "trajectories") if self.config.evaluation.cache else None
        trajectories = cached_trajectories(self.trainer, folder, say)
        return Screening(self.examiner.with_trajectories(trajectories, self.trainer.discount))

    def _run_started(self, store: RunStore) -> RunStarted:
        return RunStarted(
            task=self.spec.name,
            unit=self.spec.unit,
            folder=str(store.folder),
            proposer=self.proposer.name,
            generations=self.config.search.generations,
            samples=self.config.search.samples,
            finished_generations=len(store.finished_generations()),
        )

    def _view(self, store: RunStore) -> View:
        search = self.config.search
        return View(
            title=self.spec.name,
            unit=self.spec.unit,
            has_metric=self.spec.has_metric,
            store=store,
            proposer=self.proposer.name,
            generations=search.generations,
            samples=search.samples + search.tune,
            trainings=self.config.train.num_seeds,
            retrained=search.retrain,
            confirmations=search.finalists * search.confirmation_seeds if search.finalists > 1 else 0,
            spending=partial(spending_line, store) if isinstance(self.config.llm, ModelConfig) else None,
        )

    def _recorded_costs(self, store: RunStore) -> AbstractContextManager[None]:
        """Within the context, record costs of a language model besides its recorded answers: lost answers, and
        waiting."""
        if self.ledger is None or not isinstance(self.config.llm, ModelConfig):
            return nullcontext()
        return recording_costs(store, self.config.llm, self.ledger)

    @contextmanager
    def _with_summary(self, store: RunStore) -> Iterator[None]:
        """Print the status of all candidates when the search ends, even with an error."""
        try:
            yield
        except (ProposerError, SearchFailed):
            self._print_statuses(store)
            raise
        self._print_statuses(store)

    def _print_statuses(self, store: RunStore) -> None:
        for text in summary_lines(candidate_statuses(store), self.spec.unit):
            say(text)

    def _announce(self, store: RunStore) -> None:
        say(f"task {self.spec.name}: {self.spec.sentence}")
        say(self.proposer.description)
        if isinstance(self.config.llm, ModelConfig):
            prompt = first_prompt(self.config, self.spec, self.length.steps, self.trainer.record())
            expected = estimate(self.config, prompt)
            say(call_line(self.config, expected))
            say(assumption_line(expected))
        for sentence in (self.trainer.description, *self.limits):
            say(sentence)
        for text in largest_cost(self.config, self.trainer, self.length).sentences:
            say(text)
        say(_metric_access(store.facts()))
        if self.start is not None:
            say(self.start.sentence)
            if not self.proposer.capabilities.reads(self.start.source):
                say(f"{self.proposer.name} reads its own kind of code alone: this is trained and compared, not changed")
        self._record_confinement(store)
        resume = resume_command(store.folder, self.config, self.task_dirs, self.environment)
        say(f"run folder: {store.folder} (if it is stopped, `{resume}` goes on)")
        in_flight = store.calls_in_flight()
        if in_flight:
            say(f"not answered when the run stopped, so asked for now: {', '.join(map(str, in_flight))}")
            if isinstance(self.config.llm, ModelConfig):
                say(f"up to {min(self.config.llm.concurrency, len(in_flight))} of these may be billed a second time")

    def _record_confinement(self, store: RunStore) -> None:
        """Print the confinement now in force, and store it in place of an earlier record."""
        say(f"sandbox: {self.confinement}")
        facts = replace(store.facts(), sandbox_layers=self._layers)
        store.record_facts(replace(facts, unsafe=UNSAFE) if self.config.sandbox is SandboxMode.unsafe else facts)
        _warn_unsafe(store)

    def _record_worker_confinement(self, store: RunStore) -> None:
        """Print the confinement of the training processes, which is known once they have started."""
        found = self.trainer.can.confinement
        if found and store.facts().training_workers != found:
            say(f"confinement of training workers: {found}")
            store.record_facts(replace(store.facts(), training_workers=found))

    def _hand_over(self, store: RunStore, outcome: Outcome) -> None:
        best = max(outcome.results, key=lambda result: result.score)
        store.write_file("best/reward.py", reward_module(store, best_reward(store)))
        store.write_file("best/source.py.txt", outcome.candidate.source)
        store.write_file("best/policy.pt", store.policy(best))

    def _report_result(self, store: RunStore, outcome: Outcome) -> None:
        generations = len(store.finished_generations())
        target = self.config.train.target
        if target is not None and generations < self.config.search.generations:
            say(f"generation {generations} was the last: it reached train.target={target:g}")
        comparison = read_comparison(store.folder)
        if comparison is not None:
            print_comparison(comparison)
            again = resume_command(store.folder, self.config, self.task_dirs, self.environment, "evaluate")
            say(f"more seeds: {again} --seeds N")
        if not self.spec.has_metric:
            say("the task has no metric, so there is no comparison: a person's preferences chose the best")
        if outcome.candidate.id == INIT_ID:
            say(f"nothing that the search tried did better than {label(store.facts())}, which it started from")
        module = str(store.best_folder / "reward.py")
        components = tuple(outcome.results[0].components)
        score, seeds = _worth(outcome, comparison)
        best_reward_found(BestReward(outcome.candidate.id, score, self.spec.unit, components, module, seeds))
        _warn_unsafe(store)


def _worth(outcome: Outcome, comparison: Comparison | None) -> tuple[float, int]:
    """What is said of the best reward: its figure in the comparison and by how many seeds; else its estimate and 0."""
    compared = comparison.method(Role.BEST) if comparison else None
    if compared is None or compared.iqm is None or compared.name != outcome.candidate.id:
        return outcome.worth, 0
    return compared.iqm.value, len(compared.scores)


def _warn_unsafe(store: RunStore) -> None:
    if store.facts().unsafe:
        say(f"UNSAFE: {UNSAFE}")


def _metric_access(facts: RunFacts) -> str:
    if not facts.has_metric:
        return f"metric access: {facts.metric_access}"
    if facts.had_metric_access:
        return "metric access: yes, what the task metric says of sampled states helps to write or to screen rewards"
    return "metric access: no, of the task metric only the results of trainings are seen"


def _is_rival(other: Outcome, best: Outcome) -> bool:
    """Whether a candidate may replace the best one: it needs a second training if the best has one."""
    return other.candidate.id != best.candidate.id and len(other.results) >= min(2, len(best.results))
