"""Composes a `RunConfig` from overrides by Hydra's grammar and OmegaConf's types, and converts it to YAML and back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from eureka.config.environments import PREFIXED, is_file
from eureka.config.overrides import AUTO, groups, quoted, refusal, require_own_key, require_task, split, unknown
from eureka.config.schema import BUDGETS, PRESETS, Choices, RunConfig, check_ranges
from eureka.config.settings import UNREADABLE, require_plain
from eureka.core.errors import ConfigError

_ENVIRONMENT = ("task", "env", "metric", "trainer", "description")
"""The keys that name an environment and its trainer."""


def compose_config(
    overrides: Sequence[str], choices: Choices, task_dirs: Sequence[Path] = (), proposer: str = "program_search"
) -> RunConfig:
    """The config composed from `key=value` overrides; later ones take precedence. `task_dirs` are folders with more
    tasks.

    `proposer` is the meaning of `llm=auto`, which is also the default.

    Raises:
        ConfigError: an unknown key or choice, a value of the wrong type or out of range, a required key that is
            missing, or no task. Hydra's or OmegaConf's own message, where there is one, is in `__cause__`.
        TaskError: a directory in `task_dirs` does not exist.
    """
    values = split(overrides, choices)
    values.setdefault("budget", default_budget())
    values.setdefault("preset", "none")
    if values.setdefault("llm", AUTO) == AUTO:
        values["llm"] = proposer
    for group, names in groups(choices).items():
        if values[group] not in names:
            raise ConfigError(unknown(f"{group}={values[group]}", values[group], names, f"{group}="))
    for key in values:
        if key.startswith("llm."):
            require_own_key(key, values["llm"], choices)
    require_task(values, task_dirs)
    config = _thawed(RunConfig)
    config.llm = _thawed(choices.llm[values["llm"]])
    for group, presets in (("budget", BUDGETS), ("preset", PRESETS)):
        config.merge_with({group: values[group], **presets[values[group]]})
    made = _updated(config, {key: value for key, value in values.items() if key not in groups(choices)}, choices)
    if made.search.restart_every is not None and made.search.method != "eureka2023":
        raise ConfigError(
            f"search.restart_every={made.search.restart_every}: only search.method=eureka2023 begins anew, and this is "
            f"search.method={made.search.method}: leave it out, or give search.restart_every=null"
        )
    return made


def change_resumed(config: RunConfig, overrides: Sequence[str], choices: Choices) -> RunConfig:
    """The config of a run that is resumed with other caps, patience, model, fallback or confinement.

    The keys of an environment that names code can be given again, with the run's own values.

    Raises:
        ConfigError: a key other than these, `sandbox` and those of an `llm.*` whose config class declares that a
            resumed run takes them anew, or a value that does not fit.
    """
    values = split(overrides, choices)
    if is_file(values.get("env.id", "")):
        values["env.id"] = str(Path(values["env.id"]).absolute())
    simulators = ("state", *(f"{kind}.python" for kind in PREFIXED))
    for key in simulators:
        if values.get(key, "null") != "null":
            values[key] = str(Path(values[key]).expanduser().absolute())
    named = ("trainer", "env.id", "env.wrappers", *simulators)
    again = {key for key in values if key in named or key.startswith("env.kwargs.")}
    for key in values:
        if key == "sandbox" or key in again:
            continue
        if not key.startswith("llm.") or not config.llm.changes_on_resume:
            raise ConfigError(
                f"`{key}`: a resumed run keeps its config; only the llm.* keys of a language model and sandbox can be "
                "given anew"
            )
        require_own_key(key, config.llm.name, choices)
    changed = _updated(_thawed(config), values, choices)
    if (changed.env, changed.trainer, changed.state) != (config.env, config.trainer, config.state):
        given = ", ".join(f"{key}={values[key]}" for key in sorted(again))
        raise ConfigError(f"{given}: a resumed run keeps its environment and trainer, and they were others")
    return changed


def default_budget() -> str:
    """`standard` where a CUDA device is found (by its driver's files: torch is not imported), else `quick`."""
    return "standard" if any(Path(device).exists() for device in ("/dev/nvidiactl", "/dev/dxg")) else "quick"


def to_yaml(config: RunConfig) -> str:
    """The config as YAML, with every key."""
    from omegaconf import OmegaConf

    return OmegaConf.to_yaml(OmegaConf.structured(config))


def from_yaml(text: str, choices: Choices) -> RunConfig:
    """Read a config from the text of `to_yaml`.

    Raises:
        ConfigError: it is not a config of this version.
    """
    return _stored(text, choices)


def environment_from_yaml(text: str) -> RunConfig:
    """The environment and the trainer of a stored config; everything else has its default.

    Raises:
        ConfigError: it is not a config of this version.
    """
    return _stored(text, None)


def _stored(text: str, choices: Choices | None) -> RunConfig:
    """A stored config; without `choices`, only the keys of `_ENVIRONMENT` are read."""
    import yaml
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        require_plain(text)
        loaded: Any = yaml.safe_load(text)
        schema = _thawed(RunConfig)
        if choices is None:
            loaded = {key: loaded[key] for key in _ENVIRONMENT if key in loaded}
        else:
            schema.llm = _thawed(choices.llm[loaded["llm"]["name"]])
        config = OmegaConf.to_object(OmegaConf.merge(schema, _literal(loaded)))
    except (OmegaConfBaseException, yaml.YAMLError, *UNREADABLE) as error:
        reason = str(error).split("\n")[0]
        raise ConfigError(f"the stored config cannot be read by this version of eureka: {reason}") from error
    assert isinstance(config, RunConfig)
    if choices is not None:
        check_ranges(config, "")
    return config


def _literal(value: Any) -> Any:
    """Escape values, so that OmegaConf resolves nothing: `${oc.env:NAME}` in an untrusted folder would read this user's
    variables.
    """
    if isinstance(value, dict):
        return {key: _literal(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_literal(inner) for inner in value]
    if isinstance(value, str):
        return re.sub(r"(\\*)\$\{", lambda found: found[1] * 2 + "\\${", value)
    return value


def _updated(config: Any, values: Mapping[str, str], choices: Choices) -> RunConfig:
    """A structured config with these keys set from texts, parsed as Hydra does."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    for key, value in values.items():
        try:
            parsed = OverridesParser.create().parse_override(quoted(key, value, choices))
            if parsed.is_sweep_override():
                raise ConfigError(refusal(key, value, choices))
            OmegaConf.update(config, key, parsed.value())
        except (HydraException, OmegaConfBaseException, ValueError) as error:  # ValueError: thousands of digits
            raise ConfigError(refusal(key, value, choices)) from error
    try:
        for key in OmegaConf.missing_keys(config):
            raise ConfigError(f"{key} must be given: add {key}=VALUE")
        result = OmegaConf.to_object(config)
    except OmegaConfBaseException as error:
        raise ConfigError(f"the config cannot be composed: {' '.join(str(error).split())}") from error
    assert isinstance(result, RunConfig)
    check_ranges(result, "")
    return result


def _thawed(cls: Any) -> Any:
    """A structured config of a frozen dataclass, or of an instance, that can be merged into.

    The object made from it is frozen again.
    """
    from omegaconf import DictConfig, OmegaConf

    def thaw(node: DictConfig) -> DictConfig:
        node._set_flag("readonly", None)
        for key in node:
            child = node._get_node(key)
            if isinstance(child, DictConfig):
                thaw(child)
        return node

    return thaw(OmegaConf.structured(cls))
