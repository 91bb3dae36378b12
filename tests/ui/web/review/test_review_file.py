"""`--feedback feedback.yaml`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from eureka.core.errors import FeedbackError
from eureka.core.types import Feedback, Verdict
from eureka.ui.web.review.feedback_file import read_feedback_file


def test_a_file_of_answers(tmp_path: Path) -> None:
    path = tmp_path / "feedback.yaml"
    path.write_text(
        "2: {verdict: none good}\n1:\n  best: g01-c02\n  worst: g01-c01\n  text: it hops on one leg\n"
        "3: {verdict: tie}\n"
    )
    assert read_feedback_file(path) == [
        Feedback(
            generation=1,
            verdict=Verdict.CHOICE,
            shown=(),
            best="g01-c02",
            worst="g01-c01",
            text="it hops on one leg",
        ),
        Feedback(generation=2, verdict=Verdict.NONE_GOOD, shown=()),
        Feedback(generation=3, verdict=Verdict.TIE, shown=()),
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1: [", "not valid YAML"),
        ("- best", "must have generations as keys, such as `1:`, and an answer below each"),
        ("", "must have generations as keys"),
        ("one: {best: g01-c01}", "must have generations as keys"),
        ("0: {best: g01-c01}", "must have generations as keys"),
        ("true: {best: g01-c01}", "must have generations as keys"),
        ("1: g01-c01", "generation 1: an answer has the keys best, worst, verdict, text"),
        ("1: {bset: g01-c01}", "an answer has the keys best, worst, verdict, text, not `bset`"),
        ("1: {verdict: great}", "there is no verdict `great`; there are choice, tie, none good"),
        ("1: {verdict: no answer}", "there is no verdict `no answer`"),
        ("1: {best: c1}", "'c1' is not a candidate id such as g02-c05"),
        ("1: {best: g02-c01}", "g02-c01 comes from a later generation"),
        ("1: {text: 12}", "text must be a text, not 12; put it in quotes"),
        ("1: {}", "it says nothing"),
        ("1: {best: g01-c01, worst: g01-c01}", "both the best and the worst"),
        ("1: {best: g01-c01, verdict: tie}", "it is `tie` and names g01-c01 all the same"),
    ],
)
def test_a_bad_file_gives_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "feedback.yaml"
    path.write_text(text)
    with pytest.raises(FeedbackError, match=re.escape(sentence)) as caught:
        read_feedback_file(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FeedbackError, match=r"nothing\.yaml: cannot be read: No such file"):
        read_feedback_file(tmp_path / "nothing.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FeedbackError, match="not valid YAML"):
        read_feedback_file(tmp_path / "binary.yaml")
