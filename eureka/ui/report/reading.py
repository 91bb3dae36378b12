"""A run's store -> RunView. Reads, and computes nothing that a training would have to be repeated for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from eureka.config.settings import stored_settings
from eureka.core.ids import INIT_ID, generation_of
from eureka.core.types import Candidate, Completion, Message, Prompt, Rejected, Stage, TrainingResult
from eureka.evaluation.record import read_comparison
from eureka.prompts import render_continuation, render_repair, render_variety
from eureka.reward.extract.answer_text import without_thinking
from eureka.search.preferences import preference_scores, score_of
from eureka.search.racing import stopped_after
from eureka.search.reflection import reflect
from eureka.search.start import label
from eureka.store import RunStore
from eureka.store.diagnoses import read_diagnoses
from eureka.ui.report.text import listed
from eureka.ui.report.views import Attempt, CandidateView, GenerationView, RunView, Spending


def read_run(store: RunStore) -> RunView:
    """Everything that a report shows, from a run that may still be going on.

    Raises:
        StoreError: the store cannot be read.
    """
    # A run that goes on writes a record after those that it rests on: read in the opposite order, all is complete.
    finished = store.finished_generations()
    is_finished = store.is_finished
    evaluations = _by_name(store.evaluations())
    results = _by_name(store.results())
    settings = stored_settings(store.config_yaml)
    generations = _generations(store, results, finished, settings)
    best_id = next((best for best in reversed(finished.values()) if best), None)
    comparison = read_comparison(store.folder)
    candidates = {candidate.id: candidate for generation in generations for candidate in generation.candidates}
    facts = store.facts()
    task = str(settings.get("task") or "") or next((g.prompt.facts.task for g in generations if g.prompt), "unknown")
    wanted = settings.get("search.generations")
    return RunView(
        folder=store.folder,
        name=store.folder.resolve().name,
        task=task,
        sentence=facts.get("sentence", ""),
        metric=facts.get("metric") or (comparison.metric if comparison else "task metric"),
        unit=facts.get("metric unit") or (comparison.unit if comparison else ""),
        proposer=facts.get("proposer", ""),
        is_finished=is_finished,
        generations=generations,
        generations_wanted=wanted if isinstance(wanted, int) else 0,
        best=candidates.get(best_id) if best_id else None,
        evaluations=evaluations,
        comparison=comparison,
        config_yaml=store.config_yaml,
        settings=settings,
        facts=facts,
        calls_without_answer=store.calls_without_answer(),
    )


def spending(completions: Iterable[Completion]) -> Spending:
    """What these answers took together."""
    usages = [completion.usage for completion in completions if completion.candidate_id != INIT_ID]
    return Spending(
        _known_sum([usage.input_tokens for usage in usages]),
        _known_sum([usage.output_tokens for usage in usages]),
        _known_sum([usage.usd for usage in usages]),
        len(usages),
    )


def proposers(run: RunView) -> str:
    """Who wrote the candidates, as the answers themselves say: `claude-sonnet-5-5`, or several."""
    asked = [candidate for candidate in run.candidates if not candidate.given]
    names = {attempt.answer.model: None for candidate in asked for attempt in candidate.attempts}
    return listed(list(names)) or str(run.settings.get("llm.name") or "nobody yet")


def _known_sum(values: Sequence[Any]) -> Any:
    return None if None in values or not values else sum(values)


def _by_name(results: Iterable[TrainingResult]) -> dict[str, tuple[TrainingResult, ...]]:
    grouped: dict[str, tuple[TrainingResult, ...]] = {}
    for result in results:
        grouped[result.candidate_id] = (*grouped.get(result.candidate_id, ()), result)
    return grouped


def _generations(
    store: RunStore,
    results: Mapping[str, tuple[TrainingResult, ...]],
    finished: Mapping[int, str | None],
    settings: Mapping[str, object],
) -> tuple[GenerationView, ...]:
    rejections = {rejected.candidate_id: rejected for rejected in store.rejections()}
    rewards = {reward.candidate_id: reward for reward in store.rewards()}
    newest = {candidate.id: candidate for candidate in store.candidates()}
    answers = store.completions()
    stopped = stopped_after(results)
    mended = _grouped(store.rejections(every_attempt=True))
    sources = _sources(store)
    given = label(store.facts())
    originals: dict[str, str] = {}
    preferences = preference_scores(store)
    numbers = sorted({generation_of(name) for name in answers} | set(finished))
    views = []
    for number in numbers:
        prompt = store.prompt(number)
        reflection = prompt.facts.reflection if prompt else None
        candidates = []
        for name in sorted(name for name in answers if generation_of(name) == number):
            reward = rewards.get(name)
            original = originals.setdefault(reward.graph, name) if reward else name
            rejected = rejections.get(name)
            trained = results.get(name, ())
            candidate = newest.get(name)
            preference = score_of(name, preferences)
            candidates.append(
                CandidateView(
                    id=name,
                    generation=number,
                    parent=reflection.candidate_id if reflection and name != INIT_ID else None,
                    source=candidate.source if candidate else "",
                    attempts=_attempts(
                        prompt, answers[name], mended.get(name, ()), sources.get(name, ()), _ending(name, settings)
                    ),
                    components=reward.components if reward else (),
                    rejected=rejected,
                    duplicate_of=original if original != name else rejected.duplicate_of if rejected else None,
                    results=trained,
                    reflection=reflect(candidate, trained, preference) if candidate and trained else None,
                    preference=preference,
                    stopped_after=stopped.get(name),
                    spending=spending(answers[name]),
                    diagnoses=read_diagnoses(store.candidate_folder(name), reward.graph) if reward else (),
                    given=given if name == INIT_ID else "",
                )
            )
        views.append(GenerationView(number, prompt, tuple(candidates), number in finished, finished.get(number)))
    return tuple(views)


def _grouped(rejections: Sequence[Rejected]) -> dict[str, tuple[Rejected, ...]]:
    grouped: dict[str, tuple[Rejected, ...]] = {}
    for rejected in rejections:
        grouped[rejected.candidate_id] = (*grouped.get(rejected.candidate_id, ()), rejected)
    return grouped


def _sources(store: RunStore) -> dict[str, tuple[Candidate, ...]]:
    """Every source that was taken from a candidate's answers, in order of the answers."""
    grouped: dict[str, tuple[Candidate, ...]] = {}
    for candidate in store.candidates(every_attempt=True):
        grouped[candidate.id] = (*grouped.get(candidate.id, ()), candidate)
    return grouped


