"""Whole runs with a language model: the key is nowhere, nothing is bought twice, caps hold over a resumed run."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from model_server import INPUT_TOKENS, OUTPUT_TOKENS, ModelServer, Step, serving

from eureka.app.cli import main
from eureka.store import RunStore

pytestmark = pytest.mark.process

SECRET = "sk-hunted-7f3a9c5e1b2d4f60"
REWARD = """Upright and centred.

```python
import torch

def compute_reward(pole_angle, cart_position):
    upright = torch.exp(-pole_angle.abs() / 0.1)
    centred = -0.1 * cart_position.abs()
    return upright + centred, {"upright": upright, "centred": centred}
```
"""
SMALL = [
    *("task=cartpole", "train.steps=4000", "train.eval_episodes=2", "train.checkpoints=1", "train.workers=1"),
    # Every sample gives the same reward, and a twin would be asked about again.
    *("evaluation.seeds=0", "search.repairs=0", "report.films=none"),
]


def command(server: ModelServer, folder: Path, *overrides: str) -> list[str]:
    given = [f"llm.base_url={server.url}/v1", "llm.model=served", "llm.max_tokens=1000000", f"output={folder}"]
    return [sys.executable, "-m", "eureka", "run", *SMALL, "llm=openai", *given, *overrides]


def with_key() -> dict[str, str]:
    return {**os.environ, "OPENAI_API_KEY": SECRET}


def resume(folder: Path, *overrides: str) -> subprocess.CompletedProcess[str]:
    resumed = [sys.executable, "-m", "eureka", "resume", str(folder), *overrides]
    return subprocess.run(resumed, capture_output=True, text=True, check=False, env=with_key())


def descendants(pid: int) -> list[int]:
    """Ids of all processes below one."""
    found = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(child) for child in tasks.read_text().split()]
    return found + [pid for child in found for pid in descendants(child)]


def process_name(pid: int) -> bytes:
    """Its command line."""
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def test_the_key_is_nowhere(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    told = tmp_path / "told.txt"
    seen = set()
    small = ["search.generations=1", "search.samples=2"]
    with serving(Step(REWARD)) as server, told.open("wb") as output:
        with subprocess.Popen(
            command(server, folder, *small), stdout=output, stderr=subprocess.STDOUT, env=with_key()
        ) as process:
            while process.poll() is None:
                for child in descendants(process.pid):
                    with contextlib.suppress(OSError):
                        # A fork that has not come to its exec yet still looks like its parent.
                        if process_name(child) != process_name(process.pid):
                            held = Path(f"/proc/{child}/environ").read_bytes()
                            assert SECRET.encode() not in held, process_name(child)
                            seen.add(child)
                time.sleep(0.05)
        assert process.returncode == 0, told.read_text()
        assert server.headers[0]["authorization"] == f"Bearer {SECRET}"
        assert server.billed == 2
    assert len(seen) >= 2  # the sandbox and the trainer
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 5
    for path in [*files, told]:
        assert SECRET.encode() not in path.read_bytes(), path
    text = told.read_text()
    assert f"provider openai, model served at {server.url}/v1: about 2 calls" in text
    assert "price not known; stops at 1,000,000 tokens" in text
    assert "2 answers: 200 tokens read (80% from the cache), 40 written (10 reasoning), price not known" in text


def asked(server: ModelServer) -> Counter[str]:
    """How often each sample was asked for, by the line that it is told to take."""
    return Counter(request["messages"][-1]["content"].rpartition("\n\n")[2] for request in server.requests)


def recorded(folder: Path) -> int:
    """How many answers a run has kept."""
    with RunStore.open(folder, read_only=True) as store:
        return len(store.completions())


def test_killed_during_calls_no_answer_is_bought_twice(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    small = ["search.generations=1", "search.samples=6", "llm.concurrency=2"]
    slow = Step(REWARD, hold_s=20.0)
    with serving(Step(REWARD), Step(REWARD), Step(REWARD), slow, slow, Step(REWARD)) as server:
        with subprocess.Popen(command(server, folder, *small), stdout=subprocess.DEVNULL, env=with_key()) as process:
            deadline = time.monotonic() + 60
            while (len(server.requests) < 5 or recorded(folder) < 3) and time.monotonic() < deadline:
                time.sleep(0.02)
            process.send_signal(signal.SIGKILL)
        with RunStore.open(folder, read_only=True) as store:
            kept = store.completions()
            # Two calls are in flight at a time, and which of them the server hears first is not certain.
            assert len(kept) == 3
            assert set(kept) < {f"g01-c0{sample}" for sample in range(1, 6)}
            assert store.facts().unrecorded_costs.calls_open
        before = asked(server)
        assert sum(before.values()) == 5
        result = resume(folder)  # the run is the user's own, so its endpoint need not be given again
        assert result.returncode == 0, result.stderr
        again = asked(server) - before
    # The two in flight and the one that was not sent yet; none of the three that were kept.
    assert sum(again.values()) == 3
    assert sorted((again & before).values()) == [1, 1]
    # Named are the two that were sent, which may have been billed, and not the one that never was.
    (said,) = re.findall(r"not answered when the run stopped, so asked for now: (.*)", result.stdout)
    in_flight = said.split(", ")
    assert len(in_flight) == len(set(in_flight)) == 2
    assert not set(in_flight) & set(kept)
    with RunStore.open(folder, read_only=True) as store:
        assert {name: store.completions()[name] for name in kept} == kept
        assert not store.facts().unrecorded_costs.calls_open
        assert store.facts().unrecorded_costs.spent.tokens > 0


def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str]:
    """Exit code and stderr of a command in this process, with a key set."""
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    shown = capsys.readouterr()
    assert SECRET not in shown.out + shown.err
    return int(caught.value.code or 0), shown.err


def test_a_cap_stops_the_run_and_a_higher_one_lets_it_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    small = ["search.generations=1", "search.samples=3", "llm.max_output_tokens=100", "llm.concurrency=1"]
    with serving(Step(REWARD)) as server:
        arguments = command(server, folder, *small, "llm.max_tokens=1")[3:]
        code, stopped = cli(capsys, monkeypatch, *arguments)
        assert (code, server.billed) == (1, 0)
        needed = re.search(r"llm.max_tokens is reached: 0 tokens of 1 are spent, .* can take ([\d,]+);", stopped)
        assert needed
        # Room for the reservation after one settled answer and not after two; the samples' lines differ in length.
        cap = int(needed[1].replace(",", "")) + INPUT_TOKENS + OUTPUT_TOKENS + 100
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        code, stopped = cli(capsys, monkeypatch, "resume", str(folder), f"llm.max_tokens={cap}")
        assert (code, server.billed) == (1, 2)
        assert f"240 tokens of {cap:,} are spent" in stopped
        assert cli(capsys, monkeypatch, "resume", str(folder), "llm.max_tokens=50000") == (0, "")
        assert server.billed == 3
    with RunStore.open(folder, read_only=True) as store:
        assert store.facts().resumed_with == ("llm.max_tokens=50000",)
        assert len(store.completions()) == 3


def test_a_refused_key_ends_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"error": {"message": f"Incorrect API key provided: {SECRET}"}}
    with serving(Step(status=401, body=body)) as server:
        code, error = cli(capsys, monkeypatch, *command(server, tmp_path / "run")[3:])
    assert code == 1
    assert error == "error: openai does not accept the key in OPENAI_API_KEY (401): check it, or set another\n"
    assert "OPENAI_API_KEY" not in os.environ


def test_nobody_is_asked_and_nothing_written_in_a_dry_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANTHROPIC_API_KEY", SECRET)
    with pytest.raises(SystemExit) as caught:
        main(["run", "task=cartpole", "search.hint=막대를 똑바로", "--dry-run"])
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    assert "=== system ===\nYou design reward functions" in shown
    assert "막대를 똑바로" in shown
    assert "provider anthropic, model claude-sonnet-5-5: about 30 calls, " in shown
    assert ", about $0." in shown
    assert "; stops at $5\n" in shown
    assert re.search(r"training: at most [\d,]+ control steps, about ", shown)
    assert "that assumes answers of 2,500 tokens" in shown
    assert "waiting for answers: about 6 min" in shown
    assert SECRET not in shown
    assert os.listdir(tmp_path) == []


def test_without_a_key_program_search_and_how_to_use_a_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["run", "task=cartpole", "--dry-run"])
    shown = capsys.readouterr().out
    assert shown.startswith(
        "no key is set, so no language model is asked: set ANTHROPIC_API_KEY or OPENAI_API_KEY to use"
    )
    assert "program_search is asked, which costs nothing: program_search is not a language model" in shown
