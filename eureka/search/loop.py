"""The search, readable top to bottom: ask, extract, verify, repair, train, reflect, and again.

Everything that a step needs is read from the store and everything that it gave is written there before the next
step begins, so a run that was killed goes on by calling `evolve` again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from eureka.core import events
from eureka.core.errors import SearchFailed
from eureka.core.events import Observer
from eureka.core.ids import INIT_ID, candidate_id, generation_of
from eureka.core.types import (
    Candidate,
    Completion,
    MetricProbe,
    Prompt,
    PromptFacts,
    Reflection,
    Rejected,
    Reward,
    Stage,
    TrainingJob,
    TrainingLength,
    TrainingResult,
)
from eureka.proposers.base import Proposer
from eureka.reward.analysis.screening import Screening, Tried
from eureka.reward.extract.extraction import extract, extract_continued
from eureka.search import Greedy, Outcome
from eureka.search.feedback import Reviewer, have_reviewed, liked_least, said_before
from eureka.search.outcomes import outcomes
from eureka.search.race import Champion, Race
from eureka.search.racing import stand, until
from eureka.search.sampling import ask, ask_again, further_calls, task_prompt
from eureka.search.warm_start import FROM_SCRATCH, WarmStart
from eureka.store import RunStore
from eureka.trainers.base import Trainer, training_started

FAILED_GENERATIONS_LIMIT = 3


class Verifier(Protocol):
    """Turns candidates into verified rewards."""

    def verify_all(self, candidates: Sequence[Candidate]) -> list[Reward | Rejected]: ...


@dataclass(frozen=True)
class Run:
    """Everything that `evolve` works with; made by the composition root.

    `hint` is a person's, told to the model word for word, and `init` a person's reward to start from, as an answer.
    `repairs` is how often one rejected candidate may be asked about again in its generation. `screening` says which
    rewards are not worth a training. `reviewer` asks a person about every generation that another follows.
    `after_generation` is called when one is recorded, and must not take time. A generation whose best score is `target`
    or more is the last. `warm_start` says from which policies trainings start. With a `race` not everybody is trained
    to the end.
    """

    trainer: Trainer
    store: RunStore
    proposer: Proposer
    verifier: Verifier
    search: Greedy
    length: TrainingLength
    observe: Observer
    generations: int
    samples: int
    training_seeds: int
    seed: int
    finalists: int = 1
    confirmation_seeds: int = 0
    target: float | None = None
    warm_start: WarmStart = FROM_SCRATCH
    race: Race | None = None
    hint: str = ""
    init: Completion | None = None
    repairs: int = 0
    probe: Callable[[], MetricProbe] | None = None
    screening: Screening | None = None
    reviewer: Reviewer | None = None
    after_generation: Callable[[], None] = lambda: None


def evolve(run: Run) -> Outcome:
    """Search for `run.generations` generations, then train the finalists with further seeds; gives the best.

    Raises:
        SearchFailed: three generations in a row without one usable reward, or none in the whole run.
    """
    finished = run.store.finished_generations()
    _start(run)
    for generation in range(1, run.generations + 1):
        if generation in finished:
            continue
        if _reached_target(run, run.store.finished_generations()):
            break
        prompt = _prompt(run, generation)
        run.observe(_started(run, generation, prompt))
        prompt = _ask(run, generation, prompt)
        _judge(run, generation)
        _repair(run, generation, prompt)
        _train(run, generation)
        _review(run, generation)
        best = _best(run, outcomes(run.store), generation)
        run.store.record_generation(generation, best.candidate.id if best else None)
        run.observe(_finished(run, generation, best))
        run.after_generation()
        _stop_if_hopeless(run, generation)
    best = run.search.best(_confirm(run))
    if best is None:
        raise SearchFailed(f"none of the {run.generations} generations gave a usable reward; last: {_last_reason(run)}")
    run.store.record_generation(max(run.store.finished_generations()), best.candidate.id)
    return best


def _start(run: Run) -> None:
    """Judge and train the reward to start from, so that the first prompt can tell how that went."""
    if run.init is None or run.store.prompt(1) is not None:
        return
    run.store.record_completion(run.init)
    _extract(run, 1)
    _verify(run, 1)
    _train(run, 1)


def _reached_target(run: Run, generations: Collection[int]) -> bool:
    """Whether the best of these generations is good enough; what is left of a broken off one is none of them."""
    if run.target is None:
        return False
    found = [outcome for number in generations for outcome in outcomes(run.store, number)]
    last = max(generations, default=0)
    best = _best(run, _by_own_seeds(run, found, _leading(run, last)), last)
    return best is not None and best.score >= run.target


def _best(run: Run, found: Sequence[Outcome], generation: int) -> Outcome | None:
    """Who leads after so many generations."""
    leader = _leader(run, generation)
    return next((outcome for outcome in found if outcome.candidate.id == leader), None) or run.search.best(found)


def _leader(run: Run, generation: int) -> str | None:
    """Who has won the race after so many generations, where there is one."""
    leading = _leading(run, generation)
    return leading.candidate if leading else None


def _leading(run: Run, generation: int) -> Champion | None:
    return stand(run.race, run.store, generation)[1] if run.race is not None else None


def _by_own_seeds(run: Run, found: Sequence[Outcome], leading: Champion | None = None) -> list[Outcome]:
    """Outcomes by the search's own seeds, the one that is leading by all that its race gave it: so a run that was
    stopped while it confirms decides as before."""
    seeds = dict.fromkeys((o.candidate.id for o in found), run.training_seeds)
    if leading is not None:
        seeds[leading.candidate] = max(run.training_seeds, leading.num_seeds)
    own = {name: range(run.seed, run.seed + number) for name, number in seeds.items()}
    return [replace(o, results=tuple(r for r in o.results if r.seed in own[o.candidate.id])) for o in found]


def _prompt(run: Run, generation: int) -> Prompt:
    """The generation's prompt: the recorded one where there is one."""
    recorded = run.store.prompt(generation)
    if recorded is not None:
        return recorded
    said = said_before(run.store, generation)
    trained = outcomes(run.store)
    readable = [outcome for outcome in trained if run.proposer.reads(outcome.candidate.source)]
    leader = _leader(run, generation - 1)
    facts = PromptFacts(
        task=run.trainer.spec.name,
        seed=run.seed,
        generation=generation,
        state=run.trainer.spec.fields,
        reflection=_told(run, run.search.reflection(generation, readable or trained, said, leader)),
        rejected=run.search.mistakes(generation, [r for r in run.store.rejections(every_attempt=True) if r.feedback]),
        probe=run.probe() if run.probe and run.proposer.uses_metric and run.trainer.spec.has_metric else None,
        hint=run.hint,
        feedback=said,
        worst_source=liked_least(run.store, said),
        has_metric=run.trainer.spec.has_metric,
    )
    prompt = task_prompt(run.trainer.spec, facts)
    run.store.record_prompt(generation, prompt)
    return prompt


