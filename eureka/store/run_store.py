"""A run folder: what was asked, answered, traced and trained, so that a killed run goes on and a finished one is read.

config.yaml                 the config, for people (the run itself keeps a copy in run.db)
run.db                      every record, see `eureka.store.database`
run.lock                    held by the process that writes
generation_02/candidate_05/ response.md, source.py, graph.json, rejected.txt, policy_seed0.pt; where the candidate was
                            asked again, response_attempt1.md, ..., and rejected_attempt0.txt, ... of what was mended
evaluation/                 policies re-trained with fresh seeds
checkpoints/                the trainer's own
best/                       the best reward as a module
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from eureka.core.errors import StoreError
from eureka.core.ids import generation_of, place_of
from eureka.core.serialize import DecodeError, dumps
from eureka.core.training import TrainingResult
from eureka.core.types import (
    Candidate,
    Completion,
    Feedback,
    Phase,
    Prompt,
    Rejected,
    Reward,
    Sample,
    Selection,
)
from eureka.store import format_2
from eureka.store.database import FORMAT_VERSION, Database, RecordKey, create_database
from eureka.store.facts import RunFacts, read_facts, rows_of
from eureka.store.files import (
    MAX_POLICY_BYTES,
    read_bounded,
    store_errors,
    sync_folder,
    without_links,
    write_atomically,
)
from eureka.store.lock import FolderLock
from eureka.store.paths import candidate_path, evaluation_path, policy_path, require_free
from eureka.store.records import CallInFlight, Records, SentPrompt

_CONFIG_NOTE = "# A record for people: `eureka resume` reads its own copy in run.db.\n"


_PHASES = tuple(Phase)


class RunStore:
    """The only writer of a run folder, and its reader.

    Every `record_*` is durable when it returns, and may be repeated. Files are written before the database row that
    refers to them. All methods raise StoreError if the disk fails.
    """

    def __init__(self, folder: Path, database: Database, lock: FolderLock | None) -> None:
        """Internal: use `create` or `open`."""
        self.folder = folder
        self._database = database
        self._records = Records(folder, database)
        self._lock = lock

    @classmethod
    def create(cls, folder: Path, config_yaml: str, facts: RunFacts | None = None) -> RunStore:
        """Start a new run in `folder`, which must not exist or be empty.

        Raises:
            StoreError: the folder is not empty, or cannot be written.
        """
        with store_errors("start a run", folder):
            require_free(folder)
            folder.mkdir(parents=True, exist_ok=True)
            lock = FolderLock(folder)
            try:
                write_atomically(folder / "config.yaml", (_CONFIG_NOTE + config_yaml).encode())
                partial = folder / "run.db.partial"
                partial.unlink(missing_ok=True)
                create_database(partial, {"config": config_yaml}, rows_of(facts or RunFacts()))
                partial.rename(folder / "run.db")
                sync_folder(folder)
                return cls(folder, Database(folder / "run.db", read_only=False), lock)
            except BaseException:
                lock.release()
                raise

    @classmethod
    def open(cls, folder: Path, *, read_only: bool = False) -> RunStore:
        """Open a run to resume it, or with `read_only` to read it, even while another process writes.

        Raises:
            StoreError: the folder is not a run folder, has another format, or is being written by a live process.
        """
        if not (folder / "run.db").is_file():
            raise StoreError(f"{folder}: not a run folder (no run.db in it); runs are under outputs/TASK/DATE_TIME")
        if (folder / "run.db").is_symlink():
            raise StoreError(f"{folder}: run.db is a link, so this is no run of its own: name the folder of that file")
        with store_errors("open the run", folder):
            if read_only:
                return cls(folder, Database(folder / "run.db", read_only=True), None)
            lock = FolderLock(folder)
            try:
                return cls(folder, Database(folder / "run.db", read_only=False), lock)
            except BaseException:
                lock.release()
                raise

    def close(self) -> None:
        """Close the database and release the lock."""
        try:
            with store_errors("close the run", self.folder):
                self._database.close()
        finally:
            if self._lock is not None:
                self._lock.release()
                self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ---- the run as a whole --------------------------------------------------------------------------------------

    @property
    def config_yaml(self) -> str:
        """The config that the run was started with."""
        return self._meta("config") or ""

    def record_facts(self, facts: RunFacts) -> None:
        """Write what is new in `facts`, which are `self.facts()` with some of them replaced."""
        with store_errors("write the facts", self.folder):
            known = self._database.values("fact")
            for key, text in rows_of(facts, known).items():
                if known.get(key) != text:
                    self._database.set_value("fact", key, text)

    def facts(self) -> RunFacts:
        """What the run records of itself besides its config."""
        with store_errors("read the facts", self.folder):
            rows = self._database.values("fact")
        try:
            return read_facts(rows)
        except DecodeError as error:
            raise StoreError(f"{self.folder}: {error}") from error

    def mark_finished(self) -> None:
        """Mark the run as finished."""
        with store_errors("mark the run finished", self.folder):
            self._database.set_value("meta", "finished", "yes")

    @property
    def is_finished(self) -> bool:
        """Whether `mark_finished` was called."""
        return self._meta("finished") == "yes"

    # ---- what was asked and answered -----------------------------------------------------------------------------

    def record_samples(self, samples: Sequence[Sample]) -> None:
        """Record samples, in one commit, before they are asked for."""
        self._records.put_all("sample", {RecordKey(*place_of(each.id), each.attempt): each for each in samples})

    def samples(self, generation: int | None = None) -> list[Sample]:
        """The samples (asked for or given) of one generation or of all, in order of ids and attempts."""
        if self._database.version != FORMAT_VERSION:
            with store_errors("read the table prompt", self.folder):
                found = format_2.samples(self._database)
            return [sample for sample in found if generation in (None, generation_of(sample.id))]
        return self._records.samples(generation)

    def record_prompts(self, prompts: Mapping[str, Prompt], attempt: int = 0) -> None:
        """Keep the prompts of candidates as they are about to be sent."""
        sent = {name: SentPrompt(prompt.messages, prompt.ending) for name, prompt in prompts.items()}
        self._records.put_all("prompt", {RecordKey(*place_of(name), attempt): text for name, text in sent.items()})

    def record_calls(self, names: Iterable[str], attempt: int = 0, *, refused: bool = False) -> None:
        """Count the calls that are about to be made for these candidates.

        Args:
            refused: the previous prompts were refused without an answer, so they do not count as calls.
        """
        keys = {name: RecordKey(*place_of(name), attempt) for name in names}
        before = self._records.keyed(CallInFlight, "call")
        asked = {name: before[key].asked if key in before else 0 for name, key in keys.items()}
        calls = {key: CallInFlight(name, attempt, max(asked[name] + (not refused), 1)) for name, key in keys.items()}
        self._records.put_all("call", calls)

    def prompts(self, generation: int | None = None) -> dict[tuple[str, int], Prompt]:
        """Every prompt as it was sent, by candidate id and attempt, of one generation or of all."""
        samples = {(sample.id, sample.attempt): sample for sample in self.samples(generation)}
        if self._database.version != FORMAT_VERSION:
            with store_errors("read the table prompt", self.folder):
                texts = format_2.messages(self._database)
            return {
                key: Prompt(texts[generation_of(key[0])], sample.facts)
                for key, sample in samples.items()
                if generation_of(key[0]) in texts
            }
        sent = self._records.sent_prompts(generation)
        return {
            name: Prompt(text.messages, samples[name].facts, text.ending)
            for name, text in sent.items()
            if name in samples
        }

    def record_completion(self, completion: Completion) -> None:
        """Record an answer before it is used; also as `response.md`, later ones as `response_attempt1.md`.

        Later records of the candidate belong to this answer, and earlier rejections no longer apply.
        """
        attempt = completion.attempt
        name = f"response_attempt{attempt}.md" if attempt else "response.md"
        self._write_beside(completion.candidate_id, name, completion.text)
        rejected = self.candidate_folder(completion.candidate_id) / "rejected.txt"
        if attempt and rejected.exists():
            with store_errors("rename rejected.txt", self.folder):
                rejected.replace(rejected.with_name(f"rejected_attempt{attempt - 1}.txt"))
        self._records.put("completion", RecordKey(*place_of(completion.candidate_id), attempt), completion)

    def completions(self, generation: int | None = None) -> dict[str, tuple[Completion, ...]]:
        """Every candidate's answers in order of their attempts, by candidate id, of one generation or of all."""
        answers: dict[str, tuple[Completion, ...]] = {}
        for answer in self._records.all(Completion, "completion", generation):
            answers[answer.candidate_id] = (*answers.get(answer.candidate_id, ()), answer)
        return answers

    def calls_in_flight(self) -> list[CallInFlight]:
        """Answers that were requested and are not recorded, in order of ids: possibly billed."""
        answered = self._records.keys("completion")
        return [call for key, call in self._records.keyed(CallInFlight, "call").items() if key not in answered]

    def calls_without_answer(self) -> int:
        """The total number of calls whose answer was never recorded: possibly billed."""
        calls = self._records.keyed(CallInFlight, "call")
        return sum(call.asked for call in calls.values()) - len(self._records.keys("completion") & calls.keys())

    def record_candidate(self, candidate: Candidate) -> None:
        """Record the candidate from its newest answer; its source also as `source.py`, to read, never imported."""
        self._write_beside(candidate.id, "source.py", candidate.source)
        self._records.put("candidate", self._records.newest(candidate.id), candidate)

    def record_rejection(self, rejected: Rejected) -> None:
        """Record the rejection of the candidate's newest answer; also as `rejected.txt`."""
        text = f"{rejected.stage}: {rejected.reason}\n\n{rejected.feedback}\n"
        self._write_beside(rejected.candidate_id, "rejected.txt", text)
        self._records.put("rejection", self._records.newest(rejected.candidate_id), rejected)

    def record_reward(self, reward: Reward) -> None:
        """Record the verified reward of the candidate's newest answer; its graph also as `graph.json`."""
        self._write_beside(reward.candidate_id, "graph.json", reward.graph)
        self._records.put("reward", self._records.newest(reward.candidate_id), reward)

    def record_result(self, result: TrainingResult) -> None:
        """Record one training; its policy goes to `policy_seed<seed>.pt`, not into the database."""
        place = place_of(result.candidate_id)
        self.write_file(policy_path(result), result.policy)
        self._records.put("result", RecordKey(*place, result.seed), replace(result, policy=b""))

    def candidates(self, generation: int | None = None, *, every_attempt: bool = False) -> list[Candidate]:
        """The candidates of one generation or of all from their newest answers, in order of ids.

        With `every_attempt` also those from earlier answers, each candidate's in order.
        """
        if every_attempt:
            return self._records.all(Candidate, "candidate", generation)
        return self._records.of_newest(Candidate, "candidate", generation)

    def rejections(self, generation: int | None = None, *, every_attempt: bool = False) -> list[Rejected]:
        """The rejections of candidates' newest answers, in order of ids.

        With `every_attempt` also those of earlier answers, each candidate's in order.
        """
        if every_attempt:
            return self._records.all(Rejected, "rejection", generation)
        return self._records.of_newest(Rejected, "rejection", generation)

    def rewards(self, generation: int | None = None) -> list[Reward]:
        """Verified rewards of one generation or of all, in order of their ids."""
        return self._records.of_newest(Reward, "reward", generation)

    def results(self, generation: int | None = None, *, policies: bool = False) -> list[TrainingResult]:
        """Trainings of one generation or of all, in order of ids and seeds; with `policies` these are read too."""
        found = self._records.all(TrainingResult, "result", generation)
        return [replace(result, policy=self.policy(result)) for result in found] if policies else found

    def policy(self, result: TrainingResult) -> bytes:
        """The policy of one of `results`."""
        return self._read_file(policy_path(result))

    def record_selection(self, selection: Selection) -> None:
        """Record the search method's decision at the end of a generation or of a phase."""
        self._records.put("selection", RecordKey(selection.generation, 0, _PHASES.index(selection.phase)), selection)

    def selections(self) -> list[Selection]:
        """The search method's decisions, in order of generations and phases."""
        if self._database.version != FORMAT_VERSION:
            with store_errors("read the generations", self.folder):
                return format_2.selections(self._database)
        return self._records.all(Selection, "selection")

    def finished_generations(self) -> dict[int, str | None]:
        """Finished generations in order, with the best candidate after each; for the last one, by the latest
        decision."""
        return {selection.generation: selection.best for selection in self.selections()}

    def record_feedback(self, feedback: Feedback) -> None:
        """Record a person's feedback on a generation, or that there was no answer."""
        self._records.put("feedback", RecordKey(feedback.generation), feedback)

    def feedback(self) -> list[Feedback]:
        """A person's feedback, in order of generations; none for generations that were not reviewed."""
        with store_errors("read the table feedback", self.folder):
            is_there = self._database.has_kind("feedback")
        return self._records.all(Feedback, "feedback") if is_there else []

    # ---- re-training with fresh seeds ----------------------------------------------------------------------------

    def record_evaluation(self, result: TrainingResult) -> None:
        """Record a training with a fresh seed, of the run's reward or of a baseline."""
        self.write_file(evaluation_path(result), result.policy)
        with store_errors(f"write the evaluation of {result.candidate_id}", self.folder):
            self._database.put_evaluation(result.candidate_id, result.seed, dumps(replace(result, policy=b"")))

    def evaluations(self, *, policies: bool = False) -> list[TrainingResult]:
        """All trainings with fresh seeds, in order of names and seeds; with `policies` these are read too."""
        with store_errors("read the evaluations", self.folder):
            bodies = self._database.evaluations()
        found = self._records.decode(TrainingResult, "evaluation", bodies)
        if not policies:
            return found
        return [replace(result, policy=self._read_file(evaluation_path(result))) for result in found]

    # ---- files ---------------------------------------------------------------------------------------------------

    def candidate_folder(self, candidate_id: str) -> Path:
        """The folder of a candidate, `generation_02/candidate_05` for `g02-c05`, whether it exists or not."""
        return self.folder / candidate_path(candidate_id)

    @property
    def checkpoint_folder(self) -> Path:
        """The folder for the trainer's own checkpoints, which may be deleted in it: raises StoreError if a link leads
        out of it.
        """
        with store_errors("look at the checkpoints", self.folder):
            return without_links(self.folder / "checkpoints")

    @property
    def best_folder(self) -> Path:
        """The folder of the exported best reward."""
        return self.folder / "best"

    def write_file(self, relative: Path | str, data: bytes | str) -> Path:
        """Write a file of the run atomically and return its path. `relative` is relative to the run folder."""
        path = self.folder / relative
        # A model's answer may have lone surrogates, which UTF-8 cannot encode.
        content = data.encode("utf-8", errors="replace") if isinstance(data, str) else data
        with store_errors(f"write {relative}", self.folder):
            if not path.parent.resolve().is_relative_to(self.folder.resolve()):
                raise StoreError(f"{path}: lies outside of the run folder, behind a link: nothing is written there")
            write_atomically(path, content)
        return path

    # ---- inside --------------------------------------------------------------------------------------------------

    def _meta(self, key: str) -> str | None:
        with store_errors("read run.db", self.folder):
            return self._database.value("meta", key)

    def _write_beside(self, candidate_id: str, name: str, text: str) -> None:
        self.write_file((self.candidate_folder(candidate_id) / name).relative_to(self.folder), text)

    def _read_file(self, relative: Path) -> bytes:
        with store_errors(f"read {relative}", self.folder):
            return read_bounded(self.folder / relative, MAX_POLICY_BYTES, within=self.folder)
