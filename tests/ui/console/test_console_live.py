"""The live table: what it shows at every size, and what a terminal makes of what is written."""

from __future__ import annotations

import io
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyte
import pytest
from console_story import HOSTILE, Clock, Story, answered, started, trainings
from records import finish
from rich.cells import cell_len
from rich.console import Console

from eureka.core.events import GenerationFinished, TrainingProgress, of_training
from eureka.core.ids import INIT_ID
from eureka.core.training import TrainingResult
from eureka.core.types import Completion, Rejected, Stage
from eureka.ui.console.board import Board, Row, Score, score
from eureka.ui.console.layout import ASCII, count, metric_text, render
from eureka.ui.console.layout import clock as clock_text
from eureka.ui.console.live import LiveTable
from eureka.ui.console.output import say

Make = Callable[..., TrainingResult]


@pytest.fixture
def story(tmp_path: Path, make_result: Make) -> Story:
    return Story(tmp_path / "run", make_result)


def shown(board: Board, width: int = 80, height: int = 24) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=height, color_system=None)
    with console.capture() as captured:
        console.print(render(board, width, height))
    return [line.rstrip() for line in captured.get().splitlines()]


def test_every_state_of_a_generation_at_80_columns(story: Story) -> None:
    clock = Clock()
    board = Board(story.view(), clock)
    at = {step: shown(board) for step in story.tell(board, clock)}
    assert at["asked"] == [
        "ant · generation 1/2 · 0:00",
        "  candidate  state                       steps  metric, m/s [95%]          left",
        "  g01-c01    asked",
        "  g01-c02    asked",
        "  g01-c03    asked",
    ]
    assert at["rejected"][0] == "ant · generation 1/2 · 3,600 tokens · $0.03 · 0:00"
    assert at["rejected"][2] == "  g01-c01    answered"
    assert at["rejected"][3].startswith(r"  g01-c02    rejected (trace)           line 6: `\x1b[2J\x1b[31mred\x0")
    assert at["rejected"][3].endswith("…")
    assert at["rejected"][4] == "  g01-c03    rejected (extract)         no code"
    assert at["repaired"][4] == "  g01-c03    repaired"
    assert at["waiting"][4] == "  g01-c03    waiting"
    # g01-c01 took 10 s for 250 steps, and has 650 left: 26 s. Of the run 1550 are left of this generation, 3 x 1000 of
    # the next, and 2 x 1000 of the finalists: at 25 steps a second 262 s, and nothing but training took time so far.
    assert at["training"] == [
        "ant · generation 1/2 · 4,800 tokens · $0.04 · 0:10 · 4:22 left",
        "  candidate  state                       steps  metric, m/s [95%]          left",
        "  g01-c01    training ━━━───────  35%      350  1.25                       0:26",
        at["rejected"][3],
        "  g01-c03    training ━─────────  10%      100  0.25",
    ]
    assert at["trained"][2] == "★ g01-c01    done                           1k  2 [1, 3]"
    assert at["trained"][4] == "  g01-c03    rejected (train)           its reward was not finite"
    # A better one takes the star from the best so far.
    assert at["second"][2:4] == [
        "  g01-c01    best so far                        2 [1, 3]",
        "★ g02-c01    done                           1k  3 [2.5, 3.5]",
    ]
    # Over two seeds of means 3 and 5 the interval is between these.
    assert at["finalists"] == [
        "ant · finalists · 6,000 tokens · $0.05 · 0:10 · 0:40 left",
        "  candidate  state                       steps  metric, m/s [95%]          left",
        "★ g02-c01    done                           1k  4 [3, 5]",
        "  g01-c01    waiting                            2 [1, 3]",
    ]


@pytest.mark.parametrize("width", [20, 40, 59, 60, 79, 80, 99, 100, 120, 200])
def test_no_line_is_as_wide_as_the_terminal(story: Story, width: int) -> None:
    clock = Clock()
    board = Board(story.view(), clock)
    for _ in story.tell(board, clock):
        for line in shown(board, width):
            assert cell_len(line) < width
            assert line.isprintable()


