"""`eureka check` as a user meets it: one page, an exit code, and one sentence for what is wrong with the input."""

import re
from pathlib import Path

import pytest

import eureka.app.check_page
import eureka.ui.console.output
from eureka.app.checking import as_candidate
from eureka.app.cli import main
from eureka.core.training import TrainingLength
from eureka.core.types import Candidate, Rejected
from eureka.tasks import load_task
from eureka.trainers import trajectories

GOOD = """import torch


def compute_reward(pole_angle, cart_position, action):
    temperature = 0.05
    centre_weight = 0.1
    upright = torch.exp(-(pole_angle**2) / temperature)
    centre = -centre_weight * cart_position.abs()
    return upright + centre - 0.01 * action.square().sum(-1), {"upright": upright, "centre": centre}
"""
EVERYTHING = "pole_angle, pole_angular_velocity, cart_position, cart_velocity"
BACKWARDS = """def compute_reward(pole_angle, cart_velocity):
    tilt = -0.1 * pole_angle.abs()
    calm = -1.0 - cart_velocity.abs()
    return tilt + calm, {"tilt": tilt, "calm": calm}
"""
# Random actions keep the cart within some metres a second; a policy that balances for long does not reach the end.
FRAGILE = """import torch


def compute_reward(pole_angle):
    edge = torch.log(0.3 - pole_angle.abs())
    return edge, {"edge": edge}
"""
BRANCHING = """def compute_reward(pole_angle):
    if pole_angle.any():
        return pole_angle, {"angle": pole_angle}
    return -pole_angle, {"angle": -pole_angle}
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _short_training(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.setattr(trajectories, "_length", lambda trainer: TrainingLength(15_000, 2, 1))


def check(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(["check", *arguments])
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.fixture
def written(tmp_path: Path):
    def write(source: str) -> str:
        path = tmp_path / "reward.py"
        path.write_text(source, encoding="utf-8")
        return str(path)

    return write


@pytest.mark.process
def test_a_good_reward(written, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(written(GOOD), "task=cartpole") == 0
    page = capsys.readouterr().out
    assert "reward.py for task cartpole: Keep the pole upright" in page
    assert "traced in the sandbox to " in page
    assert re.search(r"finite on [\d,]+ recorded transitions of random and of skilled policies", page)
    assert re.search(r"upright +x 1 +[\d.]+% +.* pole_angle\n", page)
    assert re.search(r"centre +x 1 +.* cart_position\n", page)
    assert re.search(r"temperature +0.05 +7 +[\d.]+ std", page)
    assert re.search(r"centre_weight +0.1 +8 ", page)
    assert re.search(r"\n +random +half-trained +trained +ranked as scored\n  number +8 +8 +8 +\d+ pairs\n", page)
    assert re.search(r"\n  worth +\S+ +\S+ +\S+ +\d+%\n    of upright +\S+ +\S+ +\S+ +\d+%\n", page)
    assert "warning  line 9: a term (of action) is in the total" in page
    assert re.search(r"verdict: it can be trained with; 1 warning(; \d notes?)?\n$", page)


@pytest.mark.process
@pytest.mark.parametrize("columns", [80, 140])
def test_the_page_fits_the_terminal(
    columns: int, written, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for module in (eureka.app.check_page, eureka.ui.console.output):
        monkeypatch.setattr(module, "is_terminal", lambda: True)
    wordy = GOOD.replace("centre", "centre_of_the_track").replace("pole_angle, cart_position", EVERYTHING)
    wordy = wordy.replace("- 0.01 *", "- 0.0 * (cart_velocity + pole_angular_velocity) - 0.01 *")
    assert check(written(wordy), "task=cartpole") == 0
    page = capsys.readouterr().out
    # A path is never broken.
    lines = [line for line in page.splitlines() if "reward.py" not in line and ".pt" not in line]
    assert max(map(len, lines)) <= columns
    assert "verdict: it can be trained with" in page
    assert ("their range, and what they read" in page) == (columns == 80)


@pytest.mark.process
def test_the_recording_is_made_once(written, capsys: pytest.CaptureFixture[str], cache: Path) -> None:
    said = "recording trajectories of cartpole: a policy is trained"
    path = written(BACKWARDS)
    assert check(path, "task=cartpole") == 1
    page = capsys.readouterr().out
    assert (said in page) != bool(cache.glob("**/*.pt")) or said not in page
    assert len(list((cache / "eureka" / "trajectories").iterdir())) == 1
    assert re.search(r"PROBLEM  it prefers failing to succeeding: of \d+ pairs", page)
    assert "the component `calm` speaks most for the failing one" in page
    assert "verdict: training with it would be in vain; 1 problem" in page


@pytest.mark.process
def test_without_confinement_it_is_said(written, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(written(GOOD), "task=cartpole", "sandbox=unsafe") == 0
    assert "traced WITHOUT CONFINEMENT (sandbox=unsafe) to" in capsys.readouterr().out


@pytest.mark.process
def test_a_mistake_is_told_with_its_line(written, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(written(BRANCHING), "task=cartpole") == 1
    page = capsys.readouterr().out
    assert "line 2: `if pole_angle.any():`: it decides in Python on the values of a tensor" in page
    assert "torch.where(condition, a, b)" in page
    assert page.endswith("verdict: it cannot be used as a reward (found at: trace)\n")


REJECTED = {
    "def compute_reward(pole_angel): return pole_angel, {}\n": "`pole_angel` (did you mean `pole_angle`?)",
    "x = 1\n": "it defines no module-level function `compute_reward`",
    "import torch\n\ndef compute_reward(:\n": "line 3: it is not Python: ",
    "x = '\\ud800'.encode(\n": "it is not Python",
    "class A:\n    def compute_reward(self): pass\n": "it defines no module-level function `compute_reward`",
}


@pytest.mark.parametrize("source", REJECTED)
def test_what_is_no_reward_function(source: str, written, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(written(source), "task=cartpole") == 1
    page = capsys.readouterr().out
    assert REJECTED[source] in page
    assert "verdict: it cannot be used as a reward (found at: extract)" in page


def test_lines_are_those_of_the_file() -> None:
    fields = load_task("cartpole").fields
    found = as_candidate(GOOD, fields)
    assert isinstance(found, Candidate)
    assert (found.source, found.inputs) == (GOOD, ("pole_angle", "cart_position", "action"))
    deep = as_candidate("(" * 500 + ")" * 500, fields)
    assert isinstance(deep, Rejected)


INPUTS = [
    (["/nowhere.py", "task=cartpole"], "/nowhere.py: cannot be read: No such file or directory; give a Python file"),
    (["FILE"], "no task given: add task=NAME"),
    (["FILE", "task=an"], "task=an: there is no such choice"),
    (["FILE", "task=cartpole", "search.samples=3"], "`search.samples`: eureka check takes task=, env=, metric=, desc"),
    (["FILE", "cartpole"], "`cartpole` is not of the form key=value"),
]


@pytest.mark.parametrize(("arguments", "sentence"), INPUTS)
def test_bad_input(arguments: list[str], sentence: str, written, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(GOOD)
    assert check(*[path if a == "FILE" else a for a in arguments]) == 2
    shown = capsys.readouterr()
    assert sentence in shown.err
    assert shown.out == ""


def test_files_that_are_no_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "reward.py"
    path.write_bytes(b"\xff\xfe\x00")
    assert check(str(path), "task=cartpole") == 2
    assert "is not text in UTF-8" in capsys.readouterr().err
    path.write_text("#" * 200_001)
    assert check(str(path), "task=cartpole") == 2
    assert "is 200,001 characters long; 200,000 are read" in capsys.readouterr().err


@pytest.mark.process
def test_an_exported_module_names_its_task(written, capsys: pytest.CaptureFixture[str]) -> None:
    module = 'TASK: str = "cartpole"\n\n' + FRAGILE
    assert check(written(module)) in (0, 1)
    page = capsys.readouterr().out
    assert "for task cartpole" in page
    # On states ten times as large the logarithm is of a negative number.
    assert re.search(r"`edge` becomes NaN or infinite on \d+% of states 10 times as large as recorded", page) or (
        "the component 'edge' is NaN" in page
    )
