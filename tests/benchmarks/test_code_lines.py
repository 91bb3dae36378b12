"""What counts as a line of code."""

import code_lines

SOURCE = '''"""A module."""

import os  # a comment

# another


class Thing:
    """What it is.

    And more.
    """

    size: int = 3
    """How large."""

    def text(self) -> str:
        return """two
lines""" + os.linesep
'''


def test_blank_lines_comments_and_docstrings_do_not_count() -> None:
    # import, class, size, def, and the two lines of the return.
    assert code_lines.code_lines(SOURCE) == 6


def test_rooms() -> None:
    assert code_lines.room_of("eureka/search/methods/greedy.py") == "eureka/search"
    assert code_lines.room_of("eureka/api.py") == "eureka"
    assert code_lines.room_of("sandbox/wire.py") == "sandbox"
