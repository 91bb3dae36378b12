"""Workers that die, hang or go on: the run ends right, and bitwise as if nothing had happened."""

import json
import os
import re
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from eureka.core.errors import TrainingError
from eureka.core.training import Progress, TrainingResult, WorkerRestarted
from eureka.core.types import Rejected
from eureka.tasks import find_tasks, load_task
from eureka.trainers.base import TrainingEvent
from eureka.trainers.population import pool
from eureka.trainers.population.checkpoints import pack, write_state
from eureka.trainers.population.group import GroupJob, Schedule
from eureka.trainers.population.memory import MemoryNeed
from eureka.trainers.population.pool import WorkerPool
from eureka.trainers.population.population import Population

pytestmark = pytest.mark.process

MakeJob = Callable[..., GroupJob]


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[WorkerPool]:
    made = WorkerPool("cartpole", (), tmp_path / "training", dict(os.environ), workers=2, heartbeat_s=60)
    yield made
    made.close()


def undisturbed(jobs: list[GroupJob]) -> dict[str, bytes]:
    population = Population(load_task("cartpole"), jobs)
    while not population.finished:
        population.advance()
    return {result.candidate_id: result.policy for result in population.results()}


def results(events: list[TrainingEvent]) -> dict[str, bytes]:
    return {event.candidate_id: event.policy for event in events if isinstance(event, TrainingResult)}


def kill_after(
    backend: WorkerPool, jobs: list[GroupJob], number: int, what: int, times: int = 1
) -> list[TrainingEvent]:
    """Train, and send a signal to the worker of the first job at its every `number`-th sign of progress, `times`
    times.
    """
    events: list[TrainingEvent] = []
    progress = 0
    for event in backend.train(jobs):
        events.append(event)
        if isinstance(event, Progress) and event.candidate_id == jobs[0].candidate_id:
            progress += 1
            if progress % number == 0 and times:
                os.kill(next(w.process.pid for w in backend._workers if w.has_candidate(event.candidate_id)), what)
                times -= 1
    return events


@pytest.fixture
def jobs(make_job: MakeJob, schedule: Schedule) -> list[GroupJob]:
    longer = replace(schedule, steps=60 * 8 * 16)
    return [replace(make_job(f"g01-c0{k + 1}", seed=k), schedule=longer) for k in range(3)]


def test_what_does_not_fit_waits_and_is_trained_as_if_alone(tmp_path: Path, jobs: list[GroupJob]) -> None:
    backend = WorkerPool("cartpole", (), tmp_path, dict(os.environ), workers=1)
    room = MemoryNeed(workers=1, process=0, group=0, num_groups=2)
    with closing(backend):
        events = list(backend.train(jobs, room))
    assert results(events) == undisturbed(jobs)
    # The third begins when the first two have ended.
    order = [(type(event), event.candidate_id) for event in events if isinstance(event, Progress | TrainingResult)]
    assert order.index((Progress, "g01-c03")) > order.index((TrainingResult, "g01-c01"))
    assert order.index((Progress, "g01-c03")) > order.index((TrainingResult, "g01-c02"))
    assert order.index((Progress, "g01-c02")) < order.index((TrainingResult, "g01-c01"))


def test_every_job_ends_once_and_as_if_alone(backend: WorkerPool, jobs: list[GroupJob]) -> None:
    events = list(backend.train(jobs))
    assert results(events) == undisturbed(jobs)
    assert len([event for event in events if isinstance(event, TrainingResult)]) == 3
    assert not list(backend._folder.glob("*.pt"))  # checkpoints of finished populations are gone
    again = list(backend.train(jobs[:1]))  # the workers stay for the next generation
    assert results(again) == undisturbed(jobs[:1])


def test_a_killed_worker_is_restarted_and_the_run_ends_right(backend: WorkerPool, jobs: list[GroupJob]) -> None:
    events = kill_after(backend, jobs, 20, signal.SIGKILL)
    restarts = [event for event in events if isinstance(event, WorkerRestarted)]
    assert len(restarts) == 1
    assert restarts[0].candidate_ids == ("g01-c01", "g01-c03")
    assert "killed by signal 9" in restarts[0].reason
    assert results(events) == undisturbed(jobs)


