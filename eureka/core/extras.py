"""The command that installs the packages of an extra; it works for a clone and for an installed package."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, requires

DISTRIBUTION = "eureka-rewards"


def install_line(extra: str) -> str:
    """`pip install 'mujoco-warp<4.1,>=4.0' 'warp-lang>=1.17'` for the extra `gpu`: the packages themselves.

    If this package's metadata cannot be read, the command names the extra instead, as for a clone.
    """
    try:
        found = requires(DISTRIBUTION) or []
    except PackageNotFoundError:
        found = []
    own = re.compile(rf"""extra\s*==\s*["']{re.escape(extra)}["']""")
    packages = [text.partition(";")[0].strip() for text in found if own.search(text.partition(";")[2])]
    if not packages:
        return f"pip install -e '.[{extra}]'"
    return "pip install " + " ".join(f"'{package}'" for package in packages)
