"""`eureka run --dry-run`: prints the first prompt and an estimate of the run's cost."""

from __future__ import annotations

from eureka.app.build import evaluation_length
from eureka.app.estimate import (
    assumption_line,
    call_line,
    duration,
    estimate,
    first_prompt,
    largest_cost,
    num_trainings,
    trainings_cost,
)
from eureka.app.session import SearchSession
from eureka.config import Halving
from eureka.proposers.provider import ModelConfig
from eureka.proposers.tokens import token_bound, token_estimate
from eureka.ui.console import line


def preview(session: SearchSession) -> None:
    """Print the first prompt and the estimated cost of the run, without asking the model or writing anything."""
    prompt = first_prompt(session.config, session.spec, session.length.steps, session.trainer.record())
    for message in prompt.messages:
        line(f"=== {message.role} ===")
        line(message.content)
    line("=== end of the first prompt ===")
    line(f"about {token_estimate(prompt.messages):,} tokens, at most {token_bound(prompt.messages):,}")
    if session.start is not None:
        line(f"{session.start.sentence}, which this dry run cannot show")
    expected = estimate(session.config, prompt)
    if isinstance(session.config.llm, ModelConfig):
        line(call_line(session.config, expected))
        line(assumption_line(expected))
    else:
        line(f"{session.proposer.name} is asked, which costs nothing: {session.proposer.description}")
    workers = session.config.train.workers or 1
    at_most = "" if session.config.train.halving is Halving.off else "at most "
    cost = trainings_cost(session.trainer, num_trainings(session.config), session.length)
    line(
        f"training: {at_most}{cost.control_steps:,} control steps, about {duration(cost.seconds)} "
        f"with {workers} {'worker' if workers == 1 else 'workers'} on this machine"
    )
    if session.comparer is not None:
        rewards = 1 + len(session.comparer.baselines)
        length = evaluation_length(session.config, session.trainer)
        cost = trainings_cost(session.trainer, rewards * session.config.evaluation.seeds, length)
        line(
            f"the comparison at the end: {cost.control_steps:,} control steps for {rewards} rewards, about "
            f"{duration(cost.seconds)} more, less where the cache has some"
        )
    for text in largest_cost(session.config, session.trainer, session.length).sentences:
        line(text)
    if expected.asking_s:
        line(f"waiting for answers: about {duration(expected.asking_s)}")
    line("this was a dry run: nobody was asked, and nothing was written")
