"""Typed records in the tables of run.db: encoding, decoding, and lookup by the answer that they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from eureka.core.errors import StoreError
from eureka.core.ids import candidate_id, place_of
from eureka.core.serialize import DecodeError, dumps, loads
from eureka.core.types import Message, Origin, Sample
from eureka.store.database import Database, RecordKey
from eureka.store.files import store_errors

T = TypeVar("T")


@dataclass(frozen=True)
class CallInFlight:
    """An answer without a record that was requested `asked` times so far, and is possibly billed."""

    candidate_id: str
    attempt: int
    asked: int

    def __str__(self) -> str:
        return f"{self.candidate_id} (attempt {self.attempt})" if self.attempt else self.candidate_id


@dataclass(frozen=True)
class SentPrompt:
    """The messages of a prompt as sent; its facts are in its sample."""

    messages: tuple[Message, ...]
    ending: str


@dataclass(frozen=True)
class Records:
    """The records of the run in `folder`. All methods raise StoreError if the disk fails or a record is invalid."""

    folder: Path
    database: Database

    def put(self, kind: str, key: RecordKey, value: object) -> None:
        """Write one record."""
        with store_errors(f"write the {kind} of generation {key.generation}", self.folder):
            self.database.put(kind, key, dumps(value))

    def put_all(self, kind: str, values: Mapping[RecordKey, object]) -> None:
        """Write several records in one commit."""
        with store_errors(f"write to the table {kind}", self.folder):
            self.database.put_all(kind, {key: dumps(value) for key, value in values.items()})

    def all(self, cls: type[T], kind: str, generation: int | None = None) -> list[T]:
        """The records of a kind in order of their keys, of one generation or of all."""
        return list(self.keyed(cls, kind, generation).values())

    def samples(self, generation: int | None = None) -> list[Sample]:
        """All samples, or those of one generation; raises StoreError also if a tuned one has no parent."""
        found = self.all(Sample, "sample", generation)
        for sample in found:
            if sample.origin is Origin.TUNED and len(sample.parents) != 1:
                raise StoreError(f"{self.folder}: sample {sample.id} says that it was tuned, and not from which reward")
        return found

    def sent_prompts(self, generation: int | None = None) -> dict[tuple[str, int], SentPrompt]:
        """The prompts as sent, by candidate id and attempt, of one generation or of all."""
        sent = self.keyed(SentPrompt, "prompt", generation)
        try:
            return {(candidate_id(key.generation, key.sample), key.number): text for key, text in sent.items()}
        except (TypeError, ValueError) as error:
            raise StoreError(f"{self.folder}: the table prompt of run.db was changed by hand: {error}") from error

    def keyed(self, cls: type[T], kind: str, generation: int | None = None) -> dict[RecordKey, T]:
        """`all` by their keys."""
        with store_errors(f"read the table {kind}", self.folder):
            bodies = self.database.keyed_bodies(kind, generation)
        return dict(zip(bodies, self.decode(cls, kind, bodies.values()), strict=True))

    def keys(self, kind: str) -> set[RecordKey]:
        """The keys of all records of a kind."""
        with store_errors(f"read the table {kind}", self.folder):
            return set(self.database.keyed_bodies(kind))

    def newest(self, candidate_id: str) -> RecordKey:
        """The key of the records that belong to a candidate's newest answer."""
        place = place_of(candidate_id)
        with store_errors("read the table completion", self.folder):
            return RecordKey(*place, self.database.last_numbers("completion", place.generation).get(place, 0))

    def of_newest(self, cls: type[T], kind: str, generation: int | None = None) -> list[T]:
        """The records that belong to the newest answer of each candidate."""
        with store_errors(f"read the table {kind}", self.folder):
            newest = self.database.last_numbers("completion", generation)
            bodies = self.database.keyed_bodies(kind, generation)
        kept = [body for key, body in bodies.items() if key.number == newest.get((key.generation, key.sample), 0)]
        return self.decode(cls, kind, kept)

    def decode(self, cls: type[T], kind: str, bodies: Iterable[str]) -> list[T]:
        """Records from their JSON."""
        try:
            return [_decoded(cls, body) for body in bodies]  # type: ignore[arg-type]
        except DecodeError as error:
            raise StoreError(f"{self.folder}: the table {kind} of run.db was changed by hand: {error}") from error


@lru_cache(maxsize=8192)
def _decoded(cls: Any, body: str) -> Any:
    """Decode a record, cached since records are immutable and a run reads the same ones repeatedly."""
    return loads(cls, body)
