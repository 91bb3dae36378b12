"""Code and differences."""

from __future__ import annotations

import html
import re

from eureka.ui.report.code import MAX_DIFF_LINES, MAX_HIGHLIGHTED, difference, highlighted, lines_of

SOURCE = '''import torch


def compute_reward(x):
    """Two
    lines."""
    # go
    return 2.5 * x, {"a": x}
'''


def plain(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", markup))


def test_the_text_of_code_is_the_source() -> None:
    assert plain(highlighted(SOURCE)) + "\n" == SOURCE


def test_tokens_are_told_apart_and_strings_over_lines_are_closed_in_each() -> None:
    lines = lines_of(SOURCE)
    assert lines[0] == "<span class=k>import </span>torch"
    assert lines[3] == "<span class=k>def </span><span class=f>compute_reward</span>(x):"
    assert lines[4] == "    <span class=s>&#34;&#34;&#34;Two</span>"
    assert lines[5] == "<span class=s>    lines.&#34;&#34;&#34;</span>"
    assert "<span class=c># go</span>" in lines[6]
    assert "<span class=m>2.5 </span>* x" in lines[7]
    for line in lines:
        assert line.count("<span") == line.count("</span>")


def test_hostile_code_stays_text() -> None:
    source = "</code><script>alert(1)</script>\n'''<svg onload=x>\n\u202e\x1b[31m"
    shown = highlighted(source)
    assert re.findall(r"<(?!/?span)", shown) == []
    assert plain(shown) == "</code><script>alert(1)</script>\n'''<svg onload=x>\n⟨U+202E⟩␛[31m"


def test_a_very_long_source_is_shown_plain() -> None:
    source = "x = 1\n" * (MAX_HIGHLIGHTED // 6 + 1)
    assert "class=m" not in highlighted(source)
    assert plain(highlighted(source)) == source.rstrip("\n")


def test_a_difference_has_both_sides_with_their_surroundings() -> None:
    old = "\n".join(f"line_{i} = {i}" for i in range(20))
    new = old.replace("line_10 = 10", "line_10 = 99\nadded = 1")
    shown = difference(old, new)
    assert shown is not None
    assert [plain(part) for part in shown.split("\n")] == [
        "lines 8–15",
        "  line_7 = 7",
        "  line_8 = 8",
        "  line_9 = 9",
        "− line_10 = 10",
        "+ line_10 = 99",
        "+ added = 1",
        "  line_11 = 11",
        "  line_12 = 12",
        "  line_13 = 13",
    ]
    assert shown.count("<del>") == 1
    assert shown.count("<ins>") == 2


def test_what_is_too_long_to_compare_has_no_difference() -> None:
    assert difference("x\n" * (MAX_DIFF_LINES + 1), "x") is None
    assert difference("same", "same") == ""
