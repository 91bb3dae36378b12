"""What the tests of the comparison share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from eureka.store import RunStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    """An empty run."""
    with RunStore.create(tmp_path / "run", "") as made:
        yield made
