"""Reward functions as language models write them, in many styles: all are sane and must convert."""

from reward_corpus_indices import INDICES
from reward_corpus_projects import PROJECTS
from reward_corpus_python import PYTHON
from reward_corpus_torch import TORCH

PARTS = (INDICES, PROJECTS, PYTHON, TORCH)
SANE: dict[str, str] = {name: source.lstrip("\n") for part in PARTS for name, source in part.items()}
assert len(SANE) == sum(map(len, PARTS)), "a name stands twice"