def _attempts(
    prompt: Prompt | None,
    answers: Sequence[Completion],
    rejections: Sequence[Rejected],
    sources: Sequence[Candidate],
    ending: tuple[Message, ...],
) -> tuple[Attempt, ...]:
    """The answers with what each was asked. Every answer that was followed by another had been rejected."""
    attempts: list[Attempt] = []
    left = list(sources)
    asked = ending
    for position, answer in enumerate(answers):
        rejected = rejections[position] if position < len(rejections) else None
        taken = left.pop(0).source if left and not (rejected and rejected.stage is Stage.EXTRACT) else ""
        attempts.append(Attempt(answer, asked, rejected))
        if prompt is not None and rejected is not None and position + 1 < len(answers):
            asked = _asked_again(prompt, answer, rejected, taken, answers[position + 1])
    return tuple(attempts)


def _ending(name: str, settings: Mapping[str, object]) -> tuple[Message, ...]:
    """What the generation's prompt ends with for this sample alone: models without a temperature get one."""
    samples = settings.get("search.samples")
    if name == INIT_ID:
        return ()
    if settings.get("llm.name") not in ("openai", "anthropic") or settings.get("llm.temperature"):
        return ()
    if not isinstance(samples, int) or samples < 2:
        return ()
    return (Message("user", render_variety(int(name.rpartition("-c")[2]), samples)),)


def _asked_again(
    prompt: Prompt, answer: Completion, rejected: Rejected, source: str, following: Completion
) -> tuple[Message, ...]:
    """The end of the conversation that `following` answers."""
    if following.continues:
        again = render_continuation(prompt, answer)
    else:
        again = render_repair(
            prompt, rejected, following.attempt, source=source, answer=without_thinking(answer.text).text
        )
    return again.messages[len(prompt.messages) :]
