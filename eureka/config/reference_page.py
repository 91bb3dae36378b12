"""The reference of the configuration as a page: docs/configuration.md."""

from __future__ import annotations

from collections.abc import Sequence

from eureka.config.reference import ConfigKey
from eureka.config.schema import BUDGETS, PRESETS

_HEAD = """# Configuration

<!-- made by `eureka config --markdown > docs/configuration.md`; a test holds it to the code -->

Keys are given to `eureka run` as `key=value`, and to `eureka.evolve` by name. `eureka config KEY` shows one of them in
the terminal, `eureka config search` all that begin so.

How much is spent is one word, and a whole search as somebody published it another; single keys win over both:

"""


def as_markdown(keys: Sequence[ConfigKey]) -> str:
    """The page with these keys, a table a section."""
    lines = [_HEAD + _presets_table(keys)]
    sections: dict[str, list[ConfigKey]] = {}
    for key in keys:
        sections.setdefault(key.name.partition(".")[0] if "." in key.name else "", []).append(key)
    for section, entries in sections.items():
        lines += [
            "",
            f"## {section or 'The run'}",
            "",
            "| key | values | default | meaning |",
            "| --- | --- | --- | --- |",
        ]
        lines += [_row(entry) for entry in entries]
    return "\n".join(lines) + "\n"


def _presets_table(keys: Sequence[ConfigKey]) -> str:
    names = [*(f"budget={name}" for name in BUDGETS), *(f"preset={name}" for name, sets in PRESETS.items() if sets)]
    lines = [f"| key | {' | '.join(f'`{name}`' for name in names)} |", f"| --- |{' --- |' * len(names)}"]
    lines += [
        f"| `{key.name}` | {' | '.join(key.presets.get(name, '') for name in names)} |" for key in keys if key.presets
    ]
    return "\n".join(lines)


def _row(key: ConfigKey) -> str:
    kind = f"{key.kind}, at least {key.minimum:g}" if key.minimum is not None else key.kind
    owners = f" Of {', '.join(f'llm={owner}' for owner in key.owners)}." if key.owners else ""
    cells = (f"`{key.name}`", kind, f"`{key.default}`", f"{key.meaning}{owners}")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
