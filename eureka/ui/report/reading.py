"""Builds a RunView from a run's store, without expensive computations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from eureka.config.settings import stored_settings
from eureka.core.ids import INIT_ID, generation_of
from eureka.core.training import TrainingResult
from eureka.core.types import AnswerKind, Completion, Message, Origin, Prompt, Rejected
from eureka.evaluation.record import read_comparison
from eureka.search.outcomes import by_candidate
from eureka.search.preferences import preference_scores, score_of
from eureka.search.racing import stopped_after
from eureka.search.reflection import reflect
from eureka.search.start import label
from eureka.store import RunStore
from eureka.store.diagnoses import read_diagnoses
from eureka.ui.report.text import listed
from eureka.ui.report.views import Attempt, CandidateView, GenerationView, RunView, Spending


def read_run(store: RunStore) -> RunView:
    """Read everything that a report shows, from a run that may still be in progress.

    Raises:
        StoreError: the store cannot be read.
    """
    # A run writes a record after those that it depends on; reading in the opposite order gives a consistent view.
    finished = store.finished_generations()
    is_finished = store.is_finished
    evaluations = by_candidate(store.evaluations())
    results = by_candidate(store.results())
    settings = stored_settings(store.config_yaml)
    generations = _generations(store, results, finished)
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
        sentence=facts.sentence,
        metric=facts.metric or (comparison.metric if comparison else "task metric"),
        unit=facts.metric_unit or (comparison.unit if comparison else ""),
        proposer=facts.proposer,
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
    """Tokens and money of these answers together."""
    usages = [completion.usage for completion in completions if completion.was_asked]
    return Spending(
        _known_sum([usage.input_tokens for usage in usages]),
        _known_sum([usage.output_tokens for usage in usages]),
        _known_sum([usage.usd for usage in usages]),
        len(usages),
    )


def proposers(run: RunView) -> str:
    """The authors of the candidates, as recorded in the answers: `claude-sonnet-5-5`, or several."""
    asked = [candidate for candidate in run.candidates if candidate.was_asked]
    names = {attempt.answer.model: None for candidate in asked for attempt in candidate.attempts}
    return listed(list(names)) or str(run.settings.get("llm.name") or "nobody yet")


def _known_sum(values: Sequence[Any]) -> Any:
    return None if None in values or not values else sum(values)


def _generations(
    store: RunStore,
    results: Mapping[str, tuple[TrainingResult, ...]],
    finished: Mapping[int, str | None],
) -> tuple[GenerationView, ...]:
    rejections = {rejected.candidate_id: rejected for rejected in store.rejections()}
    rewards = {reward.candidate_id: reward for reward in store.rewards()}
    newest = {candidate.id: candidate for candidate in store.candidates()}
    answers = store.completions()
    stopped = stopped_after(results)
    mended = by_candidate(store.rejections(every_attempt=True))
    given = label(store.facts())
    originals: dict[str, str] = {}
    preferences = preference_scores(store)
    numbers = sorted({generation_of(name) for name in answers} | set(finished))
    prompts = store.prompts()
    samples = {sample.id: sample for sample in reversed(store.samples())}
    texts = {name for name, sample in samples.items() if sample.answer is AnswerKind.TEXT}
    views = []
    for number in numbers:
        answered = sorted(name for name in answers if generation_of(name) == number)
        names = [name for name in answered if name not in texts]
        asked = [prompts[name, 0] for name in names if (name, 0) in prompts]
        shared = asked[0] if asked else None
        candidates = []
        for name in names:
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
                    parents=samples[name].parents if name in samples else (),
                    notes=samples[name].notes if name in samples else {},
                    source=candidate.source if candidate else "",
                    attempts=_attempts(name, answers[name], mended.get(name, ()), prompts, shared),
                    components=reward.components if reward else (),
                    rejected=rejected,
                    duplicate_of=original if original != name else rejected.duplicate_of if rejected else None,
                    results=trained,
                    reflection=reflect(candidate, trained, preference) if candidate and trained else None,
                    preference=preference,
                    stopped_after=stopped.get(name),
                    spending=spending(answers[name]),
                    diagnoses=read_diagnoses(store.candidate_folder(name), reward.graph, within=store.folder)
                    if reward
                    else (),
                    given=given if name == INIT_ID else "",
                    is_tuned=name in samples and samples[name].origin is Origin.TUNED,
                )
            )
        said = tuple(answer for name in answered if name in texts for answer in answers[name])
        views.append(GenerationView(number, shared, tuple(candidates), number in finished, said))
    return tuple(views)


def _attempts(
    name: str,
    answers: Sequence[Completion],
    rejections: Sequence[Rejected],
    prompts: Mapping[tuple[str, int], Prompt],
    shared: Prompt | None,
) -> tuple[Attempt, ...]:
    """The answers, each with the messages of its prompt after `shared`. Every answer followed by another was
    rejected."""
    return tuple(
        Attempt(answer, _beyond(prompts.get((name, answer.attempt)), shared), rejected)
        for answer, rejected in zip_longest(answers, rejections[: len(answers)])
    )


def _beyond(prompt: Prompt | None, shared: Prompt | None) -> tuple[Message, ...]:
    """The messages of a prompt beyond those shared by its generation."""
    if prompt is None:
        return ()
    common = shared.messages if shared else ()
    return prompt.sent[len(common) :] if prompt.sent[: len(common)] == common else prompt.sent
