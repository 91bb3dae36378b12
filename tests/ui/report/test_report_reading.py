"""From a run's store to what a report says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from records import ask_for, finish
from synthetic_run import CONFIG, FACTS, write_synthetic_run

from eureka.core.costs import Usage
from eureka.core.diagnosis import Diagnosis, DiagnosisKind, Severity
from eureka.core.training import TrainingResult
from eureka.core.types import Candidate, Completion, Message, Prompt, PromptFacts, Rejected, Reward, Stage
from eureka.evaluation import ComparedMethod, Comparison, Role
from eureka.evaluation.data import Estimate
from eureka.prompts import render_continuation, render_repair
from eureka.store import RunFacts, RunStore
from eureka.ui.report.candidates import candidate_parts, sentences, worker_seconds
from eureka.ui.report.comparing import comparison_page
from eureka.ui.report.headline import headline
from eureka.ui.report.reading import read_run
from eureka.ui.report.sections.components import MAX_ROWS, component_table
from eureka.ui.report.sections.evaluation import fresh_trainings
from eureka.ui.report.sections.provenance import reproduce_command, steps_per_second
from eureka.ui.report.sections.search import chart, generation_rows
from eureka.ui.report.views import RunView

Make = Callable[..., TrainingResult]
PROMPT = Prompt((Message("system", "be brief"), Message("user", "write")), PromptFacts("ant", 1, 1, ()))


def new_store(folder: Path, config: str = "") -> RunStore:
    return RunStore.create(folder, config, RunFacts(metric_unit="m/s"))


def add(
    store: RunStore, name: str, result: TrainingResult | None, graph: str = "", components: tuple[str, ...] = ("a",)
) -> None:
    """A candidate with an answer, a reward and perhaps a training."""
    store.record_completion(Completion(name, f"answer of {name}", "m", Usage(10, 5, usd=0.5)))
    store.record_candidate(Candidate(name, f"def compute_reward(x): ... # {name}", ("x",)))
    store.record_reward(Reward(name, graph or name, components))
    if result is not None:
        store.record_result(result)


@pytest.fixture
def run(small_run: RunStore) -> RunView:
    return read_run(small_run)


# ---- reading -----------------------------------------------------------------------------------------------------


def test_who_was_stopped_early_is_said(tmp_path: Path, make_result: Make) -> None:
    with new_store(tmp_path / "run") as store:
        stopped = replace(make_result("g01-c01", (9.0,), metric=(9.0,)), checkpoint_scores=(9.0,))
        add(store, "g01-c01", stopped)
        add(store, "g01-c02", make_result("g01-c02", (4.0,)))
        finish(store, 1, "g01-c02")
        view = read_run(store)
    assert [candidate.stopped_after for candidate in view.candidates] == [100, None]
    assert view.has_stopped
    # A score of a shorter training is no best.
    assert [row.best_so_far.id for row in generation_rows(view) if row.best_so_far] == ["g01-c02"]


def test_a_run_that_has_nothing_yet(tmp_path: Path) -> None:
    with new_store(tmp_path / "run") as store:
        view = read_run(store)
    assert view.candidates == ()
    assert view.best is None
    assert headline(view).sentence == "No generation has finished with a usable reward yet."
    assert chart(view) is None
    assert fresh_trainings(view) is None
    assert steps_per_second(view) is None
    assert component_table(view).rows == ()


def test_where_each_candidate_came_from_and_what_became_of_it(tmp_path: Path, make_result: Make) -> None:
    with new_store(tmp_path / "run", "task: ant\nsearch:\n  generations: 3\n") as store:
        ask_for(store, ["g01-c01", "g01-c02"], PROMPT)
        add(store, "g01-c01", make_result("g01-c01", (1.0, 3.0)))
        store.record_completion(Completion("g01-c02", "prose", "m"))
        store.record_rejection(Rejected("g01-c02", Stage.EXTRACT, "no code", "Answer with code."))
        finish(store, 1, "g01-c01")
        facts = replace(PROMPT.facts, generation=2, reflection=read_run(store).candidates[0].reflection)
        ask_for(store, ["g02-c01"], replace(PROMPT, facts=facts), parents=["g01-c01"])
        add(store, "g02-c01", None, graph="g01-c01")
        view = read_run(store)
    first, rejected, second = view.candidates
    assert (first.parent, first.status, first.score, first.best_score) == (None, "trained", 2.0, 2.0)
    assert (rejected.status, rejected.score, rejected.source) == ("rejected", None, "")
    assert (second.parent, second.status, second.duplicate_of) == ("g01-c01", "pending", "g01-c01")
    assert view.best == first
    assert view.task == "ant"
    assert headline(view).sentence == "So far, g01-c01 is the best of 1 trained reward: 2.00 m/s."
    rows = generation_rows(view)
    assert [(row.asked, row.trained, row.rejected, row.duplicates) for row in rows] == [(2, 1, 1, 0), (1, 0, 0, 1)]
    assert rows[0].spending.usd is None  # one of its two answers does not say
    assert rows[1].spending.tokens == 15


def test_what_was_asked_again_is_shown_word_for_word(tmp_path: Path) -> None:
    config = CONFIG.format(generations=1, samples=2)
    wrong = Rejected("g01-c01", Stage.TRACE, "it raised", "line 1: NameError")
    cut = Rejected("g01-c02", Stage.EXTRACT, "cut off", "It was cut off.")
    endings = {"g01-c01": "Take the plainest line.", "g01-c02": "Take another."}
    repair = render_repair(PROMPT, wrong, 1, source="wrong code", answer="first")
    begun = Completion("g01-c02", "begin", "m", finish="length")
    continuation = render_continuation(PROMPT, begun)
    with new_store(tmp_path / "run", config) as store:
        ask_for(store, ["g01-c01", "g01-c02"], PROMPT, endings=endings)
        for answer, rejection in (
            (Completion("g01-c01", "first", "m"), wrong),
            (Completion("g01-c02", "begin", "m", finish="length"), cut),
        ):
            store.record_completion(answer)
            if rejection is wrong:
                store.record_candidate(Candidate("g01-c01", "wrong code", ()))
            store.record_rejection(rejection)
        ask_for(store, ["g01-c01"], repair, attempt=1)
        ask_for(store, ["g01-c02"], continuation, attempt=1)
        store.record_completion(Completion("g01-c01", "second", "m", attempt=1))
        store.record_candidate(Candidate("g01-c01", "right code", ()))
        store.record_completion(Completion("g01-c02", " and end", "m", attempt=1, continues=True))
        repaired, continued = read_run(store).candidates
    assert repaired.source == "right code"
    assert repaired.repairs == 1
    assert continued.repairs == 0
    assert repaired.attempts[0].asked == (Message("user", "Take the plainest line."),)
    assert PROMPT.messages + repaired.attempts[1].asked == repair.messages
    assert [attempt.rejected for attempt in repaired.attempts] == [wrong, None]
    assert PROMPT.messages + continued.attempts[1].asked == continuation.messages


def test_a_prompt_of_its_own_is_shown_whole(tmp_path: Path) -> None:
    own = Prompt((Message("system", "s"), Message("user", "combine two rewards")), PROMPT.facts)
    with new_store(tmp_path / "run") as store:
        ask_for(store, ["g01-c01"], PROMPT)
        ask_for(store, ["g01-c02"], own, parents=["g01-c00", "g01-c01"])
        for name in ("g01-c01", "g01-c02"):
            store.record_completion(Completion(name, "x", "m"))
        first, second = read_run(store).candidates
    assert first.attempts[0].asked == ()
    assert second.attempts[0].asked == own.messages
    assert second.parents == ("g01-c00", "g01-c01")


def test_a_reward_that_only_rescales_another_names_it(tmp_path: Path, make_result: Make) -> None:
    with new_store(tmp_path / "run") as store:
        add(store, "g01-c01", make_result("g01-c01", (1.0,)))
        add(store, "g01-c02", None)
        store.record_rejection(Rejected("g01-c02", Stage.SCREEN, "its total is another's", "", duplicate_of="g01-c01"))
        view = read_run(store)
    assert [candidate.duplicate_of for candidate in view.candidates] == [None, "g01-c01"]


# ---- the headline ------------------------------------------------------------------------------------------------


def method(role: Role, scores: tuple[float, ...], **changes: object) -> ComparedMethod:
    iqm = Estimate(sum(scores) / len(scores), (min(scores), max(scores))) if scores else None
    values: dict[str, object] = {
        "role": role,
        "name": {Role.BEST: "g01-c01"}.get(role, role.value),
        "seeds": tuple(range(len(scores))),
        "scores": scores,
        "iqm": iqm,
        "improvement": None,
        "normalised": None,
        "correlation": None,
    }
    return ComparedMethod(**{**values, **changes})  # type: ignore[arg-type]


def compared(*methods: ComparedMethod) -> Comparison:
    return Comparison(
        version=1,
        task="ant",
        metric="speed",
        unit="m/s",
        steps=1000,
        search_steps=500,
        eval_episodes=8,
        methods=methods,
        gap=None,
        transitions=64,
    )


@pytest.mark.parametrize(
    ("comparison", "sentence"),
    [
        (
            compared(
                method(Role.BEST, (2.0, 2.2), normalised=Estimate(1.31, (1.18, 1.44))), method(Role.HUMAN, (1.0, 1.2))
            ),
            "g01-c01 is worth 1.31 of the human reward, 95% interval 1.18 to 1.44, 2 fresh seeds.",
        ),
        (
            compared(
                method(
                    Role.BEST,
                    (2.0, 2.2),
                    normalised=Estimate(0.94, (0.83, 1.02)),
                    improvement=Estimate(0.33, (0.13, 0.57)),
                ),
                method(Role.HUMAN, (2.1, 2.3)),
            ),
            "g01-c01 reaches 2.10 m/s and the human-written reward 2.20; 2 fresh seeds do not tell which is better.",
        ),
        (
            compared(
                method(Role.BEST, (2.0, 2.2), improvement=Estimate(1.0, (0.9, 1.0))), method(Role.HUMAN, (1.0, 1.2))
            ),
            "g01-c01 reaches 2.10 m/s, the human-written reward 1.10: better in 100% of all pairs of trainings, "
            "95% interval 90% to 100%, 2 fresh seeds.",
        ),
        (
            compared(
                method(Role.BEST, (2.0, 2.2), improvement=Estimate(0.6, (0.3, 0.9))), method(Role.HUMAN, (1.0, 2.2))
            ),
            "g01-c01 reaches 2.10 m/s and the human-written reward 1.60; 2 fresh seeds do not tell which is better.",
        ),
        (
            compared(method(Role.BEST, (2.0,), improvement=Estimate(1.0, None)), method(Role.HUMAN, (1.0,))),
            "g01-c01 reaches 2.00 m/s and the human-written reward 1.00; 1 fresh seed says little.",
        ),
        (
            compared(method(Role.BEST, (2.0,), improvement=Estimate(0.5, None)), method(Role.HUMAN, (2.0,))),
            "g01-c01 reaches 2.00 m/s, as the human-written reward does, 1 fresh seed.",
        ),
        (
            compared(method(Role.BEST, (2.0,), same_as="human"), method(Role.HUMAN, (2.0,))),
            "g01-c01 computes the human-written reward itself.",
        ),
        (
            compared(method(Role.BEST, (2.0, 2.2)), method(Role.HUMAN, ())),
            "g01-c01 reaches 2.10 m/s, 95% interval 2.00 to 2.20, 2 fresh seeds.",
        ),
        (
            compared(method(Role.BEST, ()), method(Role.HUMAN, (1.0,))),
            "g01-c01 is the best of 1 trained reward: 2.00 m/s.",
        ),
    ],
)
def test_the_headline_says_the_strongest_that_is_known(
    comparison: Comparison, sentence: str, tmp_path: Path, make_result: Make
) -> None:
    with new_store(tmp_path / "run") as store:
        add(store, "g01-c01", make_result("g01-c01", (2.0,)))
        finish(store, 1, "g01-c01")
        store.mark_finished()
        view = replace(read_run(store), comparison=comparison)
    assert headline(view).sentence == sentence
    section = fresh_trainings(view)
    assert section is not None
    assert [row.name for row in section.rows] == ["best (g01-c01)", "human-written"]


def test_trainings_with_fresh_seeds_and_no_comparison(tmp_path: Path, make_result: Make) -> None:
    with new_store(tmp_path / "run") as store:
        add(store, "g01-c01", make_result("g01-c01", (2.0,)))
        finish(store, 1, "g01-c01")
        for seed, score in ((1000, 1.0), (1001, 2.0)):
            store.record_evaluation(make_result("g01-c01", (score,), seed=seed))
        view = read_run(store)
    assert headline(view).sentence == (
        "g01-c01 reaches 1.50 m/s on average over 2 trainings with fresh seeds, from 1.00 to 2.00."
    )
    section = fresh_trainings(view)
    assert section is not None
    assert section.rows[0].scores == ((1000, 1.0), (1001, 2.0))


def test_a_search_that_gave_nothing(tmp_path: Path) -> None:
    with new_store(tmp_path / "run", "search: {generations: 1}\n") as store:
        store.record_completion(Completion("g01-c01", "prose", "m"))
        store.record_rejection(Rejected("g01-c01", Stage.EXTRACT, "no code", ""))
        finish(store, 1, None)
        assert headline(read_run(store)).sentence == "No usable reward among 1 candidate: 1 were rejected."


# ---- warnings ----------------------------------------------------------------------------------------------------


def test_what_is_wrong_has_a_sentence_and_notes_have_none() -> None:
    wrong = Diagnosis(DiagnosisKind.METRIC_ZERO)
    opposes = Diagnosis(DiagnosisKind.COMPONENT_OPPOSES, component="run", numbers={"correlation": -0.5}, line=3)
    note = Diagnosis(DiagnosisKind.METRIC_RISING, Severity.NOTE)
    assert sentences((wrong, note, opposes)) == (
        "The task metric stayed at 0.",
        "run works against the task: correlation -0.5 with the metric (line 3).",
    )
    assert sentences((opposes,), "Before training: ")[0].startswith("Before training: run works against")


# ---- parts of the page -------------------------------------------------------------------------------------------


def test_time_is_shared_by_those_that_trained_side_by_side(tmp_path: Path, make_result: Make) -> None:
    with new_store(tmp_path / "run") as store:
        for name, wall_s in (("g01-c01", 30.0), ("g01-c02", 30.0), ("g01-c03", 8.0)):
            add(store, name, replace(make_result(name, (1.0,)), wall_s=wall_s))
        view = read_run(store)
    assert worker_seconds(view.candidates) == {"g01-c01": 15.0, "g01-c02": 15.0, "g01-c03": 8.0}
    assert steps_per_second(view) == pytest.approx(3 * 200 / 38)


def test_components_come_stay_and_go(tmp_path: Path, make_result: Make) -> None:
    used = [("old", "base"), ("base", "new"), ("base", "old", "new"), ("base", "late", "old")]
    with new_store(tmp_path / "run") as store:
        for generation, names in enumerate(used, start=1):
            name = f"g{generation:02d}-c01"
            add(store, name, make_result(name, (float(generation),)), components=names)
            finish(store, generation, name)
        view = read_run(store)
    rows = {row.name: row for row in component_table(view).rows}
    assert {name: row.story for name, row in rows.items()} == {
        "old": "comes and goes",
        "base": "stayed throughout",
        "new": "came in generation 2, gone after generation 3",
        "late": "came in generation 4",
    }
    assert [cell.level for cell in rows["new"].cells] == [0, 4, 4, 0]
    assert [cell.in_best for cell in rows["new"].cells] == [False, True, True, False]
    assert (rows["new"].with_it, rows["new"].without) == (2.5, 2.5)
    assert rows["base"].without is None


def test_of_very_many_components_the_rare_ones_are_left_out(tmp_path: Path, make_result: Make) -> None:
    names = tuple(f"component_{i:03d}" for i in range(MAX_ROWS + 5))
    with new_store(tmp_path / "run") as store:
        add(store, "g01-c01", make_result("g01-c01", (1.0,)), components=names)
        add(store, "g01-c02", make_result("g01-c02", (2.0,)), components=("component_052",), graph="other")
        finish(store, 1, "g01-c02")
        found = component_table(read_run(store))
    assert len(found.rows) == MAX_ROWS
    assert found.left_out == 5
    assert "component_052" in [row.name for row in found.rows]


def test_the_command_names_what_is_not_usual(run: RunView) -> None:
    assert reproduce_command(run) == (
        "eureka run task=ant budget=paper llm=anthropic seed=1 llm.model=claude-sonnet-5-5 search.generations=2 "
        "search.samples=8 train.seeds=1 train.workers=2"
    )
    assert reproduce_command(run, "a folder") == (
        "eureka run task=ant budget=paper llm=replay 'llm.run=a folder' seed=1 search.generations=2 search.samples=8 "
        "train.seeds=1 train.workers=2"
    )
    strange = replace(
        run,
        task="my task",
        settings={"task": "my task", "llm.name": "?", "search.hint": "it's; rm -rf", "sandbox": None, "x": True},
        facts=replace(FACTS, task_dirs=("/my tasks",)),
    )
    assert reproduce_command(strange) == (
        "eureka run 'task=my task' 'llm=?' 'search.hint=it'\"'\"'s; rm -rf' sandbox=null x=true --task-dir '/my tasks'"
    )


def test_each_part_has_its_numbers(run: RunView) -> None:
    for part in candidate_parts(run):
        assert len(part.numbers) == len(part.figures) == (3 + len(part.view.components) if part.view.results else 0)
        assert all(len(row.values) == len(part.steps) for row in part.numbers)
        assert len(part.exchanges) == len(part.view.attempts)


def test_runs_side_by_side(tmp_path: Path, run: RunView) -> None:
    other = replace(run, folder=tmp_path / "run", comparison=None)
    alone = replace(run, task="hopper", name="third", best=None, generations=(), comparison=None)
    page = comparison_page([run, other, alone])
    assert [one.name for one in page.runs] == ["run", "run (2)", "third"]
    assert page.title == "3 runs of ant and hopper"
    assert page.sentence.startswith("ant: run reaches ")
    assert "in the searches' own evaluation, against run (2) " in page.sentence
    assert page.sentence.endswith("hopper: no usable reward yet.")
    ant, hopper = page.groups
    assert [name for name, _ in ant.rows] == ["run", "run (2)"]
    assert ant.intervals is not None
    assert hopper.intervals is None


def test_the_made_up_run_has_all_that_a_report_must_show(run: RunView) -> None:
    status = {candidate.status for candidate in run.candidates}
    assert status == {"trained", "rejected"}
    assert any(candidate.repairs for candidate in run.candidates)
    assert any(candidate.duplicate_of for candidate in run.candidates)


def test_a_made_up_run_is_the_same_every_time(tmp_path: Path, run: RunView) -> None:
    with write_synthetic_run(tmp_path / "again", 2, 8, updates=40) as store:
        assert read_run(store).candidates == run.candidates