def test_narrow_and_wide_terminals(story: Story) -> None:
    clock = Clock()
    board = Board(story.view(), clock)
    at = {step: (shown(board, 60), shown(board, 120)) for step in story.tell(board, clock)}
    narrow, wide = at["training"]
    assert narrow == [
        "ant · generation 1/2 · 4,800 tokens · $0.04 · 4:22 left",
        "  candidate  state               metric, m/s [95%]     left",
        "  g01-c01    training  35%       1.25                  0:26",
        r"  g01-c02    rejected (trace)    line 6: `\x1b[2J\x1b[31mr…",
        "  g01-c03    training  10%       0.25",
    ]
    assert wide[4].split() == ["g01-c03", "training", "━─────────", "10%", "100", "0.25", "1", "repair"]


def test_what_does_not_fit_the_height_is_counted(story: Story) -> None:
    story.changes = {"samples": 16}
    clock = Clock()
    board = Board(story.view(), clock)
    for step in story.tell(board, clock):
        if step == "training":
            break
    lines = shown(board, 80, 8)
    assert len(lines) == 8
    # Those in training first, then those that may still be; the rejected one last.
    assert [line.split()[0] for line in lines[2:]] == ["g01-c01", "g01-c03", "g01-c04", "g01-c05", "g01-c06", "and"]
    assert lines[-1] == "  and 11 more"


def test_a_run_that_goes_on_shows_what_is_done(story: Story, make_result: Make) -> None:
    view = story.view()
    with view.store as store:
        store.record_result(make_result("g01-c01", (2.0,)))
        finish(store, 1, "g01-c01")
        store.record_completion(Completion("g02-c01", "", "m"))
        store.record_completion(Completion("g02-c02", "", "m"))
        store.record_rejection(Rejected("g02-c02", Stage.VERIFY, "too large", "too large"))
        store.record_completion(Completion("g02-c03", "", "m"))
        store.record_result(make_result("g02-c03", (1.0, 1.0)))
        board = Board(view, Clock())
        board(started(2))
    assert shown(board)[2:] == [
        "★ g01-c01    best so far                        2",
        "  g02-c01    answered",
        "  g02-c02    rejected (verify)          too large",
        "  g02-c03    done                               1 [1, 1]",
    ]


def test_a_reward_to_start_from_is_called_so(story: Story, make_result: Make) -> None:
    view = story.view()
    with view.store as store:
        board = Board(view, Clock())
        board(trainings(INIT_ID))
        board(TrainingProgress(INIT_ID, 0, 100, 0.5, 9.0))
        assert shown(board)[2].startswith("  your reward  training ━")
        board(of_training(make_result(INIT_ID, (2.0,))))
        board(started(1))
        assert [row.split()[:3] for row in shown(board)[2:4]] == [["★", "your", "reward"], ["g01-c01", "asked"]]
        store.record_facts(replace(store.facts(), init="human"))
        assert shown(board)[2].startswith("★ human reward  done")


def test_without_unicode_and_numbers() -> None:
    assert ASCII.best.isascii()
    assert [clock_text(seconds) for seconds in (0.4, 59.6, 754, 11100)] == ["0:00", "1:00", "12:34", "3:05:00"]
    assert [count(number) for number in (999, 1000, 51_200, 999_499, 999_500)] == ["999", "1k", "51k", "999k", "1.00M"]


def test_the_interval_is_over_seeds_where_there_are_several() -> None:
    assert score([[2.0]]).interval is None
    assert score([[1.0, 3.0]]).interval == (1.0, 3.0)
    of_two = score([[0.0, 10.0], [5.0, 5.0]])
    assert (of_two.mean, of_two.interval) == (5.0, (5.0, 5.0))