def test_after_a_death_groups_are_trained_apart_and_the_guilty_one_is_rejected(
    backend: WorkerPool, jobs: list[GroupJob]
) -> None:
    """The first worker has g01-c01 and g01-c03; whichever has g01-c01 is killed both times."""
    events = kill_after(backend, jobs, 10, signal.SIGKILL, times=2)
    rejected = [event for event in events if isinstance(event, Rejected)]
    assert [event.candidate_id for event in rejected] == ["g01-c01"]
    assert re.search("stopped twice: worker [01] was killed by signal 9", rejected[0].reason)
    expected = undisturbed(jobs)
    assert results(events) == {name: expected[name] for name in ("g01-c02", "g01-c03")}
    assert not list(backend._folder.glob("*.pt"))


def test_who_is_not_guilty_is_trained_in_company_again(tmp_path: Path, jobs: list[GroupJob], make_job: MakeJob) -> None:
    """A graph whose rows do not fit together ends the worker at once; nobody has verified these."""
    broken = json.loads(jobs[0].graph)
    broken["nodes"][0] = {"op": "select.int", "args": [{"input": "pole_angle"}, 0, 600]}
    guilty = replace(make_job("g01-c02", 1, json.dumps(broken)), schedule=jobs[0].schedule)
    backend = WorkerPool("cartpole", (), tmp_path, dict(os.environ), workers=1)
    with closing(backend):
        events = list(backend.train([jobs[0], guilty, jobs[2]]))
    (restart,) = [event for event in events if isinstance(event, WorkerRestarted)]
    assert restart.candidate_ids == ("g01-c01", "g01-c02", "g01-c03")
    (rejected,) = [event for event in events if isinstance(event, Rejected)]
    assert rejected.candidate_id == "g01-c02"
    assert "IndexError" in rejected.reason
    expected = undisturbed([jobs[0], jobs[2]])
    assert results(events) == expected


def test_a_silent_worker_is_restarted(tmp_path: Path, jobs: list[GroupJob]) -> None:
    backend = WorkerPool("cartpole", (), tmp_path, dict(os.environ), workers=2, heartbeat_s=4)
    try:
        events = kill_after(backend, jobs, 20, signal.SIGSTOP)
        (restart,) = [event for event in events if isinstance(event, WorkerRestarted)]
        assert re.fullmatch("worker [01] was silent for 4 s", restart.reason)
        assert results(events) == undisturbed(jobs)
    finally:
        backend.close()


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import time; time.sleep(60)", "worker 0 was not ready after 1 s"),
        ("raise SystemExit('no memory')", "worker 0 ended with status 1 (no memory)"),
    ],
)
def test_no_candidate_is_blamed_for_workers_that_cannot_start(
    tmp_path: Path, jobs: list[GroupJob], monkeypatch: pytest.MonkeyPatch, program: str, said: str
) -> None:
    monkeypatch.setattr(pool, "module_command", lambda *_: [sys.executable, "-c", program])
    backend = WorkerPool("cartpole", (), tmp_path, dict(os.environ), workers=1, start_s=1)
    with closing(backend), pytest.raises(TrainingError) as caught:
        next(iter(backend.train(jobs)))
    assert str(caught.value).startswith(f"no training worker can be started, 3 were not ready in a row: {said};")


def test_a_worker_with_much_to_do_is_waited_for(tmp_path: Path, jobs: list[GroupJob]) -> None:
    """An update of 4,000 worlds takes longer than a fifth of a second, and starting a worker too."""
    large = replace(jobs[0].schedule, num_envs=4000, steps=1, checkpoints=1, eval_episodes=1)
    backend = WorkerPool("cartpole", (), tmp_path, dict(os.environ), workers=1, heartbeat_s=0.2)
    with closing(backend):
        events = list(backend.train([replace(jobs[0], schedule=large)]))
    assert [type(event) for event in events] == [Progress, TrainingResult]


