"""Which files a training is carried on from: its own, whole ones, and whatever else lies there is passed over."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from eureka.trainers.population.checkpoints import fingerprint, write_state
from eureka.trainers.population.continuing import longest_start, trained_path, training_key
from eureka.trainers.population.dealing import checkpoint_path, deal, stored_states
from eureka.trainers.population.group import GroupJob
from eureka.trainers.population.work import Work

MakeJob = Callable[..., GroupJob]


def test_jobs_with_a_checkpoint_stay_together(tmp_path: Path, make_job: MakeJob) -> None:
    jobs = [make_job(f"g01-c0{k}", k) for k in range(5)]
    write_state(tmp_path / "any.pt", [jobs[3], jobs[1]], b"state")
    together, *rest = deal(tmp_path, jobs, 2, None)
    assert together.jobs == (jobs[3], jobs[1])
    assert stored_states(together) == ([b"state"], ((0, 0), (0, 1)))
    assert [work.jobs for work in rest] == [(jobs[0], jobs[4]), (jobs[2],)]
    # A group of it alone, as after the death of a worker, is carried on from the same file.
    alone = Work((jobs[1],), checkpoint_path(tmp_path, [jobs[1]]), (tmp_path / "any.pt",))
    assert stored_states(alone) == ([b"state"], ((0, 1),))


def test_what_a_stranger_left_is_passed_over(tmp_path: Path, make_job: MakeJob) -> None:
    jobs = [make_job("g01-c01", 0), make_job("g01-c02", 1)]
    twice = {"jobs": [["g01-c01", 0]] * 2, "fingerprint": fingerprint([jobs[0]] * 2)}
    (tmp_path / "twice.pt").write_text(json.dumps(twice) + "\nstate")
    (tmp_path / "nothing.pt").write_text(json.dumps({"jobs": [], "fingerprint": fingerprint([])}) + "\n")
    (tmp_path / "folder.pt").mkdir()
    (tmp_path / "folder.partial").mkdir()
    os.mkfifo(tmp_path / "pipe.pt")
    (tmp_path / "no_end.pt").write_text("[" * 3_000_000)
    (work,) = deal(tmp_path, jobs, 1, None)
    assert work.jobs == tuple(jobs)
    assert stored_states(work) == ([], ())
    assert not list(tmp_path.glob("t*.pt"))
    path = trained_path(tmp_path, jobs[0], 3)
    for name in ("x", "9999999", "1e1", ""):
        write_state(path.with_name(f"{training_key(jobs[0])}-{name}.pt"), jobs[:1], b"")
    assert longest_start(tmp_path, jobs[0]) == (0, None)
    write_state(path, jobs[:1], b"state")
    assert longest_start(tmp_path, jobs[0]) == (3, path)
