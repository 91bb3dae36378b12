"""The options of a zygote, given when it is started."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, cast


@dataclass(frozen=True)
class Options:
    """The options on the zygote's command line, which is public and so has no secrets.

    `import_path` is searched after the zygote's own: the caller's folders, then the host's import path.
    """

    control: int
    host: int
    preload: str | None
    import_path: tuple[str, ...]

    def to_argument(self) -> str:
        """As one command line argument."""
        return json.dumps(asdict(self))

    @classmethod
    def from_argument(cls, argument: str) -> Options:
        """The inverse of `to_argument`."""
        fields = cast(dict[str, Any], json.loads(argument))
        return cls(import_path=tuple(fields.pop("import_path")), **fields)