def test_a_metric_has_as_many_digits_as_its_interval() -> None:
    def shown_as(mean: float, *interval: float, width: int = 30) -> str:
        return metric_text(Row("g01-c01", score=Score(mean, (interval[0], interval[1]) if interval else None)), width)

    assert shown_as(0.0225, 0.00641, 0.0384) == "0.022 [0.006, 0.038]"
    assert shown_as(-0.00334, -0.00712, 0.00012) == "-0.0033 [-0.0071, 0.0001]"
    assert shown_as(-0.0001, -0.4, 0.4) == "0 [-0.4, 0.4]"
    assert shown_as(1234.5, 1000.0, 1400.0) == "1234 [1000, 1400]"
    assert shown_as(20.0, 20.0, 20.0) == "20 [20, 20]"
    assert shown_as(0.12345) == "0.123"
    # At 80 columns there are 22 cells: one power of ten for all, then a digit less, then no interval.
    assert shown_as(0.000123, 0.000111, 0.000134, width=22) == "1.23 [1.11, 1.34] e-4"
    assert shown_as(1.234e6, 1.1e6, 1.3e6, width=22) == "1.23 [1.1, 1.3] e6"
    assert shown_as(-0.0123, -0.0133, -0.0113, width=22) == "-1.2 [-1.3, -1.1] e-2"
    assert shown_as(-0.0123, -0.0133, -0.0113, width=10) == "-0.0123"
    assert shown_as(2e-5, 2e-5, 2e-5, width=17) == "2 [2, 2] e-5"


def test_the_rest_of_an_answer_is_no_repair(story: Story) -> None:
    board = Board(story.view(), Clock())
    board(started(1))
    board(answered("g01-c01"))
    board(answered("g01-c01", attempt=1, continues=True))
    assert shown(board)[2] == "  g01-c01    answered"
    board(answered("g01-c01", attempt=2))
    assert shown(board)[2] == "  g01-c01    repaired"
    assert shown(board, 120)[2].endswith("  1 repair")


def test_the_star_is_whom_the_search_calls_best(story: Story, make_result: Make) -> None:
    """Not who was lucky while others were trained further, nor who has the highest number of a shorter training."""
    story.changes = {"samples": 2}
    board = Board(story.view(), Clock())

    def trained(name: str, *scores: float, seed: int = 0) -> None:
        board(of_training(make_result(name, scores, seed=seed)))

    board(started(1, 2))
    board(trainings("g01-c01", "g01-c02", steps=500))
    trained("g01-c01", 9.0)
    trained("g01-c02", 1.0)
    assert board.leader() is None
    assert shown(board)[2] == "  g01-c01    stopped                       500  9"
    board(trainings("g01-c02", continued=True))
    trained("g01-c02", 2.0)
    assert board.leader() == "g01-c02"
    board(GenerationFinished(1, "g01-c02", 2.0))
    assert shown(board)[2:] == [
        "  g01-c01    stopped                       500  9",
        "★ g01-c02    done                           1k  2",
    ]
    board(started(2, 2))
    board(trainings("g02-c01"))
    trained("g02-c01", 1.5)
    assert board.leader() == "g01-c02"
    # Further seeds may tell that the best is worth less than it seemed, and then that is said.
    board(trainings("g01-c02", "g02-c01", seed=1))
    trained("g01-c02", 0.0, seed=1)
    trained("g02-c01", 1.5, seed=1)
    assert board.leader() == "g02-c01"
    board(GenerationFinished(2, "g02-c01", 1.5))
    assert board.best is not None
    assert board.best.note == "g01-c02's mean score was 2 before further seeds"


