"""From overrides to a `RunConfig` by Hydra's compose API, and to YAML and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from eureka.config.overrides import AUTO, GROUPS, quoted, refusal, require_own_key, require_task, split, unknown
from eureka.config.schema import BUDGETS, PROPOSERS, ModelConfig, RunConfig, check_ranges
from eureka.core.errors import ConfigError


def compose_config(
    overrides: Sequence[str], task_dirs: Sequence[Path] = (), proposer: str = "program_search"
) -> RunConfig:
    """The config that `key=value` overrides ask for; later ones win. `task_dirs` hold more tasks.

    `proposer` is what `llm=auto` stands for, which is also the default.

    Raises:
        ConfigError: an unknown key or choice, a value of the wrong type or out of range, or no task. Hydra's own
            message, where there is one, is in `__cause__`.
        TaskError: a directory in `task_dirs` does not exist.
    """
    values = split(overrides)
    values.setdefault("budget", default_budget())
    if values.setdefault("llm", AUTO) == AUTO:
        values["llm"] = proposer
    for group, choices in GROUPS.items():
        if values[group] not in choices:
            raise ConfigError(unknown(f"{group}={values[group]}", values[group], choices, f"{group}="))
    for key in values:
        if key.startswith("llm."):
            require_own_key(key, values["llm"])
    require_task(values, task_dirs)
    if values["llm"] == "replay" and "llm.run" not in values:
        raise ConfigError("llm=replay needs the run folder to replay: add llm.run=DIR")
    config = _compose(values)
    check_ranges(config, "")
    return config


def change_resumed(config: RunConfig, overrides: Sequence[str]) -> RunConfig:
    """The config of a run that is resumed with other caps, patience, model, fallback or confinement.

    Raises:
        ConfigError: a key beyond `llm.*` and `sandbox`, or a value that does not fit.
    """
    from omegaconf import OmegaConf

    values = split(overrides)
    for key in values:
        if key == "sandbox":
            continue
        if not key.startswith("llm.") or not isinstance(config.llm, ModelConfig):
            raise ConfigError(
                f"`{key}`: a resumed run keeps its config; only the llm.* keys of a language model and sandbox can be "
                "given anew"
            )
        require_own_key(key, config.llm.name)
    changed = _thawed(config)
    for key, value in values.items():
        _update(changed, key, value)
    result = OmegaConf.to_object(changed)
    assert isinstance(result, RunConfig)
    check_ranges(result, "")
    return result


def default_budget() -> str:
    """`standard` where a CUDA device is found (by its driver's files: torch is not imported), else `quick`."""
    return "standard" if any(Path(device).exists() for device in ("/dev/nvidiactl", "/dev/dxg")) else "quick"


def to_yaml(config: RunConfig) -> str:
    """The config as YAML, every key written out."""
    from omegaconf import OmegaConf

    return OmegaConf.to_yaml(OmegaConf.structured(config))


def from_yaml(text: str) -> RunConfig:
    """Read `to_yaml`'s text back.

    Raises:
        ConfigError: it is not a config of this version.
    """
    import yaml
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        loaded = OmegaConf.create(text)
        schema = _thawed(RunConfig)
        schema.llm = _thawed(PROPOSERS[loaded.llm.name])
        config = OmegaConf.to_object(OmegaConf.merge(schema, loaded))
    except (OmegaConfBaseException, yaml.YAMLError, AttributeError, KeyError) as error:
        reason = str(error).split("\n")[0]
        raise ConfigError(f"the stored config cannot be read by this version of eureka: {reason}") from error
    assert isinstance(config, RunConfig)
    check_ranges(config, "")
    return config


def _compose(values: Mapping[str, str]) -> RunConfig:
    from hydra import compose, initialize
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    with _private_hydra():
        schema = _thawed(RunConfig)
        schema.llm = _thawed(PROPOSERS[values["llm"]])
        overrides = [quoted(key, value) for key, value in values.items()]
        # Each value alone first: only so is it known which override is at fault.
        for key, value in values.items():
            if key not in GROUPS:
                _update(schema, key, value)
        _register()
        try:
            with initialize(version_base="1.3", config_path=None, job_name="eureka"):
                config = OmegaConf.to_object(compose("eureka_run", overrides=overrides))
        except (HydraException, OmegaConfBaseException) as error:
            raise ConfigError(f"the config cannot be composed: {' '.join(str(error).split())}") from error
    assert isinstance(config, RunConfig)
    return config


def _update(schema: Any, key: str, value: str) -> None:
    """Set one key from its text, as Hydra reads it."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        (parsed,) = OverridesParser.create().parse_overrides([quoted(key, value)])
        OmegaConf.update(schema, key, parsed.value())
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(refusal(key, value)) from error


def _register() -> None:
    """Put the dataclasses into the ConfigStore that is current."""
    from hydra.core.config_store import ConfigStore
    from omegaconf import MISSING

    store = ConfigStore.instance()
    schema = _thawed(RunConfig)
    schema.llm = MISSING
    store.store(name="eureka_schema", node=schema)
    defaults = ["eureka_schema", "_self_", {"budget": "quick"}, {"llm": "program_search"}]
    store.store(name="eureka_run", node={"defaults": defaults})
    for name, cls in PROPOSERS.items():
        store.store(group="llm", name=name, node=_thawed(cls))
    for name, preset in BUDGETS.items():
        store.store(group="budget", name=name, node={"budget": name, **preset}, package="_global_")


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


@contextmanager
def _private_hydra() -> Iterator[None]:
    """Hydra with none of the surrounding program's state, which is put back as it was.

    Hydra keeps its state in singletons and in OmegaConf's table of resolvers. The ConfigStore goes on with Hydra's own
    entries only: a surrounding program may have groups named `llm` or `budget` as well.
    """
    import hydra.conf  # noqa: F401  (registers Hydra's own config with the store that is current)
    from hydra.core.config_store import ConfigStore
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.singleton import Singleton
    from omegaconf.basecontainer import BaseContainer

    singletons: dict[type, Any] = Singleton._instances
    saved_singletons = dict(singletons)
    saved_resolvers = dict(BaseContainer._resolvers)
    inner = object.__new__(ConfigStore)
    outer = ConfigStore.instance().repo
    inner.repo = {name: entry for name, entry in outer.items() if name == "hydra" or name.startswith("_")}
    singletons[ConfigStore] = inner
    singletons.pop(GlobalHydra, None)
    try:
        yield
    finally:
        singletons.clear()
        singletons.update(saved_singletons)
        BaseContainer._resolvers.clear()
        BaseContainer._resolvers.update(saved_resolvers)
