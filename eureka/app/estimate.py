"""Estimates of what a run takes, shown before it begins: calls, tokens, money, control steps and time."""

from __future__ import annotations

import math
from dataclasses import dataclass

from eureka.config import RunConfig, SearchConfig
from eureka.core.ids import INIT_ID
from eureka.core.training import OwnReward, TrainingJob, TrainingLength
from eureka.core.types import Prompt, TaskSpec
from eureka.prompts import render_prompt
from eureka.proposers.models import chosen_models
from eureka.proposers.provider import ModelConfig
from eureka.proposers.tokens import token_estimate
from eureka.search.telling import task_facts
from eureka.trainers.base import Cost, Trainer
from eureka.trainers.recording import Recording, random_ranges

# Assumed numbers of tokens: an answer of a few paragraphs with a reward function and some reasoning, the reflection on
# a parent, and the errors that a repair prompt adds to the code.
_ANSWER_TOKENS = 2500
_REFLECTION_TOKENS = 2000
_ERROR_TOKENS = 300
_CANDIDATES_PER_REPAIR = 4
_TOKENS_PER_SECOND = 60
MAX_TRAINING_SEEDS = 3
"""Maximum number of seeds per candidate if not configured: the best candidates get further seeds anyway."""


@dataclass(frozen=True)
class AnswerEstimate:
    """The estimated cost of all answers of a run.

    `usd` is None if the price is unknown or there is none; `calls` include `repairs`; `asking_s` is the time spent
    waiting for answers.

    `answer_tokens` is the assumed length of an answer.
    """

    calls: int
    repairs: int
    answer_tokens: int
    input_tokens: int
    output_tokens: int
    usd: float | None
    asking_s: float


def first_prompt(config: RunConfig, spec: TaskSpec, training_steps: int, recording: Recording) -> Prompt:
    """The prompt of the first generation, from the config, the task, a training's length and recorded transitions."""
    hint = config.search.hint or ""
    return render_prompt(spec, task_facts(spec, config.seed, 1, hint, training_steps, random_ranges(recording)))


def estimate(config: RunConfig, first_prompt: Prompt) -> AnswerEstimate:
    """The estimated cost of the answers, from the first prompt and typical lengths; zero if no language model is
    used."""
    search = config.search
    if not isinstance(config.llm, ModelConfig):
        return AnswerEstimate(0, 0, 0, 0, 0, None, 0.0)
    llm = config.llm
    first = token_estimate(first_prompt.messages)
    answer = min(_ANSWER_TOKENS, llm.max_output_tokens)
    prices = chosen_models(llm)[0].prices
    repairs = search.samples / _CANDIDATES_PER_REPAIR if search.repairs else 0.0
    read, usd = 0.0, 0.0
    for generation in range(search.generations):
        prompt = first + (_REFLECTION_TOKENS if generation or search.init else 0)
        repair = prompt + answer + _ERROR_TOKENS
        read += search.samples * prompt + repairs * repair
        # The first call writes the prompt into the provider's cache, from which all others read it.
        usd += prices.usd(prompt, answer, written_tokens=prompt) or 0.0
        usd += (search.samples - 1) * (prices.usd(prompt, answer, cached_tokens=prompt) or 0.0)
        usd += repairs * (prices.usd(repair, answer, cached_tokens=prompt) or 0.0)
    calls = search.generations * (search.samples + repairs)
    rounds = 1 + math.ceil((search.samples - 1) / llm.concurrency) + math.ceil(repairs / llm.concurrency)
    return AnswerEstimate(
        calls=round(calls),
        repairs=round(search.generations * repairs),
        answer_tokens=answer,
        input_tokens=round(read),
        output_tokens=round(calls * answer),
        usd=usd if prices.known else None,
        asking_s=search.generations * rounds * answer / _TOKENS_PER_SECOND,
    )