def _told(run: Run, reflection: Reflection | None) -> Reflection | None:
    """The reflection with what the reward's own graph shows."""
    if reflection is None or run.screening is None:
        return reflection
    rewards = {reward.candidate_id: reward for reward in run.store.rewards()}
    return run.screening.about(reflection, rewards[reflection.candidate_id])


def _ask(run: Run, generation: int, prompt: Prompt) -> Prompt:
    """Ask for every answer that is not recorded yet; gives the prompt that was asked in the end."""
    answered = run.store.completions(generation)
    wanted = [candidate_id(generation, sample) for sample in range(1, run.samples + 1)]
    missing = [identity for identity in wanted if identity not in answered]
    if not missing:
        return prompt
    run.store.record_intent(missing)
    for asked in ask(run.proposer, prompt, missing, partial(task_prompt, run.trainer.spec)):
        if asked.prompt is not prompt:
            prompt = asked.prompt
            run.store.record_prompt(generation, prompt)
        _keep(run, asked.completion)
    return prompt


def _keep(run: Run, completion: Completion) -> None:
    run.store.record_completion(completion)
    run.observe(events.of_answer(completion))


def _started(run: Run, generation: int, prompt: Prompt) -> events.GenerationStarted:
    names = tuple(candidate_id(generation, sample) for sample in range(1, run.samples + 1))
    reflection = prompt.facts.reflection
    parents = (reflection.candidate_id,) if reflection else ()
    return events.GenerationStarted(generation, parents[0] if parents else None, names, (parents,) * len(names))


