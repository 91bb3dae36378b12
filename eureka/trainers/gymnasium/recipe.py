"""Loads the environment that `env=` names: an id of Gymnasium's registry, `module:Class`, or a file with one small
class.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import gymnasium

from eureka.config import RunConfig
from eureka.config.environments import is_file
from eureka.core.errors import ConfigError, TaskError
from eureka.core.missing import what_failed
from eureka.trainers.gymnasium.leftovers import leftovers_removed
from eureka.trainers.gymnasium.packages import install_line_of, module_of, registering_module

NO_LIMIT = 1000
"""Time limit in control steps for environments without one."""


@dataclass(frozen=True)
class EnvironmentRecipe:
    """Everything that another process needs to make the environment.

    Attributes:
        identity: the value of `env=`.
        kwargs: keyword arguments of the environment, as JSON text.
        wrappers: the value of `env.wrappers=`.
        metric: the value of `metric=`; empty for the metric of the environment's file, or else its return.
        folder: folder searched last for modules.
    """

    identity: str
    kwargs: str = "{}"
    wrappers: str = ""
    metric: str = ""
    folder: str = ""


def recipe_of(config: RunConfig) -> EnvironmentRecipe:
    """The environment that a config names."""
    assert config.env.id is not None
    return EnvironmentRecipe(
        identity=config.env.id,
        kwargs=json.dumps(config.env.kwargs),
        wrappers=config.env.wrappers or "",
        metric=config.metric or "",
        folder=os.getcwd(),
    )


@dataclass(frozen=True)
class Definition:
    """A loaded environment definition, with the descriptions in its file.

    Attributes:
        recipe: the recipe it was loaded from.
        maker: makes an environment; takes keyword arguments such as `render_mode`.
        described: the class that describes it in the user's file; None if there is no such file.
        files: the source files that define it.
    """

    recipe: EnvironmentRecipe
    maker: Callable[..., Any]
    described: Any = None
    files: tuple[Path, ...] = field(default=())

    @property
    def sentence(self) -> str | None:
        """What the policy should do, if the file says so."""
        return getattr(self.described, "sentence", None)

    @property
    def metric(self) -> str | Callable[..., Any]:
        """The metric in the file: a text as for `metric=`, or a function of the episode."""
        return self.recipe.metric or getattr(self.described, "metric", None) or "return"

    @property
    def state(self) -> Callable[..., Mapping[str, Any]] | None:
        """The file's `state` function."""
        return getattr(self.described, "state", None)

    @property
    def fields(self) -> Mapping[str, Any]:
        """Unit and description of State fields by name, from the file."""
        return getattr(self.described, "fields", None) or {}

    def make(self, render_mode: str | None = None) -> gymnasium.Env[Any, Any]:
        """The environment with its wrappers and a time limit.

        Raises:
            ConfigError: the environment cannot be made with these arguments, or needs a package.
            TaskError: it is not a single-agent environment with Gymnasium's interface.
        """
        identity = self.recipe.identity
        kwargs = json.loads(self.recipe.kwargs)
        try:
            with leftovers_removed():
                env = self.maker(**({"render_mode": render_mode} if render_mode else {}), **kwargs)
        except (ImportError, gymnasium.error.DependencyNotInstalled) as error:
            install = install_line_of(identity)
            said = _line(error)
            if install:  # in place of what the error itself tells to install
                said = f"{said.partition(', you can install')[0]}; {install} brings what it needs"
            raise ConfigError(f"env={identity}: it needs another package: {said}") from error
        except TypeError as error:
            raise ConfigError(
                f"env={identity}: it cannot be made with {kwargs or 'no arguments'}: {_line(error)}"
            ) from error
        except Exception as error:
            raise TaskError(f"env={identity}: making it {_failed(error)}") from error
        _require_environment(identity, env)
        for name in filter(None, (name.strip() for name in self.recipe.wrappers.split(","))):
            env = _wrapped(env, name, self.recipe)
        return env if time_limit(env) else gymnasium.wrappers.TimeLimit(env, NO_LIMIT)


def time_limit(env: gymnasium.Env[Any, Any]) -> int | None:
    """The control steps after which an episode is truncated, None without a limit."""
    inner: Any = env
    while isinstance(inner, gymnasium.Wrapper):
        if isinstance(inner, gymnasium.wrappers.TimeLimit):
            return int(inner._max_episode_steps)
        inner = inner.env
    return inner.spec.max_episode_steps if inner.spec is not None else None


def load_definition(recipe: EnvironmentRecipe) -> Definition:
    """Load the environment that a recipe names. Its code is imported, since it is the user's own.

    Raises:
        ConfigError: there is nothing of this name, or its package is not installed.
        TaskError: the code raises when it is imported, or has no suitable class.
    """
    identity = recipe.identity
    if is_file(identity):
        module = _module_of(Path(identity))
        found = _class_in(module, identity)
        return _of_object(recipe, found, (Path(identity),))
    if ":" in identity:
        module_name, _, name = identity.partition(":")
        module = _imported(module_name, recipe, f"env={identity}")
        if hasattr(module, name):
            return _of_object(recipe, getattr(module, name), (Path(str(module.__file__)),))
        if name not in gymnasium.registry:
            names = [n for n, value in vars(module).items() if inspect.isclass(value)]
            meant = _meant(name, [*names, *gymnasium.registry])
            raise ConfigError(
                f"env={identity}: the module {module_name} has no `{name}`, nor does it register an environment "
                f"of that name{meant}"
            )
        identity = name
    if identity not in gymnasium.registry:
        _register(identity, recipe)
    limit = gymnasium.registry[identity].max_episode_steps
    more = {} if limit else {"max_episode_steps": NO_LIMIT}

    def make(**kwargs: Any) -> Any:
        return gymnasium.make(identity, disable_env_checker=True, **more, **kwargs)

    return Definition(recipe, make)


