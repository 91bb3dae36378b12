"""What is shown of texts and numbers."""

from __future__ import annotations

import math

import pytest
from markupsafe import Markup

from eureka.ui.report.text import duration, excerpt, listed, number, percent, shown, tick_text, visible


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain\n\ttext", "plain\n\ttext"),
        ("Bär → 日本 😀", "Bär → 日本 😀"),
        ("a\r\nb", "a\nb"),
        ("a\rb", "a␍b"),
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("nul\x00bell\x07del\x7f", "nul␀bell␇del␡"),
        ("\x85\x9b", "⟨U+0085⟩⟨U+009B⟩"),
        ("access\u202euser\u2066", "access⟨U+202E⟩user⟨U+2066⟩"),
        ("zero\u200bwidth\ufeff", "zero⟨U+200B⟩width⟨U+FEFF⟩"),
        ("soft\u00adhyphen", "soft⟨U+00AD⟩hyphen"),
        ("line\u2028separator", "line⟨U+2028⟩separator"),
        ("lone\ud800surrogate", "lone⟨U+D800⟩surrogate"),
        ("tag\U000e0041", "tag⟨U+E0041⟩"),
        ("hangul\u3164filler", "hangul⟨U+3164⟩filler"),
        ("variation\ufe0f", "variation⟨U+FE0F⟩"),
        ("private\ue000", "private⟨U+E000⟩"),
    ],
)
def test_nothing_invisible_is_left(text: str, expected: str) -> None:
    assert visible(text) == expected
    assert visible(visible(text)) == expected


def test_markup_of_our_own_and_other_values_stay() -> None:
    ours = Markup("<b>\u202e</b>")
    assert shown(ours) is ours
    assert shown(3) == 3
    assert shown("\u202e") == "⟨U+202E⟩"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "–"),
        (0.0, "0"),
        (1.0, "1.00"),
        (2.306, "2.31"),
        (-0.04567, "−0.0457"),
        (20.0001, "20.0"),
        (947.4, "947"),
        (12345.6, "12,346"),
        (1.5e7, "1.50e7"),
        (-2e-5, "−2.00e−5"),
        (math.nan, "NaN"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
    ],
)
def test_numbers(value: float | None, expected: str) -> None:
    assert number(value) == expected


def test_numbers_on_an_axis_have_no_trailing_zeros() -> None:
    assert [tick_text(value) for value in (0.0, 0.5, 1.0, 20.0, 100.0, 1000.0)] == [
        "0",
        "0.5",
        "1",
        "20",
        "100",
        "1,000",
    ]


def test_shares_times_and_counts() -> None:
    assert [percent(share) for share in (None, 0.0, 0.034, 0.42, -0.2, 1.0)] == [
        "–",
        "0%",
        "3.4%",
        "42%",
        "−20%",
        "100%",
    ]
    assert [duration(s) for s in (0.42, 48.2, 60, 200, 7500)] == ["0.4 s", "48 s", "1 min", "3 min 20 s", "2 h 5 min"]
    assert [listed([]), listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


def test_an_excerpt_says_what_is_missing() -> None:
    assert excerpt("abcdef", 4) == ("abcd", 2)
    assert excerpt("abc", 4) == ("abc", 0)
