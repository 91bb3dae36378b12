"""Lines of Python code by folder, without blank lines, comments and docstrings.

make lines                # of the working tree
make lines REV=main~20    # of another revision, and what has changed since
"""

from __future__ import annotations

import argparse
import ast
import io
import subprocess
import tokenize
from collections import Counter
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[1]
FOLDERS = ("eureka", "prompts", "sandbox", "tasks")
_NO_CODE = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}


def code_lines(source: str) -> int:
    """How many lines of `source` hold code. A text that stands alone as a statement is a docstring."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)


def room_of(path: str) -> str:
    """`eureka/search` of `eureka/search/loop.py`, `sandbox` of `sandbox/wire.py`."""
    parts = PurePosixPath(path).parts
    return "/".join(parts[:2]) if parts[0] == "eureka" and len(parts) > 2 else parts[0]


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def of_tree() -> Counter[str]:
    """Lines by room, of the files that git knows or would add."""
    names = _git("ls-files", "--cached", "--others", "--exclude-standard", "--", *FOLDERS).splitlines()
    counts: Counter[str] = Counter()
    for name in sorted(set(names)):
        path = ROOT / name
        if name.endswith(".py") and path.is_file() and not path.is_symlink():
            counts[room_of(name)] += code_lines(path.read_text(encoding="utf-8"))
    return counts


def of_revision(revision: str) -> Counter[str]:
    """Lines by room, of a revision."""
    counts: Counter[str] = Counter()
    for name in _git("ls-tree", "-r", "--name-only", revision, "--", *FOLDERS).splitlines():
        if name.endswith(".py"):
            counts[room_of(name)] += code_lines(_git("show", f"{revision}:{name}"))
    return counts


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revision", nargs="?", help="a git revision to compare with")
    revision = parser.parse_args().revision
    now = of_tree()
    before = of_revision(revision) if revision else Counter[str]()
    rows = [(room, before[room], now[room]) for room in sorted({*now, *before})]
    rows.append(("all", before.total(), now.total()))
    for room, old, new in rows:
        print(f"{room:<20} {old:7,} {new:7,} {new - old:+7,}" if revision else f"{room:<20} {new:7,}")


if __name__ == "__main__":
    main()
