"""A registry of this user's own runs, whose code, endpoints and confinement need not be given again.

A run folder is data from a possibly untrusted source. So when this user starts a run, its id is stored in the user's
state folder, with a hash of its config and of the code that it names. A run folder with that id and the same hashes is
the user's own; one that was changed, or whose code was changed, is treated as received from others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from importlib.util import find_spec
from pathlib import Path

from eureka.app.configs import from_yaml
from eureka.config import declared_values
from eureka.config.environments import is_file, names_code
from eureka.core.errors import EurekaError
from eureka.store import RunStore
from eureka.store.files import read_text, write_atomically

_MOST_FILES = 2_000
_MOST_BYTES = 512 << 20
_ID_DIGITS = frozenset("0123456789abcdef")


def remember(store: RunStore, environment: Mapping[str, str]) -> None:
    """Register that this user started this run, or gave its values again on a resume.

    If that cannot be stored, the run is treated as received from others.
    """
    path, found = _path(store, environment), _hashes(store)
    if path is not None and found is not None:
        with suppress(OSError):
            write_atomically(path, json.dumps(found).encode())


def is_own(store: RunStore, environment: Mapping[str, str]) -> bool:
    """Whether this user started the run, and neither it nor the code that it names was changed since."""
    path = _path(store, environment)
    if path is None or not path.is_file():
        return False
    try:
        kept = json.loads(read_text(path))
    except (OSError, ValueError, RecursionError):
        return False
    return kept is not None and kept == _hashes(store)


def task_folders(store: RunStore, given: Sequence[Path], environment: Mapping[str, str]) -> list[Path]:
    """The task folders that a command on a run uses: the given ones, else those recorded by the user's own run."""
    if given or not is_own(store, environment):
        return list(given)
    return [Path(folder) for folder in store.facts().task_dirs]


def _path(store: RunStore, environment: Mapping[str, str]) -> Path | None:
    name = store.facts().run_id
    if len(name) != 32 or not _ID_DIGITS.issuperset(name):
        return None
    state = environment.get("XDG_STATE_HOME")
    try:
        return (Path(state) if state else Path.home() / ".local" / "state") / "eureka" / "runs" / f"{name}.json"
    except RuntimeError:  # the user's home folder is unknown
        return None


def _hashes(store: RunStore) -> dict[str, str] | None:
    """Hashes of a run's config and of the code that it names; None if the code cannot be read."""
    try:
        facts = store.facts()
        resumed_with = json.dumps(facts.resumed_with, ensure_ascii=False)
        text = "\0".join([store.config_yaml, json.dumps(facts.task_dirs), resumed_with])
        code = hashlib.sha256()
        for part in _code(store):
            code.update(hashlib.sha256(part).digest())
    except (EurekaError, OSError, LookupError, ValueError):
        return None
    return {"config": hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest(), "code": code.hexdigest()}


def _code(store: RunStore) -> Iterator[bytes]:
    """Names and contents of everything that the run would have Python execute."""
    config = from_yaml(store.config_yaml)
    folders = [Path(folder) for folder in store.facts().task_dirs]
    if config.task is not None and folders:
        # Only tasks need MuJoCo, so it is imported here.
        from eureka.tasks import find_tasks

        yield from _folder(find_tasks(folders)[config.task])
    for key, value in declared_values(config).items():
        if key.startswith("llm."):  # an endpoint, such as https://host:1/v1
            continue
        value = str(value)
        if is_file(value):
            yield from (value.encode(), _read(Path(value)))
        elif names_code(value):
            for name in value.split(","):
                yield from _module(name.partition(":")[0].strip().partition(".")[0])


def _folder(folder: Path) -> Iterator[bytes]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and "__pycache__" not in path.parts]
    if len(files) > _MOST_FILES:
        raise ValueError(f"{folder} holds more than {_MOST_FILES} files")
    for path in files:
        yield str(path).encode(errors="surrogateescape")
        yield _read(path)


def _module(name: str) -> Iterator[bytes]:
    """Bytes that identify an importable module: its file, and the version of an installed package. Imports nothing."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ValueError(f"there is no module {name}")
    yield spec.origin.encode()
    yield _read(Path(spec.origin))
    for package in sorted(_packages().get(name, ())):
        with suppress(PackageNotFoundError):
            yield f"{package} {version(package)}".encode()


@cache
def _packages() -> Mapping[str, Sequence[str]]:
    """The installed packages that a module comes from, by its name; reading them takes a second."""
    return packages_distributions()


def _read(path: Path) -> bytes:
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError(f"{path} is too large")
    return path.read_bytes()
