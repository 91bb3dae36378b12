"""Reading of run folders of format 2, which had one prompt per generation.

Every answer becomes a sample whose parent is the candidate that the generation's prompt was built on.
"""

from __future__ import annotations

import json
from typing import Any

from eureka.core.errors import StoreError
from eureka.core.ids import INIT_ID, candidate_id, is_candidate_id
from eureka.core.serialize import DecodeError, loads
from eureka.core.types import Message, Origin, PromptFacts, Sample, Selection
from eureka.store.database import Database


def samples(database: Database) -> list[Sample]:
    """The samples, in order of ids and attempts."""
    prompts = {generation: body["facts"] for generation, body in _prompts(database).items()}
    found = []
    for generation, sample, attempt in database.rows(
        "SELECT generation, sample, number FROM completion ORDER BY generation, sample, number"
    ):
        identity = candidate_id(generation, sample)
        told = prompts.get(generation, {})
        parent = (told.get("reflection") or {}).get("candidate_id")
        given = identity == INIT_ID
        found.append(
            Sample(
                id=identity,
                facts=_facts(told, generation),
                parents=(parent,) if parent and not given else (),
                origin=Origin.GIVEN if given else Origin.ASKED,
                attempt=attempt,
            )
        )
    return found


def messages(database: Database) -> dict[int, tuple[Message, ...]]:
    """The messages of every generation's prompt."""
    return {
        generation: tuple(Message(message["role"], message["content"]) for message in body["messages"])
        for generation, body in _prompts(database).items()
    }


def selections(database: Database) -> list[Selection]:
    """The best candidate after every finished generation."""
    rows = database.rows("SELECT generation, best_id FROM generation ORDER BY generation")
    return [Selection(generation=generation, best=best) for generation, best in rows]


def _prompts(database: Database) -> dict[int, dict[str, Any]]:
    rows = database.rows("SELECT generation, body FROM prompt ORDER BY generation")
    try:
        found = {generation: json.loads(body) for generation, body in rows}
        for body in found.values():
            reflection = body["facts"].get("reflection")
            if reflection is not None and not is_candidate_id(reflection["candidate_id"]):
                raise ValueError("a parent is no candidate")
            [(message["role"], message["content"]) for message in body["messages"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise StoreError("the table prompt of run.db was changed by hand: it does not hold prompts") from error
    return found


def _facts(told: dict[str, Any], generation: int) -> PromptFacts:
    """The facts that are the same in every format: the task and its State."""
    kept = {"task": told.get("task", ""), "seed": told.get("seed", 0), "state": told.get("state", [])}
    try:
        return loads(PromptFacts, json.dumps({**kept, "generation": generation}))
    except DecodeError as error:
        raise StoreError(f"the table prompt of run.db was changed by hand: {error}") from error
