"""From overrides to a `RunConfig` by Hydra's compose API, and to YAML and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from eureka.config.overrides import GROUPS, keys_of, quoted, refusal, require_task, split, unknown
from eureka.config.schema import BUDGETS, PROPOSERS, RunConfig, check_ranges
from eureka.errors import ConfigError


def compose_config(overrides: Sequence[str], task_dirs: Sequence[Path] = ()) -> RunConfig:
    """The config that `key=value` overrides ask for; later ones win. `task_dirs` hold more tasks.

    Raises:
        ConfigError: an unknown key or choice, a value of the wrong type or out of range, or no task. Hydra's own
            message, where there is one, is in `__cause__`.
        TaskError: a directory in `task_dirs` does not exist.
    """
    values = split(overrides)
    values.setdefault("budget", default_budget())
    proposer = values.setdefault("llm", "program_search")
    for group, choices in GROUPS.items():
        if values[group] not in choices:
            raise ConfigError(unknown(f"{group}={values[group]}", values[group], choices, f"{group}="))
    for key in values:
        if key.startswith("llm.") and key not in keys_of(PROPOSERS[proposer], "llm."):
            owner = next(name for name, cls in PROPOSERS.items() if key in keys_of(cls, "llm."))
            raise ConfigError(f"`{key}` belongs to llm={owner}, and this run has llm={proposer}")
    require_task(values, task_dirs)
    if proposer == "replay" and "llm.run" not in values:
        raise ConfigError("llm=replay needs the run folder to replay: add llm.run=DIR")
    config = _compose(values)
    check_ranges(config, "")
    return config


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
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    with _private_hydra():
        schema = _thawed(RunConfig)
        schema.llm = _thawed(PROPOSERS[values["llm"]])
        overrides = [quoted(key, value) for key, value in values.items()]
        # Each value alone first: only so is it known which override is at fault.
        for key, text in zip(values, overrides, strict=True):
            if key in GROUPS:
                continue
            try:
                (parsed,) = OverridesParser.create().parse_overrides([text])
                OmegaConf.update(schema, key, parsed.value())
            except (HydraException, OmegaConfBaseException) as error:
                raise ConfigError(refusal(key, values[key])) from error
        _register()
        try:
            with initialize(version_base="1.3", config_path=None, job_name="eureka"):
                config = OmegaConf.to_object(compose("eureka_run", overrides=overrides))
        except (HydraException, OmegaConfBaseException) as error:
            raise ConfigError(f"the config cannot be composed: {' '.join(str(error).split())}") from error
    assert isinstance(config, RunConfig)
    return config


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


def _thawed(cls: type[Any]) -> Any:
    """A structured config of a frozen dataclass that can be merged into; the object made from it is frozen again."""
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
