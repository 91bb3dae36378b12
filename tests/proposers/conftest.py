"""What the tests of language models share."""

import threading
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _no_threads_left() -> Iterator[None]:
    """Calls that a test gave up have ended when the next one begins."""
    yield
    for thread in threading.enumerate():
        if thread.name == "eureka-llm":
            thread.join(5)
