"""run.db: SQLite tables of JSON records, one commit per write.

Every kind of record has its own table with the same columns: generation, sample, number (the seed of a training, the
attempt of an answer and of the records that depend on it, the phase of a selection; 0 for other kinds) and the record
as JSON, so that `sqlite3 run.db "select body from reward"` is readable. Writing the same key again replaces the record,
so that steps can be repeated.
"""

from __future__ import annotations

import math
import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from eureka import __version__
from eureka.core.errors import StoreError
from eureka.core.text import clean

FORMAT_VERSION = 3
"""The format of new run folders."""
READABLE_VERSIONS = (2, 3)
"""The formats that can be read; a folder older than FORMAT_VERSION is never written to."""

MAX_VALUE_BYTES = 64 << 20
"""Maximum size of one value in a run.db, which may come from an untrusted source."""
MAX_READ_BYTES = 512 << 20
"""Maximum size of all results of one statement."""
MAX_TEXT = 1 << 20
"""Maximum number of characters of a fact, since pages and prompts contain them completely."""
STATEMENT_S = 30.0
"""Time limit of one statement in seconds."""

_COMPUTED = {"AS", "CHECK", "COLLATE", "DEFAULT", "GENERATED", "REFERENCES"}
"""Keywords in a table's definition that make SQLite compute something on reading or writing."""
_INSTRUCTIONS = 100_000  # Number of SQLite's machine instructions between two checks of the clock.
_ROWS = 256
_APPLICATION_ID = 0x45524B41
"""SQLite's application id in the file header, "ERKA"."""

KINDS = (
    "sample",
    "prompt",
    "call",
    "completion",
    "candidate",
    "rejection",
    "reward",
    "result",
    "feedback",
    "selection",
)


class RecordKey(NamedTuple):
    """The key of a record in a run; `sample` and `number` are 0 for a kind without them."""

    generation: int
    sample: int = 0
    number: int = 0