def training_seeds(config: RunConfig, trainer: Trainer, length: TrainingLength, first_prompt: Prompt) -> int:
    """The number of seeds per candidate: as configured, or as many as fit the time that answers take."""
    if config.train.seeds is not None or not isinstance(config.llm, ModelConfig):
        return config.train.num_seeds
    once = trainings_cost(trainer, _trained_once(config.search), length)
    return max(1, min(MAX_TRAINING_SEEDS, int(estimate(config, first_prompt).asking_s / once.seconds)))


def num_trainings(config: RunConfig) -> int:
    """The maximum number of trainings in the search: those of all candidates, and further seeds of the leaders and
    finalists.
    """
    search = config.search
    finalists = min(search.finalists, search.generations * (search.samples + search.tune) + (search.init is not None))
    confirmation = finalists * search.confirmation_seeds if finalists > 1 else 0
    return (_trained_once(search) + (search.init is not None)) * config.train.num_seeds + confirmation


def _trained_once(search: SearchConfig) -> int:
    """The maximum number of trainings of a search's candidates, and of its leaders again, with one seed each."""
    candidates = search.samples + search.tune
    return search.generations * candidates + (search.generations - 1) * min(search.retrain, candidates)


def trainings_cost(trainer: Trainer, num: int, length: TrainingLength) -> Cost:
    """The cost of `num` trainings, estimated with the environment's own reward.

    Raises:
        TrainingError: there is not enough memory for one of them.
    """
    return trainer.cost([TrainingJob(INIT_ID, OwnReward.OWN, seed, length) for seed in range(num)])


def largest_cost(config: RunConfig, trainer: Trainer, length: TrainingLength) -> Cost:
    """The cost of the largest set of simultaneous trainings: a generation's, the finalists' or the comparison's.

    Raises:
        TrainingError: there is not enough memory for one of them.
    """
    search = config.search
    compared = 3 * config.evaluation.seeds  # the best reward, the human-written one and the bare metric
    leaders = min(search.retrain, (search.generations - 1) * (search.samples + search.tune))
    batch = max(search.samples, search.tune, leaders) * config.train.num_seeds
    at_once = max(batch, search.finalists * search.confirmation_seeds, compared)
    return trainings_cost(trainer, at_once, length)


def call_line(config: RunConfig, expected: AnswerEstimate) -> str:
    """One sentence on provider, model and estimated cost, shown before the first call."""
    assert isinstance(config.llm, ModelConfig)
    llm = config.llm
    chosen = chosen_models(llm)[0]
    where = f" at {chosen.base_url}" if chosen.base_url else ""
    cost = "price not known" if expected.usd is None else f"about ${expected.usd:.2g}"
    caps = [
        text
        for value, text in (
            (llm.usd_cap if expected.usd is not None else None, f"${llm.usd_cap:g}" if llm.usd_cap is not None else ""),
            (llm.max_tokens, f"{llm.max_tokens:,} tokens" if llm.max_tokens is not None else ""),
            (llm.max_seconds, f"{llm.max_seconds:g} s" if llm.max_seconds is not None else ""),
        )
        if value is not None
    ]
    calls = f"about {expected.calls} {'call' if expected.calls == 1 else 'calls'}"
    return (
        f"provider {chosen.provider}, model {chosen.model}{where}: {calls}, "
        f"{expected.input_tokens:,} tokens to read and {expected.output_tokens:,} to write, {cost}; "
        f"stops at {' or '.join(caps) if caps else 'no cap'}"
    )


def assumption_line(expected: AnswerEstimate) -> str:
    """One sentence on the assumptions behind the estimate of the calls."""
    repairs = f"and a repair for one candidate in {_CANDIDATES_PER_REPAIR}" if expected.repairs else "and no repair"
    return (
        f"that assumes answers of {expected.answer_tokens:,} tokens, reasoning included, {repairs}: a model that "
        "reasons at length takes several times as much, and the caps hold all the same"
    )


def duration(seconds: float) -> str:
    """A duration as text, such as `40 s`, `12 min` or `3.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