def _register(identity: str, recipe: EnvironmentRecipe) -> None:
    """Import the package that registers an id; ConfigError if there is none or it does not."""
    if installed := registering_module(identity):
        _imported(installed, recipe, f"env={identity}")
    if identity in gymnasium.registry:
        return
    install, module = install_line_of(identity), module_of(identity)
    if install and module and module not in sys.modules:
        said = f": {install} brings it"
    elif "/" in identity and not any(name.startswith(f"{identity.partition('/')[0]}/") for name in gymnasium.registry):
        said = f": install the package that registers it, and name its module before the id: env=MODULE:{identity}"
    else:
        said = _meant(identity, gymnasium.registry)
    raise ConfigError(f"env={identity}: Gymnasium has no environment of this name{said}")


def _of_object(recipe: EnvironmentRecipe, found: Any, files: tuple[Path, ...]) -> Definition:
    if hasattr(found, "make") and not (inspect.isclass(found) and issubclass(found, gymnasium.Env)):
        described: Any = found() if inspect.isclass(found) else found
        return Definition(recipe, described.make, described, files)
    if not callable(found):
        raise ConfigError(f"env={recipe.identity}: it is no class and no function that makes an environment")
    return Definition(recipe, found, None, files)


def _module_of(path: Path) -> ModuleType:
    """Import a file as a module under its own name; its folder is searched last for other modules."""
    name = f"eureka_environment_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ConfigError(f"env={path}: there is no such file")
    _search_last(str(path.parent))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise TaskError(f"{path}, line {error.lineno}: {error.msg}") from error
    except ImportError as error:
        raise ConfigError(f"env={path}: {_line(error)}") from error
    except Exception as error:
        raise TaskError(f"{path}: importing it {_failed(error)}") from error
    return module


def _class_in(module: ModuleType, identity: str) -> Any:
    own = [
        value
        for name, value in vars(module).items()
        if inspect.isclass(value) and value.__module__ == module.__name__ and not name.startswith("_")
    ]
    described = [value for value in own if hasattr(value, "make") and not issubclass(value, gymnasium.Env)]
    environments = [value for value in own if issubclass(value, gymnasium.Env)]
    for found in (described, environments):
        if len(found) == 1:
            return found[0]
        if len(found) > 1:
            names = ", ".join(value.__name__ for value in found)
            raise TaskError(f"{identity}: it has {names}, and one of them must be the environment: put _ before others")
    raise TaskError(
        f"{identity}: it has no class with a function `make` that gives an environment, and none that is one; "
        "`eureka init NAME --env ID` writes such a file"
    )


def _imported(name: str, recipe: EnvironmentRecipe, what: str) -> ModuleType:
    _search_last(recipe.folder)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and name.split(".")[0] == error.name.split(".")[0]:
            install = install_line_of(f"{name}:")
            remedy = f"{install} brings it" if install else "start in the folder that has it, or install it"
            raise ConfigError(f"{what}: there is no module {error.name} here: {remedy}") from error
        raise ConfigError(f"{what}: the module {name} needs another: {_line(error)}") from error
    except Exception as error:
        raise TaskError(f"{what}: importing {name} {_failed(error)}") from error


def _search_last(folder: str) -> None:
    if folder and folder not in sys.path:
        sys.path.append(folder)


def _wrapped(env: gymnasium.Env[Any, Any], name: str, recipe: EnvironmentRecipe) -> gymnasium.Env[Any, Any]:
    what = f"env.wrappers={name}"
    module_name, colon, attribute = name.rpartition(":")
    module = _imported(module_name, recipe, what) if colon else gymnasium.wrappers
    wrapper = getattr(module, attribute, None)
    if wrapper is None:
        raise ConfigError(f"{what}: {module.__name__} has no `{attribute}`{_meant(attribute, dir(module))}")
    try:
        wrapped = wrapper(env)
    except Exception as error:
        raise ConfigError(f"{what}: it cannot be put around the environment: {_line(error)}") from error
    _require_environment(recipe.identity, wrapped)
    return wrapped  # type: ignore[no-any-return]


def load_function(name: str, folder: str) -> Callable[..., Any]:
    """The user's own `module:function` of `trainer=`.

    Raises:
        ConfigError: there is no function of this name.
        TaskError: its module raises when it is imported.
    """
    module_name, _, attribute = name.partition(":")
    module = _imported(module_name, EnvironmentRecipe("", folder=folder), f"trainer={name}")
    function = getattr(module, attribute, None)
    if not callable(function):
        raise ConfigError(f"trainer={name}: the module {module_name} has no function `{attribute}`")
    return function  # type: ignore[no-any-return]


def _require_environment(identity: str, env: Any) -> None:
    if hasattr(env, "possible_agents") or hasattr(env, "agents"):
        raise TaskError(
            f"env={identity}: it has several agents; one that learns while the others are part of the "
            "environment (a wrapper of yours) can be searched for"
        )
    if isinstance(env, gymnasium.Env):
        return
    if hasattr(env, "step") and hasattr(env, "observation_space"):
        raise TaskError(
            f"env={identity}: {type(env).__name__} is no gymnasium.Env but of the older package gym, whose step gives "
            "four values: wrap it with shimmy.GymV21CompatibilityV0(env=...) (pip install shimmy) in `make`"
        )
    raise TaskError(f"env={identity}: it made a {type(env).__name__}, and a gymnasium.Env is needed")


def _meant(name: str, known: Any) -> str:
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.4)
    return f"; did you mean {' or '.join(near)}?" if near else ""


def _failed(error: Exception) -> str:
    return " ".join(what_failed(error).split())


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())
