"""`llm=replay RUN`: another run's recorded answers instead of new ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from eureka.core.errors import ProposerError
from eureka.core.types import Completion, Prompt
from eureka.proposers.base import Capabilities


class Replay:
    """Gives back recorded answers by candidate id and attempt, whatever the prompt's words."""

    name = "replay"
    description = "Gives back the answers recorded in another run; no model is asked."

    def __init__(self, completions: Mapping[str, Sequence[Completion]], *, uses_metric: bool) -> None:
        """`completions` are every candidate's answers in order, as `RunStore.completions` has them; `uses_metric`
        whether whoever gave them was told of the metric."""
        self._completions = completions
        can_repair = any(len(answers) > 1 for answers in completions.values())
        self.capabilities = Capabilities(uses_metric=uses_metric, can_repair=can_repair)

    def sample_each(self, prompts: Mapping[str, Prompt]) -> Iterator[Completion]:
        """The recorded answer of each id, in order. Raises ProposerError at one that the record lacks."""
        for candidate_id, prompt in prompts.items():
            attempt = prompt.facts.attempt
            answers = self._completions.get(candidate_id, ())
            if not answers:
                raise ProposerError(
                    f"The recorded run has no answer for candidate {candidate_id} (it has {len(self._completions)}); "
                    "ask for no more generations and samples than it had."
                )
            if attempt >= len(answers):
                raise ProposerError(
                    f"The recorded run gave {len(answers)} answers for candidate {candidate_id}, and this run "
                    "asks for one more; give the search.repairs that it had."
                )
            yield answers[attempt]