# ---- on a terminal -----------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    """What a terminal of 80x24 shows after every write."""

    def __init__(self, width: int = 80, height: int = 24) -> None:
        super().__init__()
        self.screen = pyte.HistoryScreen(width, height, history=1000, ratio=1)
        self.screen.set_mode(pyte.modes.LNM)  # what a terminal driver makes of a newline
        self._stream = pyte.Stream(self.screen)
        self.frames = 0
        self.torn = 0
        self._lock = threading.Lock()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.frames += 1
        # What erases lines is shown at once with what takes their place.
        self.torn += "\x1b[2K" in text and not (text.startswith("\x1b[?2026h") and text.endswith("\x1b[?2026l"))
        with self._lock:  # the table's thread and the test's write to it
            self._stream.feed(text)
        return len(text)

    def rows(self) -> list[str]:
        return [row.rstrip() for row in self.screen.display]

    def everything(self) -> list[str]:
        """With what scrolled away."""
        gone = ["".join(row[x].data for x in range(self.screen.columns)).rstrip() for row in self.screen.history.top]
        return [row for row in [*gone, *self.rows()] if row]


def console(terminal: Terminal, **options: object) -> Console:
    width, height = terminal.screen.columns, terminal.screen.lines
    return Console(file=terminal, force_terminal=True, width=width, height=height, highlight=False, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_frames_replace_each_other_and_nothing_wraps(story: Story, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eureka.ui.console.live.REDRAW_INTERVAL_S", 0.005)
    terminal = Terminal(width, 24)
    clock = Clock()
    table = LiveTable(story.view(), console(terminal, color_system="truecolor"))
    with table:
        for step in story.tell(table, clock):
            frames = terminal.frames
            while terminal.frames < frames + 3:
                time.sleep(0.002)
            if step == "training":
                say("the provider is overloaded; waiting 3 s")
    everything = terminal.everything()
    titles = [line for line in everything if line.startswith("ant ·")]
    assert [title.split(" · ")[1] for title in titles] == ["generation 1/2", "generation 2/2", "finalists"]
    assert sum(line.lstrip(" ★").startswith("g01-c01") for line in everything) == 2
    assert "the provider is overloaded; waiting 3 s" in everything
    assert "worker 1 was killed by signal 9; started again for g01-c03" in everything
    assert terminal.torn == 1  # the last, which gives the terminal back
    assert not terminal.screen.cursor.hidden
    # The whole reason is left behind, broken between words, and its escapes had no power.
    reason = " ".join(line.strip() for line in everything)
    assert "environments environments environments environments environments environments" in reason
    assert r"\x1b[2J" in reason
    assert HOSTILE not in reason


@pytest.mark.parametrize("height", [24, 6])
def test_an_interrupted_table_stays_and_the_cursor_comes_back(story: Story, height: int) -> None:
    terminal = Terminal(80, height)
    clock = Clock()
    table = LiveTable(story.view(), console(terminal))

    def interrupted() -> None:
        with table:
            for _ in itertools.islice(story.tell(table, clock), 5):
                pass
            frames = terminal.frames
            while terminal.frames < frames + 2:
                time.sleep(0.01)
            terminal.write("^C")  # as a terminal echoes it
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    everything = terminal.everything()
    assert [line for line in everything if line.startswith("ant ·")] == everything[:1]
    assert "training ━━━───────  35%" in everything[2]
    assert not terminal.screen.cursor.hidden
    assert terminal.screen.cursor.x == 0


def test_no_color_is_honoured(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    written = []
    for value in ("1", ""):
        monkeypatch.setenv("NO_COLOR", value)
        terminal = Terminal()
        terminal.write = lambda text: written.append(text) or len(text)  # type: ignore[method-assign, func-returns-value]
        story.folder = story.folder.with_name(f"run{value}")
        table = LiveTable(story.view(), console(terminal, color_system="standard"))
        with table:
            for _ in story.tell(table, Clock()):
                pass
        written.append("|")
    without, with_colors, _ = "".join(written).split("|")
    assert "\x1b[31m" in with_colors
    assert not any(f"\x1b[{number}m" in without for number in range(30, 38))
