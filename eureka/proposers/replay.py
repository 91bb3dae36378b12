"""`llm=replay RUN`: another run's recorded answers instead of new ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from eureka.core.errors import ProposerError
from eureka.core.types import Completion, Prompt
from eureka.proposers.base import OneByOne


class Replay(OneByOne):
    """Gives back recorded answers by candidate id and attempt, whatever the prompt's words."""

    name = "replay"
    description = "Gives back the answers recorded in another run; no model is asked."

    def __init__(self, completions: Mapping[str, Sequence[Completion]], *, uses_metric: bool) -> None:
        """`completions` are every candidate's answers in order, as `RunStore.completions` has them; `uses_metric`
        whether whoever gave them was told of the metric."""
        self._completions = completions
        self.uses_metric = uses_metric
        self.can_repair = any(len(answers) > 1 for answers in completions.values())

    def sample(self, prompt: Prompt, candidate_ids: Sequence[str]) -> Iterator[Completion]:
        """The recorded answer of each id, in order. Raises ProposerError at one that the record lacks."""
        attempt = prompt.facts.attempt
        for candidate_id in candidate_ids:
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
