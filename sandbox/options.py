"""The options of a zygote, given when it is started."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, cast


@dataclass(frozen=True)
class Options:
    """What the host passes to the zygote on its command line: nothing secret, the command line is public.

    `import_path` is looked through after the zygote's own: the caller's folders, then what the host can import from.
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
