"""`llm=replay RUN`: another run's recorded answers instead of new ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from eureka.errors import ProposerError
from eureka.types import Completion, Prompt


class Replay:
    """Gives back recorded completions by candidate id, whatever the prompt."""

    name = "replay"
    uses_metric = False
    description = "Gives back the answers recorded in another run; no model is asked."

    def __init__(self, completions: Mapping[str, Completion]) -> None:
        self._completions = completions

    def sample(self, prompt: Prompt, candidate_ids: Sequence[str]) -> Iterator[Completion]:  # noqa: ARG002
        """The recorded answer of each id, in order. Raises ProposerError at an id that the record lacks."""
        for candidate_id in candidate_ids:
            if candidate_id not in self._completions:
                raise ProposerError(
                    f"The recorded run has no answer for candidate {candidate_id} (it has {len(self._completions)}); "
                    "ask for no more generations and samples than it had."
                )
            yield self._completions[candidate_id]