def _finished(run: Run, generation: int, best: Outcome | None) -> events.GenerationFinished:
    scores = [outcome.score for outcome in outcomes(run.store, generation)]
    return events.GenerationFinished(
        generation=generation,
        best=best.candidate.id if best else None,
        score=best.score if best else None,
        trained=len(scores),
        best_of_generation=max(scores, default=None),
    )


def _judge(run: Run, generation: int) -> None:
    """What became of every newest answer: a verified reward, or a rejection."""
    _extract(run, generation)
    _verify(run, generation)
    _screen(run, generation)


def _repair(run: Run, generation: int, prompt: Prompt) -> None:
    """Ask again about rejected candidates, as often as each may be; all that can be is extracted and verified again.

    A candidate whose repair does not fit into the model's context stays rejected.
    """
    too_long: set[str] = set()
    while calls := {
        call.rejected.candidate_id: call
        for call in further_calls(run.proposer, run.store, generation, run.repairs)
        if call.rejected.candidate_id not in too_long
    }:
        for identity, call in calls.items():
            run.store.record_intent([identity], call.attempt)
        too_long |= calls.keys()
        for completion in ask_again(run.proposer, prompt, list(calls.values()), partial(task_prompt, run.trainer.spec)):
            too_long.remove(completion.candidate_id)
            _keep(run, completion)
        _judge(run, generation)


def _extract(run: Run, generation: int) -> None:
    known = _known(run, generation)
    for identity, answers in sorted(run.store.completions(generation).items()):
        if identity not in known:
            newest = answers[-1]
            if newest.continues:
                found = extract_continued(answers[-2], newest, run.trainer.spec.fields)
            else:
                found = extract(newest, run.trainer.spec.fields)
            _reject(run, found) if isinstance(found, Rejected) else run.store.record_candidate(found)


def _verify(run: Run, generation: int) -> None:
    settled = {rejected.candidate_id for rejected in run.store.rejections(generation)}
    settled |= {reward.candidate_id for reward in run.store.rewards(generation)}
    pending = [candidate for candidate in run.store.candidates(generation) if candidate.id not in settled]
    for verdict in run.verifier.verify_all(pending):
        _reject(run, verdict) if isinstance(verdict, Rejected) else run.store.record_reward(verdict)


def _screen(run: Run, generation: int) -> None:
    """Reject what is not worth a training; of rewards that are the same the one that was there first stays."""
    if run.screening is None:
        return
    rejected = {rejected.candidate_id: rejected for rejected in run.store.rejections()}
    answers = run.store.completions(generation)
    judged = {INIT_ID, *rejected}
    pending = [reward for reward in run.store.rewards(generation) if reward.candidate_id not in judged]
    tried = _tried(run, generation, rejected)
    for reward in sorted(pending, key=lambda reward: (len(answers[reward.candidate_id]), reward.candidate_id)):
        verdict = run.screening.screen(reward, tried)
        if verdict is None:
            tried.append(Tried(reward, ""))
        else:
            _reject(run, verdict)


def _tried(run: Run, generation: int, rejected: Mapping[str, Rejected]) -> list[Tried]:
    """Every reward that was trained before this generation, whatever became of that."""
    scores = {outcome.candidate.id: outcome.score for outcome in outcomes(run.store)}
    unit = run.trainer.spec.unit
    tried = []
    for reward in run.store.rewards():
        identity = reward.candidate_id
        if identity != INIT_ID and generation_of(identity) >= generation:
            continue
        if identity in scores:
            tried.append(Tried(reward, f"scored {scores[identity]:.4g} {unit}"))
        elif identity in rejected and rejected[identity].stage is Stage.TRAIN:
            tried.append(Tried(reward, "failed in training"))
    return tried


def _train(run: Run, generation: int) -> None:
    if run.race is None:
        _train_all(run, generation)
        return
    while wanted := stand(run.race, run.store, generation)[0]:
        rewards = {reward.candidate_id: reward for reward in run.store.rewards()}
        jobs = [(_job(run, rewards[want.candidate], want.seed), want) for want in wanted]
        _run_jobs(run, [replace(job, length=until(run.length, want, run.race)) for job, want in jobs])


