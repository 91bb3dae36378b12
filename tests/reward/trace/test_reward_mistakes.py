"""Every mistake is told with its line and a remedy; the texts are golden (`mistakes_golden.json`)."""

import json
from pathlib import Path

import pytest
from reward_helpers import candidate
from reward_mistakes import MISTAKES

from eureka.core.types import Rejected, Stage

GOLDEN = json.loads((Path(__file__).parent / "mistakes_golden.json").read_text())


def test_golden_file_is_complete():
    assert GOLDEN.keys() == MISTAKES.keys()


@pytest.mark.parametrize("name", MISTAKES)
def test_feedback(verifier, name):
    result = verifier.verify(candidate(MISTAKES[name], name))
    assert isinstance(result, Rejected), result
    assert result.candidate_id == name
    assert {"stage": result.stage, "feedback": result.feedback} == GOLDEN[name]
    assert result.stage in (Stage.TRACE, Stage.VERIFY)
    assert result.reason.endswith(".")
    assert "\n" not in result.reason