def create_database(path: Path, meta: dict[str, str], facts: dict[str, str]) -> None:
    """Write a new database at `path`, as a single file without a `-wal` file, so that it can be renamed."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("BEGIN")
        connection.execute(f"PRAGMA application_id={_APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version={FORMAT_VERSION}")
        for kind in KINDS:
            connection.execute(_table(kind))
        connection.execute("CREATE TABLE evaluation (name TEXT, seed INTEGER, body TEXT, PRIMARY KEY (name, seed))")
        for table, rows in (("meta", {**meta, "written_by": __version__}), ("fact", facts)):
            connection.execute(f"CREATE TABLE {table} (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
            connection.executemany(f"INSERT INTO {table} VALUES (?, ?)", rows.items())
        connection.execute("COMMIT")
    finally:
        connection.close()


def _table(kind: str) -> str:
    return (
        f"CREATE TABLE IF NOT EXISTS {kind} (generation INTEGER, sample INTEGER, number INTEGER, body TEXT NOT NULL, "
        "PRIMARY KEY (generation, sample, number)) WITHOUT ROWID"
    )


class Database:
    """An open run.db. Any thread may use it, one statement at a time."""

    def __init__(self, path: Path, *, read_only: bool, vfs: str = "") -> None:
        """Open `path`, which exists. `vfs` names one of SQLite's file systems, empty for its default.

        Raises:
            StoreError: the file is not a run's database, or has another format. sqlite3.Error: it cannot be opened.
        """
        options = ["mode=ro" if read_only else "mode=rw", *([f"vfs={vfs}"] if vfs else [])]
        self._lock = threading.Lock()
        self._deadline = math.inf
        self._read_only = read_only
        self._connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?{'&'.join(options)}", uri=True, isolation_level=None, check_same_thread=False
        )
        try:
            self._distrust()
            self._connection.execute("PRAGMA busy_timeout=10000")
            self.version = self._check_format(path.parent)
            if not read_only:
                self._set_journal()
                for kind in KINDS:
                    self._connection.execute(_table(kind))
        except BaseException:
            self._connection.close()
            raise

    def _distrust(self) -> None:
        """Limit what the file can make SQLite do, since an untrusted file may contain more than values."""
        self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
        self._connection.execute("PRAGMA trusted_schema=OFF")
        self._connection.execute("PRAGMA mmap_size=0")
        self._connection.set_progress_handler(lambda: time.monotonic() > self._deadline, _INSTRUCTIONS)

    def _check_tables(self, folder: Path) -> None:
        """Check that there are only plain tables: a view, a trigger or a computed column would be a program."""
        for kind, name, sql in self._read("SELECT type, name, sql FROM sqlite_master"):
            words = re.findall(r"\w+", str(sql).upper())
            is_table = kind == "table" and words[:2] == ["CREATE", "TABLE"] and _COMPUTED.isdisjoint(words)
            is_index = kind == "index" and sql is None  # of a primary key
            if not (is_table or is_index):
                raise StoreError(
                    f"{folder}: run.db holds a {clean(str(kind), 20)} named {clean(str(name), 80)!r}, which no run "
                    "has: it was made by hand and is not opened"
                )

    def _check_format(self, folder: Path) -> int:
        try:
            (application,) = self._connection.execute("PRAGMA application_id").fetchone()
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorname", "") != "SQLITE_NOTADB":
                raise
            raise StoreError(f"{folder}: run.db is damaged or not a database; this run cannot be opened") from error
        if application != _APPLICATION_ID:
            raise StoreError(f"{folder}: run.db was not written by eureka; name a run folder such as outputs/ant/...")
        self._check_tables(folder)
        author = clean(self.value("meta", "written_by") or "of an unknown version", 40)
        if version not in READABLE_VERSIONS:
            raise StoreError(
                f"{folder}: written by eureka {author} in run format {version}, and this is eureka {__version__} with "
                f"run format {FORMAT_VERSION}: use eureka {author} for this folder, or start a new run"
            )
        if version != FORMAT_VERSION and not self._read_only:
            raise StoreError(
                f"{folder}: written by eureka {author} in run format {version}, which this eureka {__version__} reads "
                "and does not write: `report`, `compare` and `export` take it; start a new run to search further"
            )
        return int(version)

    def _set_journal(self) -> None:
        """Use WAL if the file system supports it (network ones do not), else a rollback journal."""
        try:
            (mode,) = self._connection.execute("PRAGMA journal_mode=WAL").fetchone()
        except sqlite3.OperationalError:
            mode = "refused"
        if mode != "wal":
            self._connection.execute("PRAGMA journal_mode=DELETE")
        self._connection.execute("PRAGMA synchronous=FULL")

    @property
    def journal_mode(self) -> str:
        """`wal` or `delete`."""
        with self._lock:
            return str(self._connection.execute("PRAGMA journal_mode").fetchone()[0])

    def put(self, kind: str, key: RecordKey, body: str) -> None:
        """Write one record, durably: it is on the disk when this returns."""
        self._write(f"INSERT OR REPLACE INTO {kind} VALUES (?, ?, ?, ?)", [(*key, body)])

    def put_all(self, kind: str, bodies: dict[RecordKey, str]) -> None:
        """Write several records in one commit."""
        self._write(f"INSERT OR REPLACE INTO {kind} VALUES (?, ?, ?, ?)", [(*k, body) for k, body in bodies.items()])

    def has_kind(self, kind: str) -> bool:
        """Whether there is a table of that kind. A database of an older version has it only after the first write."""
        return bool(self._read("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (kind,)))

    def keyed_bodies(self, kind: str, generation: int | None = None) -> dict[RecordKey, str]:
        """The records of a kind by their keys, in order of these; of one generation or of all."""
        rows = self._read(
            f"SELECT generation, sample, number, body FROM {kind} WHERE ?1 IS NULL OR generation = ?1 "
            "ORDER BY generation, sample, number",
            (generation,),
        )
        return {RecordKey(*row[:3]): row[3] for row in rows}

    def rows(self, query: str) -> list[Any]:
        """The rows of a SELECT, for reading older formats."""
        return self._read(query)

    def last_numbers(self, kind: str, generation: int | None = None) -> dict[tuple[int, int], int]:
        """The highest number of every generation and sample that has a record of a kind."""
        rows = self._read(
            f"SELECT generation, sample, max(number) FROM {kind} WHERE ?1 IS NULL OR generation = ?1 "
            "GROUP BY generation, sample ORDER BY generation, sample",
            (generation,),
        )
        return {(row[0], row[1]): row[2] for row in rows}

    def put_evaluation(self, name: str, seed: int, body: str) -> None:
        """Write one training with a fresh seed."""
        self._write("INSERT OR REPLACE INTO evaluation VALUES (?, ?, ?)", [(name, seed, body)])

    def evaluations(self) -> list[str]:
        """All trainings with fresh seeds, in order of name and seed."""
        return [row[0] for row in self._read("SELECT body FROM evaluation ORDER BY name, seed")]

    def set_value(self, table: str, key: str, value: str) -> None:
        """Set a row of the key-value tables `meta` and `fact`."""
        self._write(f"INSERT OR REPLACE INTO {table} VALUES (?, ?)", [(key, value)])

    def values(self, table: str) -> dict[str, str]:
        """A whole key-value table, sorted by key."""
        found: dict[str, str] = dict(self._read(f"SELECT key, value FROM {table} ORDER BY key"))
        if any(len(text) > MAX_TEXT for pair in found.items() for text in pair):
            raise sqlite3.DataError(f"a value of the table {table} has more than {MAX_TEXT:,} characters")
        return found

    def value(self, table: str, key: str) -> str | None:
        """One value, or None."""
        rows = self._read(f"SELECT value FROM {table} WHERE key = ?", (key,))
        return str(rows[0][0]) if rows else None

    def close(self) -> None:
        """Close the database. A writer leaves one plain file, which can be read from a read-only folder."""
        with self._lock:
            if not self._read_only:
                self._connection.execute("PRAGMA busy_timeout=0")
                # Fails while another process reads; then the WAL file stays, which does no harm.
                with suppress(sqlite3.OperationalError):
                    self._connection.execute("PRAGMA journal_mode=DELETE")
            self._connection.close()

    def _write(self, statement: str, rows: list[tuple[object, ...]]) -> None:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.executemany(statement, rows)
                self._connection.execute("COMMIT")
            except sqlite3.Error:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _read(self, query: str, parameters: tuple[object, ...] = ()) -> list[Any]:
        with self._lock, self._clock():
            rows: list[Any] = []
            size = 0
            cursor = self._connection.execute(query, parameters)
            while more := cursor.fetchmany(_ROWS):
                size += sum(len(value) for row in more for value in row if isinstance(value, str | bytes))
                if size > MAX_READ_BYTES:
                    raise sqlite3.DataError(f"more than {MAX_READ_BYTES >> 20} MiB in one table")
                rows += more
            return rows

    @contextmanager
    def _clock(self) -> Iterator[None]:
        self._deadline = time.monotonic() + STATEMENT_S
        try:
            yield
        finally:
            self._deadline = math.inf
