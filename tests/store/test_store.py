"""The run folder: round trips, refusals, a full disk."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
from loop_fakes import prompt_of
from records import ask_for, finish

from eureka.core.costs import Usage
from eureka.core.errors import StoreError
from eureka.core.training import ComponentStatistics, TrainingResult
from eureka.core.types import Candidate, Completion, FieldSpec, Message, Prompt, PromptFacts, Rejected, Reward, Stage
from eureka.store import RunFacts, RunStore, free_name
from eureka.store.database import FORMAT_VERSION, Database


def training_result(candidate_id: str = "g01-c01", seed: int = 0, policy: bytes = b"weights") -> TrainingResult:
    return TrainingResult(
        candidate_id=candidate_id,
        seed=seed,
        steps=(100, 200),
        metric=(float("-inf"), 0.5),
        episode_length=(10.0, 20.0),
        total=(0.1, 0.2),
        components={"speed": (0.1, 0.2)},
        statistics={
            "speed": ComponentStatistics(
                mean=0.15,
                minimum=0.1,
                maximum=0.2,
                std=0.05,
                variance_share=1.0,
                active_fraction=1.0,
                metric_correlation=None,
            )
        },
        final_scores=(1.0, 2.0),
        checkpoint_scores=(0.5, 1.5),
        policy=policy,
    )


def make_store(folder: Path) -> RunStore:
    return RunStore.create(folder, "task: ant\n", RunFacts(python="3.11"))


def test_everything_comes_back_after_reopening(tmp_path: Path) -> None:
    folder = tmp_path / "outputs" / "ant" / "run"
    prompt = Prompt(
        messages=(Message("user", "write a reward"),),
        facts=PromptFacts("ant", 0, 1, (FieldSpec("z", (), "float32", "m", "world", "height"),)),
    )
    completion = Completion("g01-c01", "```python\n```", "program_search", Usage(3, None))
    candidate = Candidate("g01-c01", "def compute_reward(z): ...", ("z",))
    rejected = Rejected("g01-c02", Stage.EXTRACT, "prose", "no code block")
    reward = Reward("g01-c01", '{"ops": []}', ("speed",))
    with make_store(folder) as store:
        assert prompt_of(store, 1) is None
        ask_for(store, ["g01-c01", "g01-c02"], prompt, parents=["g01-c00"])
        store.record_completion(completion)
        store.record_candidate(candidate)
        store.record_rejection(rejected)
        store.record_reward(reward)
        store.record_result(training_result())
        finish(store, 1, "g01-c01")
        store.record_facts(replace(store.facts(), proposer="program_search"))
        assert not store.is_finished

    with RunStore.open(folder) as store:
        assert store.config_yaml == "task: ant\n"
        assert store.facts() == RunFacts(proposer="program_search", python="3.11")
        assert prompt_of(store, 1) == prompt
        assert store.completions(1) == {"g01-c01": (completion,)}
        assert [str(call) for call in store.calls_in_flight()] == ["g01-c02"]
        assert [(s.id, s.parents) for s in store.samples(1)] == [(n, ("g01-c00",)) for n in ("g01-c01", "g01-c02")]
        assert store.candidates(1) == [candidate]
        assert store.rejections(1) == [rejected]
        assert store.rewards(1) == [reward]
        assert store.results(1) == [training_result(policy=b"")]
        assert store.results(1, policies=True) == [training_result()]
        assert store.finished_generations() == {1: "g01-c01"}
        store.mark_finished()
        assert store.is_finished

    place = folder / "generation_01" / "candidate_01"
    assert (place / "response.md").read_text() == completion.text
    assert (place / "source.py").read_text() == candidate.source
    assert (place / "graph.json").read_text() == reward.graph
    assert (place / "policy_seed0.pt").read_bytes() == b"weights"
    assert "no code block" in (folder / "generation_01" / "candidate_02" / "rejected.txt").read_text()
    assert (folder / "config.yaml").read_text().endswith("task: ant\n")


def test_order_and_filter_by_generation(tmp_path: Path) -> None:
    with make_store(tmp_path / "run") as store:
        for name in ("g02-c100", "g02-c11", "g01-c02", "g10-c01"):
            store.record_candidate(Candidate(name, "", ()))
        assert [c.id for c in store.candidates()] == ["g01-c02", "g02-c11", "g02-c100", "g10-c01"]
        assert [c.id for c in store.candidates(2)] == ["g02-c11", "g02-c100"]
        for seed in (2, 1):
            store.record_result(training_result("g01-c01", seed))
        assert [r.seed for r in store.results()] == [1, 2]


def test_writing_again_changes_nothing(tmp_path: Path) -> None:
    with make_store(tmp_path / "run") as store:
        for _ in range(2):
            ask_for(store, ["g01-c01"])
            store.record_completion(Completion("g01-c01", "answer", "m"))
            store.record_result(training_result())
            finish(store, 1, None)
            store.record_evaluation(training_result(seed=1000))
        assert len(store.completions()) == len(store.results()) == len(store.evaluations()) == 1
        assert store.finished_generations() == {1: None}
        assert store.calls_in_flight() == []


def test_only_what_belongs_to_the_newest_answer_counts(tmp_path: Path) -> None:
    rejected, again = (Rejected("g01-c01", Stage.TRACE, why, why) for why in ("first", "second"))
    with make_store(tmp_path / "run") as store:
        ask_for(store, ["g01-c01", "g01-c02"])
        store.record_completion(Completion("g01-c01", "bad", "m"))
        store.record_candidate(Candidate("g01-c01", "bad", ()))
        store.record_rejection(rejected)
        ask_for(store, ["g01-c01"], attempt=1)
        assert store.rejections() == [rejected]
        assert [str(call) for call in store.calls_in_flight()] == ["g01-c01 (attempt 1)", "g01-c02"]
        ask_for(store, ["g01-c02"])
        assert store.calls_without_answer() == 3

        store.record_completion(Completion("g01-c01", "better", "m", attempt=1))
        assert (store.rejections(), store.candidates()) == ([], [])
        store.record_rejection(again)
        assert store.rejections(1) == [again]
        store.record_completion(Completion("g01-c01", "good", "m", attempt=2))
        store.record_candidate(Candidate("g01-c01", "good", ()))
        store.record_reward(Reward("g01-c01", "{}", ()))
        assert [c.source for c in store.candidates(1)] == ["good"]
        assert store.rejections() == []
        assert store.rejections(1, every_attempt=True) == [rejected, again]
        assert [answer.text for answer in store.completions(1)["g01-c01"]] == ["bad", "better", "good"]
        place = store.candidate_folder("g01-c01")
    assert (place / "response_attempt2.md").read_text() == "good"
    assert "first" in (place / "rejected_attempt0.txt").read_text()
    assert "second" in (place / "rejected_attempt1.txt").read_text()
    assert not (place / "rejected.txt").exists()


def test_evaluations_are_apart_from_results(tmp_path: Path) -> None:
    with make_store(tmp_path / "run") as store:
        human = training_result("human", seed=7, policy=b"human")
        store.record_evaluation(human)
        assert store.results() == []
        assert store.evaluations(policies=True) == [human]
        assert (store.folder / "evaluation" / "human_seed7.pt").read_bytes() == b"human"


def test_places(tmp_path: Path) -> None:
    with make_store(tmp_path / "run") as store:
        assert store.candidate_folder("g02-c05") == tmp_path / "run" / "generation_02" / "candidate_05"
        assert store.best_folder == tmp_path / "run" / "best"
        assert store.checkpoint_folder == tmp_path / "run" / "checkpoints"
        assert store.write_file("best/reward.py", "lone \ud800").read_text() == "lone ?"


# ---- refusals ----------------------------------------------------------------------------------------------------


def test_folder_that_holds_something_is_refused_with_another_name(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    make_store(folder).close()
    (tmp_path / "run_2").mkdir()
    with pytest.raises(
        StoreError, match=r"exists already; name another with output=.*run_3, or go on .*`eureka resume .*run`"
    ):
        make_store(folder)
    assert free_name(tmp_path / "new") == tmp_path / "new"
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="exists already"):
        make_store(tmp_path / "file")


def test_what_a_killed_start_left_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    for name in ("config.yaml", ".config.yaml.0a1b.partial", "run.db.partial", "run.lock"):
        (tmp_path / "run" / name).write_text("half")
    with pytest.raises(StoreError, match="not a run folder"):
        RunStore.open(tmp_path / "run")
    make_store(tmp_path / "run").close()
    with RunStore.open(tmp_path / "run") as store:
        assert store.config_yaml == "task: ant\n"


def test_other_version_says_who_wrote_it_and_what_to_do(tmp_path: Path) -> None:
    make_store(tmp_path / "run").close()
    connection = sqlite3.connect(tmp_path / "run" / "run.db")
    connection.execute(f"PRAGMA user_version={FORMAT_VERSION + 1}")
    connection.execute("UPDATE meta SET value = '9.9.0' WHERE key = 'written_by'")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match=r"written by eureka 9\.9\.0 in run format 4.*use eureka 9\.9\.0"):
        RunStore.open(tmp_path / "run")


def test_nothing_is_written_through_a_link_in_a_received_folder(tmp_path: Path) -> None:
    treasure = tmp_path / "treasure"
    treasure.write_text("gold")
    folder = tmp_path / "run"
    make_store(folder).close()
    (folder / "run.lock").unlink()
    for link in (Path.symlink_to, Path.hardlink_to):
        link(folder / "run.lock", treasure)
        with pytest.raises(StoreError, match=r"run\.lock is a link: delete it"):
            RunStore.open(folder)
        (folder / "run.lock").unlink()
    with RunStore.open(folder) as store:
        (folder / ".report.html.partial").symlink_to(treasure)
        (folder / "report.html").symlink_to(treasure)
        assert not store.write_file("report.html", "page").is_symlink()
        (folder / "generation_01").symlink_to(tmp_path)
        with pytest.raises(StoreError, match="lies outside of the run folder, behind a link"):
            store.record_candidate(Candidate("g01-c01", "x", ()))
    assert treasure.read_text() == "gold"
    assert not (tmp_path / "candidate_01").exists()


def test_foreign_and_damaged_databases(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "run.db").close()
    with pytest.raises(StoreError, match="was not written by eureka"):
        RunStore.open(tmp_path)
    (tmp_path / "run.db").write_bytes(b"not a database" * 100)
    with pytest.raises(StoreError, match="damaged or not a database"):
        RunStore.open(tmp_path)


def test_rows_changed_by_hand_and_policies_deleted(tmp_path: Path) -> None:
    with make_store(tmp_path / "run") as store:
        store.record_result(training_result())
        (store.candidate_folder("g01-c01") / "policy_seed0.pt").unlink()
        with pytest.raises(StoreError, match=r"cannot read generation_01/candidate_01/policy_seed0\.pt"):
            store.results(policies=True)
        connection = sqlite3.connect(tmp_path / "run" / "run.db")
        connection.execute("""UPDATE result SET body = '{"seed": 0}'""")
        connection.commit()
        connection.close()
        with pytest.raises(StoreError, match=r"table result of run\.db was changed by hand: TrainingResult"):
            store.results()


@pytest.mark.process
def test_one_writer_at_a_time_and_readers_meanwhile(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    open_run = (
        "import sys; from pathlib import Path; from eureka.store import RunStore; RunStore.open(Path(sys.argv[1]))"
    )
    with make_store(folder) as store:
        store.record_facts(RunFacts(sentence="a"))
        with pytest.raises(StoreError, match="this process has the run open already"):
            RunStore.open(folder)
        other = subprocess.run(
            [sys.executable, "-c", open_run, str(folder)], capture_output=True, text=True, check=False
        )
        assert f"process {os.getpid()} is writing this run" in other.stderr
        with RunStore.open(folder, read_only=True) as reader:
            assert reader.facts().sentence == "a"
            with pytest.raises(StoreError, match=r"cannot write the facts.*readonly"):
                reader.record_facts(RunFacts(sentence="b"))
    RunStore.open(folder).close()


def test_at_rest_it_is_one_plain_file(tmp_path: Path) -> None:
    with make_store(tmp_path / "run") as store:
        assert store._database.journal_mode == "wal"
    assert not list((tmp_path / "run").glob("run.db-*"))
    with RunStore.open(tmp_path / "run", read_only=True) as store:
        assert store._database.journal_mode == "delete"


def test_falls_back_to_a_rollback_journal_where_wal_is_refused(tmp_path: Path) -> None:
    make_store(tmp_path / "run").close()
    # This file system of SQLite's has no shared memory, as network file systems have none: it refuses WAL.
    database = Database(tmp_path / "run" / "run.db", read_only=False, vfs="unix-dotfile")
    assert database.journal_mode == "delete"
    database.set_value("fact", "a", "1")
    assert database.value("fact", "a") == "1"
    database.close()


# ---- the disk fails ----------------------------------------------------------------------------------------------

FULL_DISK = """
    import resource, sys
    from dataclasses import replace
    from pathlib import Path
    from eureka.core.errors import StoreError
    from eureka.store import RunStore

    store = RunStore.open(Path(sys.argv[1]))
    # A file may not grow past 64 KiB: writing fails as on a full disk, without needing one.
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
    store.write_file("small", b"x")
    big = replace(store.facts(), sentence="x" * 200_000)
    for action in (lambda: store.write_file("best/big", bytes(100_000)), lambda: store.record_facts(big)):
        try:
            action()
        except StoreError as error:
            print(error)
    print(sorted(p.name for p in Path(sys.argv[1], "best").iterdir()))
    store.record_facts(replace(store.facts(), unsafe="after"))
    store.close()
