"""Composing and reading configs with the registries passed in; used by all commands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from eureka.config import Choices, RunConfig, compose
from eureka.proposers.registry import config_classes


def choices() -> Choices:
    """The allowed values of keys that choose from a registry."""
    return Choices(llm=config_classes())


def compose_config(
    overrides: Sequence[str], task_dirs: Sequence[Path] = (), proposer: str = "program_search"
) -> RunConfig:
    """The config that overrides ask for, see `eureka.config.compose.compose_config`."""
    return compose.compose_config(overrides, choices(), task_dirs, proposer)


def from_yaml(text: str) -> RunConfig:
    """A stored config, see `eureka.config.compose.from_yaml`."""
    return compose.from_yaml(text, choices())


def change_resumed(given: RunConfig, overrides: Sequence[str]) -> RunConfig:
    """The config of a resumed run, see `eureka.config.compose.change_resumed`."""
    return compose.change_resumed(given, overrides, choices())