def _train_all(run: Run, generation: int) -> None:
    done = {(result.candidate_id, result.seed) for result in run.store.results(generation)}
    rejected = {rejected.candidate_id for rejected in run.store.rejections(generation)}
    jobs = [
        _job(run, reward, seed)
        for reward in run.store.rewards(generation)
        for seed in range(run.seed, run.seed + run.training_seeds)
        if (reward.candidate_id, seed) not in done and reward.candidate_id not in rejected
    ]
    _run_jobs(run, jobs)


def _job(run: Run, reward: Reward, seed: int) -> TrainingJob:
    searched = range(run.seed, run.seed + run.training_seeds)
    start = run.warm_start.policy_for(run.store, reward.candidate_id, searched)
    return TrainingJob(reward.candidate_id, reward.graph, seed, run.length, start)


def _run_jobs(run: Run, jobs: Sequence[TrainingJob]) -> None:
    if not jobs:
        return
    done = {(result.candidate_id, result.seed) for result in run.store.results()}
    run.observe(training_started(run.trainer, jobs, done))
    for event in run.trainer.train(jobs, run.store.checkpoint_folder):
        if isinstance(event, Rejected):
            _reject(run, event)
            continue
        if isinstance(event, TrainingResult):
            run.store.record_result(event)
        run.observe(events.of_training(event))


def _review(run: Run, generation: int) -> None:
    """Have a person judge what was trained, where another generation follows or nothing else tells who is best."""
    another_follows = generation < run.generations and not _reached_target(run, range(1, generation + 1))
    if run.reviewer is not None and (another_follows or not run.trainer.spec.has_metric):
        trained = [outcome.candidate.id for outcome in outcomes(run.store, generation)]
        have_reviewed(run.reviewer, run.store, generation, trained)


def _confirm(run: Run) -> list[Outcome]:
    """The finalists with further trainings: the best of many by one seed each is mostly the luckiest.

    Finalists are who leads the race and the best by the search's own seeds alone: a run stopped here chooses the same.
    """
    searched = range(run.seed, run.seed + run.training_seeds)
    candidates = run.search.ranked(_by_own_seeds(run, outcomes(run.store)))
    # Whom a race left behind would need its first trainings made longer too, to be chosen.
    farthest = max((outcome.num_evaluations for outcome in candidates), default=0)
    ranked = [outcome.candidate.id for outcome in candidates if outcome.num_evaluations == farthest]
    leader = _leader(run, run.generations)
    finalists = sorted(ranked, key=lambda name: name != leader)[: run.finalists]
    further = range(searched.stop, searched.stop + run.confirmation_seeds) if len(finalists) > 1 else range(0)
    done = {(result.candidate_id, result.seed) for result in run.store.results()}
    jobs = [
        _job(run, reward, seed)
        for reward in run.store.rewards()
        for seed in further
        if reward.candidate_id in finalists and (reward.candidate_id, seed) not in done
    ]
    if jobs:
        run.observe(events.ConfirmationStarted(tuple(finalists)))
        _run_jobs(run, jobs)
    return [outcome for outcome in outcomes(run.store) if outcome.candidate.id in finalists]


def _reject(run: Run, rejected: Rejected) -> None:
    run.store.record_rejection(rejected)
    run.observe(events.of_rejection(rejected))


def _known(run: Run, generation: int) -> set[str]:
    rejected = {rejected.candidate_id for rejected in run.store.rejections(generation)}
    return rejected | {candidate.id for candidate in run.store.candidates(generation)}


def _stop_if_hopeless(run: Run, generation: int) -> None:
    recent = range(generation - FAILED_GENERATIONS_LIMIT + 1, generation + 1)
    if recent[0] >= 1 and not any(outcomes(run.store, number) or _screened(run, number) for number in recent):
        raise SearchFailed(
            f"{FAILED_GENERATIONS_LIMIT} generations in a row gave no usable reward, so the search stopped after "
            f"generation {generation}; last: {_last_reason(run)}"
        )


def _screened(run: Run, generation: int) -> bool:
    """Whether there were usable rewards that were not worth a training."""
    return any(rejected.stage is Stage.SCREEN for rejected in run.store.rejections(generation))


def _last_reason(run: Run) -> str:
    rejections = run.store.rejections()
    return f"{rejections[-1].candidate_id}: {rejections[-1].reason}" if rejections else "no answer"