def test_a_population_goes_on_from_its_checkpoint_in_a_new_backend(
    tmp_path: Path, jobs: list[GroupJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = undisturbed(jobs)
    task = load_task("cartpole")
    half = Population(task, [jobs[0], jobs[2]])
    for _ in range(30):
        half.advance()
    write_state(tmp_path / "half.pt", half.jobs, pack(half.state_dict()))
    (tmp_path / "stale.pt").write_bytes((tmp_path / "half.pt").read_bytes())
    (tmp_path / "stale.pt").rename(tmp_path / "a_copy.pt")  # the same groups twice: one of the files is dropped
    backend = WorkerPool("cartpole", (), tmp_path, dict(os.environ), workers=2)
    try:
        events = list(backend.train(jobs))
    finally:
        backend.close()
    assert results(events) == expected
    first = next(e for e in events if isinstance(e, Progress) and e.candidate_id == "g01-c01")
    assert first.steps == 31 * 8 * 16  # it did not begin again


def test_the_hosts_own_failure_is_an_error(tmp_path: Path, jobs: list[GroupJob]) -> None:
    backend = WorkerPool("no_such_task", (), tmp_path, dict(os.environ), workers=1)
    try:
        with pytest.raises(TrainingError, match="there is no task `no_such_task`"):
            list(backend.train(jobs))
    finally:
        backend.close()


def test_keys_do_not_reach_a_worker(tmp_path: Path, jobs: list[GroupJob]) -> None:
    backend = WorkerPool("cartpole", (), tmp_path, {**os.environ, "OPENAI_API_KEY": "sk-secret"}, workers=1)
    try:
        next(event for event in backend.train(jobs[:1]) if isinstance(event, Progress))
        environment = Path(f"/proc/{backend.worker_pids()[0]}/environ").read_bytes()
        assert b"sk-secret" not in environment
        assert b"PATH=" in environment
    finally:
        backend.close()


def test_a_worker_is_confined_before_it_trains(backend: WorkerPool, jobs: list[GroupJob]) -> None:
    list(backend.train(jobs[:1]))
    assert {layer.name: layer.state for layer in backend.layers} == dict.fromkeys(
        ("environment", "privileges", "rlimits", "seccomp", "canaries"), "on"
    )
    status = Path(f"/proc/{backend.worker_pids()[0]}/status").read_text()
    assert "Seccomp:\t2\n" in status  # SECCOMP_MODE_FILTER, see proc(5)
    assert "NoNewPrivs:\t1\n" in status


def test_a_task_that_raises_in_training_is_not_blamed_on_a_candidate(tmp_path: Path, jobs: list[GroupJob]) -> None:
    folder = Path(shutil.copytree(find_tasks()["cartpole"], tmp_path / "moody"))
    code = (folder / "env.py").read_text()
    broken = code.replace(
        "        return state.pole_angle.abs() > 0.2\n",
        "        if bool((state.pole_angle.abs() > 0.19).any()):\n            raise ValueError('no more')\n"
        "        return state.pole_angle.abs() > 0.2\n",
    )
    assert broken != code
    (folder / "env.py").write_text(broken)
    backend = WorkerPool("moody", (tmp_path,), tmp_path / "training", dict(os.environ), workers=1)
    try:
        with pytest.raises(
            TrainingError,
            match=r"env\.py:\d+: the task's code raised ValueError: no more \(met in training; mend it and resume",
        ):
            list(backend.train(jobs))
    finally:
        backend.close()


def test_a_task_that_opens_files_in_training_is_told_what_it_may_not(tmp_path: Path, jobs: list[GroupJob]) -> None:
    folder = Path(shutil.copytree(find_tasks()["cartpole"], tmp_path / "reader"))
    code = (folder / "env.py").read_text()
    line = "        return state.pole_angle.abs() > 0.2\n"
    reads = "        if bool((state.pole_angle.abs() > 0.19).any()):\n            open(__file__).close()\n"
    assert line in code
    (folder / "env.py").write_text(code.replace(line, reads + line))
    backend = WorkerPool("reader", (tmp_path,), tmp_path / "training", dict(os.environ), workers=1)
    with (
        closing(backend),
        pytest.raises(
            TrainingError, match=r"env\.py:\d+: the task's code raised PermissionError: .*a worker may open no files"
        ),
    ):
        list(backend.train(jobs))