"""


@pytest.mark.process
def test_a_full_disk_is_one_sentence_and_loses_nothing(tmp_path: Path) -> None:
    with make_store(tmp_path / "run") as store:
        store.record_facts(replace(store.facts(), machine="before"))
    command = [sys.executable, "-c", textwrap.dedent(FULL_DISK), str(tmp_path / "run")]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert "cannot write best/big: File too large" in lines[0]
    assert "cannot write the facts" in lines[1]
    for line in lines[:2]:
        assert "MiB free there" in line
        assert f"make room, then `eureka resume {tmp_path / 'run'}` goes on" in line
    assert lines[2] == "[]"
    with RunStore.open(tmp_path / "run") as store:
        assert store.facts() == RunFacts(machine="before", unsafe="after", python="3.11")


def test_a_path_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"cannot (start a run|look into the folder): Not a directory"):
        make_store(tmp_path / "file" / "run")
    with pytest.raises(StoreError, match=r"/proc.*cannot start a run"):
        make_store(Path("/proc/run"))


# ---- SIGKILL -----------------------------------------------------------------------------------------------------


def test_results_of_equal_key_are_replaced(tmp_path: Path) -> None:
    with make_store(tmp_path / "run") as store:
        store.record_result(training_result())
        store.record_result(replace(training_result(), wall_s=3.0, policy=b"new"))
        (result,) = store.results(policies=True)
        assert (result.wall_s, result.policy) == (3.0, b"new")
