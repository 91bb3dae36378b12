"""What strangers wrote is printable and short wherever it goes."""

from eureka.core.text import class_name, clean, counted
from eureka.core.types import Rejected, Stage


def test_control_characters_become_spaces_and_lines_stay() -> None:
    assert clean("a\x1b[31m b\x00\u202ec\nd", 100) == "a [31m b  c\nd"


def test_what_is_too_long_is_cut_once() -> None:
    cut = clean("x" * 200, 50)
    assert cut == "x" * 44 + " [...]"
    assert clean(cut, 50) == cut
    assert clean("x" * 50, 50) == "x" * 50


def test_a_rejection_quotes_no_more_than_fits() -> None:
    rejected = Rejected("g01-c01", Stage.TRACE, "bad\nthing \x07" + "r" * 10**6, "line 1: \x9b" + "f" * 10**6)
    assert rejected.reason.startswith("bad thing  rrr")
    assert len(rejected.reason) == 1_000
    assert rejected.feedback.startswith("line 1:  fff")
    assert len(rejected.feedback) == 4_000


def test_names_of_classes() -> None:
    assert class_name("lunar-lander_two", "Task") == "LunarLanderTwo"
    assert class_name("none", "Task") == "NoneTask"  # a keyword of Python
    assert class_name("reset", "Task", {"Reset"}) == "ResetTask"
    assert class_name("_", "Environment") == "Environment"


def test_a_number_with_its_noun() -> None:
    assert [counted(1, "seed"), counted(1200, "seed")] == ["1 seed", "1,200 seeds"]
    assert counted(2, "policy", "policies") == "2 policies"
