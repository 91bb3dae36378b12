"""`--feedback feedback.yaml`: a person's answers, written in advance.

1:
  best: g01-c02
  worst: g01-c01
  text: it hops on one leg; keep the torso level
2:
  verdict: none good
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from eureka.core.errors import FeedbackError
from eureka.core.ids import generation_of
from eureka.core.types import Feedback, Verdict
from eureka.ui.web.review.answers import require_sense

_VERDICTS = {verdict.value: verdict for verdict in (Verdict.CHOICE, Verdict.TIE, Verdict.NONE_GOOD)}
_KEYS = ("best", "worst", "verdict", "text")


def read_feedback_file(path: Path) -> list[Feedback]:
    """The answers of a file, one per generation; the candidates that were shown are filled in later.

    Raises:
        FeedbackError: the file cannot be read, or has an invalid answer.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise FeedbackError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise FeedbackError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(raw, dict) or not all(type(number) is int and number > 0 for number in raw):
        raise FeedbackError(f"{path}: must have generations as keys, such as `1:`, and an answer below each")
    return [_answer(number, raw[number], f"{path}: generation {number}") for number in sorted(raw)]


def _answer(generation: int, raw: Any, where: str) -> Feedback:
    if not isinstance(raw, dict) or not set(raw) <= set(_KEYS):
        odd = f", not `{next(key for key in raw if key not in _KEYS)}`" if isinstance(raw, dict) else ""
        raise FeedbackError(f"{where}: an answer has the keys {', '.join(_KEYS)}{odd}")
    verdict = raw.get("verdict", Verdict.CHOICE.value)
    if verdict not in _VERDICTS:
        raise FeedbackError(f"{where}: there is no verdict `{verdict}`; there are {', '.join(_VERDICTS)}")
    if not isinstance(raw.get("text", ""), str):
        raise FeedbackError(f"{where}: text must be a text, not {raw['text']!r}; put it in quotes")
    answer = Feedback(
        generation=generation,
        verdict=_VERDICTS[verdict],
        shown=(),
        best=_name(raw.get("best"), generation, where),
        worst=_name(raw.get("worst"), generation, where),
        text=raw.get("text", ""),
    )
    require_sense(answer, where)
    return answer


def _name(value: Any, generation: int, where: str) -> str | None:
    if value is None:
        return None
    try:
        known = generation_of(str(value)) <= generation
    except ValueError as error:
        raise FeedbackError(f"{where}: {error}") from error
    if not known:
        raise FeedbackError(f"{where}: {value} comes from a later generation")
    return str(value)
