"""Records of a run, written in a line each."""

from collections.abc import Mapping, Sequence

from eureka.core.types import Prompt, PromptFacts, Sample, Selection
from eureka.store import RunStore

EMPTY = Prompt((), PromptFacts("t", 0, 1, ()))


def ask_for(
    store: RunStore,
    names: Sequence[str],
    prompt: Prompt = EMPTY,
    attempt: int = 0,
    parents: Sequence[str] = (),
    endings: Mapping[str, str] | None = None,
) -> None:
    """Record samples and their prompts, all with the same words but for their endings."""
    samples = [Sample(id=name, facts=prompt.facts, parents=tuple(parents), attempt=attempt) for name in names]
    store.record_samples(samples)
    ending = endings or {}
    store.record_prompts({n: Prompt(prompt.messages, prompt.facts, ending.get(n, "")) for n in names}, attempt)
    store.record_calls(names, attempt)


def finish(store: RunStore, generation: int, best: str | None) -> None:
    """Record the end of a generation."""
    store.record_selection(Selection(generation=generation, best=best))
