"""Run folders that a stranger made: no program for a table, no value without a bound, nothing that is waited for."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from eureka.core.errors import StoreError
from eureka.core.training import TrainingResult
from eureka.core.types import Origin, PromptFacts, Sample
from eureka.store import RunFacts, RunStore, database
from eureka.store.files import read_bounded, read_text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    RunStore.create(tmp_path / "run", "task: ant\n", RunFacts(sentence="run")).close()
    return tmp_path / "run"


def changed(folder: Path, *statements: str) -> Path:
    connection = sqlite3.connect(folder / "run.db")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return folder


ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x AS key, x AS value FROM n"

# So slow an expression has few instructions between which SQLite could look at a clock.
SLOW = " + ".join(["length(hex(zeroblob(30000000)))"] * 400)


@pytest.mark.parametrize(
    "statements",
    [
        ("DROP TABLE fact", f"CREATE VIEW fact AS {ENDLESS}"),
        ("DROP TABLE meta", f"CREATE VIEW meta AS {ENDLESS}"),
        (f"CREATE VIEW other AS {ENDLESS}",),
        ("CREATE TRIGGER t AFTER INSERT ON fact BEGIN DELETE FROM fact; END",),
        ("CREATE VIRTUAL TABLE v USING fts5(a)",),
        ("CREATE INDEX i ON fact(value)",),
        ("DROP TABLE fact", f"CREATE TABLE fact (key TEXT PRIMARY KEY, value TEXT AS ({SLOW}))"),
        ("DROP TABLE fact", f"CREATE TABLE fact (key TEXT PRIMARY KEY, value TEXT, CHECK ({SLOW}))"),
        ("DROP TABLE fact", f"CREATE TABLE fact (key TEXT PRIMARY KEY, value TEXT DEFAULT ({SLOW}))"),
    ],
)
@pytest.mark.parametrize("read_only", [True, False])
def test_only_plain_tables_are_opened(folder: Path, statements: tuple[str, ...], read_only: bool) -> None:
    with pytest.raises(StoreError, match=r"run\.db holds a \w+ named '\w+', which no run has"):
        RunStore.open(changed(folder, *statements), read_only=read_only)


@pytest.mark.parametrize("read_only", [True, False])
def test_the_database_is_not_that_of_another_run(folder: Path, tmp_path: Path, read_only: bool) -> None:
    """Reading would show another run of this user, and going on would write into it."""
    (folder / "run.db").rename(tmp_path / "mine.db")
    (folder / "run.db").symlink_to(tmp_path / "mine.db")
    before = (tmp_path / "mine.db").read_bytes()
    with pytest.raises(StoreError, match=r"run\.db is a link"):
        RunStore.open(folder, read_only=read_only)
    assert (tmp_path / "mine.db").read_bytes() == before


def test_a_value_has_a_bound(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "MAX_VALUE_BYTES", 1 << 20)
    changed(folder, "INSERT INTO fact VALUES ('big', CAST(zeroblob(2000000) AS TEXT))")
    with RunStore.open(folder, read_only=True) as store, pytest.raises(StoreError, match="too big"):
        store.facts()


def test_a_table_has_a_bound(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "MAX_READ_BYTES", 1 << 20)
    many = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 400) "
    changed(folder, f"INSERT INTO fact {many} SELECT 'k' || x, hex(zeroblob(2000)) FROM n")
    with (
        RunStore.open(folder, read_only=True) as store,
        pytest.raises(StoreError, match="more than 1 MiB"),
    ):
        store.facts()


def test_a_statement_has_a_clock(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "STATEMENT_S", 0.2)
    with RunStore.open(folder, read_only=True) as store:
        started = time.monotonic()
        with pytest.raises(sqlite3.OperationalError, match="interrupted"):
            store._database.rows(f"SELECT count(*) FROM ({ENDLESS})")
        assert time.monotonic() - started < 10
        assert store.facts() == RunFacts(sentence="run")  # it can be read further


@pytest.mark.parametrize("text", ["[" * 100_000, "{}", "[1]", "9" * 5000, "nothing"])
def test_a_list_is_a_list_of_texts(folder: Path, text: str) -> None:
    with RunStore.open(folder) as store:
        store._database.set_value("fact", "task_dirs", text)
        with pytest.raises(StoreError, match=r"'task_dirs' of run\.db was changed by hand"):
            store.facts()


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


@pytest.mark.parametrize("make", [pipe, device, large, Path.mkdir], ids=["pipe", "device", "large", "folder"])
def test_a_file_is_plain_and_has_a_bound(folder: Path, make: Callable[[Path], None]) -> None:
    path = folder / "generation_01" / "candidate_01" / "policy_seed0.pt"
    path.parent.mkdir(parents=True)
    make(path)
    with pytest.raises(OSError, match=r"no plain file|at most|directory"):
        read_bounded(path, 1000)
    with RunStore.open(folder, read_only=True) as store, pytest.raises(StoreError, match="cannot read"):
        store.policy(TrainingResult("g01-c01", 0, (1.0,)))


@pytest.mark.parametrize("linked", ["generation_01", "generation_01/candidate_01", "generation_01/candidate_01/a.txt"])
def test_nothing_is_read_behind_a_link_in_the_folder(folder: Path, tmp_path: Path, linked: str) -> None:
    """A page that is sent back would hold a file of this machine. The folder itself may be reached by a link."""
    path = Path("generation_01/candidate_01/a.txt")
    secret = tmp_path / "home" / path
    for place in (secret, folder / path):
        place.parent.mkdir(parents=True)
        place.write_text(place.parts[-4])
    (tmp_path / "alias").symlink_to(folder)
    alias = tmp_path / "alias"
    assert read_text(alias / path, within=alias) == read_text(folder / path, within=folder) == "run"
    (folder / linked).rename(tmp_path / "before")
    (folder / linked).symlink_to(tmp_path / "home" / linked)
    assert (folder / path).read_text() == "home"
    for reached in (folder, alias):
        with pytest.raises(OSError, match="behind a link"):
            read_text(reached / path, within=reached)


def test_links_that_lead_to_each_other_are_an_error_of_the_disk(folder: Path) -> None:
    (folder / "a.txt").symlink_to(folder / "b.txt")
    (folder / "b.txt").symlink_to(folder / "a.txt")
    with pytest.raises(OSError, match="link"):
        read_text(folder / "a.txt", within=folder)


def test_a_tuned_sample_without_a_parent_is_an_error_of_the_folder(folder: Path) -> None:
    facts = PromptFacts("t", 0, 1, ())
    with RunStore.open(folder) as store:
        store.record_samples([Sample(id="g01-c01", facts=facts, origin=Origin.TUNED)])
        with pytest.raises(StoreError, match="g01-c01 says that it was tuned"):
            store.samples()


def test_a_text_that_is_none_is_shown_as_it_can_be(folder: Path) -> None:
    (folder / "a.txt").write_bytes(b"caf\xe9")
    assert read_text(folder / "a.txt") == "caf\ufffd"


@pytest.mark.parametrize("name", ["checkpoints", "checkpoints/trained", "checkpoints/worker0.log", "checkpoints/a/b"])
def test_checkpoints_lead_nowhere_else(folder: Path, tmp_path: Path, name: str) -> None:
    target = tmp_path / "mine"
    target.mkdir()
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).symlink_to(target)
    with (
        RunStore.open(folder) as store,
        pytest.raises(StoreError, match="is a link, and nothing is written"),
    ):
        store.checkpoint_folder  # noqa: B018
