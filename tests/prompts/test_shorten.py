"""What a prompt that is too long loses, and in which order."""

from dataclasses import replace

from prompt_examples import FEEDBACK, HACKED, REFLECTION, REJECTED, SOURCE, facts

from eureka.core.ideas import Idea, IdeaStatus
from eureka.core.training import EpisodeTrace
from eureka.core.types import PromptFacts, Rejected, Stage
from eureka.prompts import briefer, shortened


def test_shortening_keeps_what_a_person_said_last() -> None:
    case = replace(facts(3), feedback=FEEDBACK, worst_source=SOURCE)
    assert shortened(case, 0) == replace(case, feedback=FEEDBACK[:1], worst_source="")


def test_shortening_drops_the_oldest_errors_first_then_points() -> None:
    curve = tuple(float(i) for i in range(10))
    component = replace(REFLECTION.components[0], points=curve)
    reflection = replace(
        REFLECTION, steps=tuple(range(10)), metric_points=curve, total_points=curve, components=(component,)
    )
    old = tuple(Rejected(f"g0{4 - i}-c01", Stage.TRACE, "", f"error {i}") for i in range(1, 4))
    first = shortened(facts(5, reflection, old), 0)
    assert first is not None
    assert (first.rejected, first.reflection) == (old[:1], reflection)
    second = shortened(first, 1)
    assert second is not None
    assert second.rejected == ()
    assert second.reflection is not None
    assert second.reflection.metric_points == (0.0, 5.0, 9.0)
    assert second.reflection.components[0].points == (0.0, 5.0, 9.0)
    assert second.reflection.steps == (0, 5, 9)
    assert shortened(facts(1), 0) is None
    # What a model of a small context is left with: one parent.
    third = shortened(replace(second, further_parents=(second.reflection,)), 2)
    assert third == second
    assert shortened(facts(5, reflection), 0) == second
    # At last the code of that parent and its curves alone.
    alone = shortened(replace(second, ideas=(replace(idea("g01-c01", 1.0), components={"a": ""}),)), 3)
    assert alone is not None
    assert alone.ideas == ()
    assert alone.reflection == replace(second.reflection, diagnoses=(), episodes=())
    assert shortened(alone, 4) is None


def idea(name: str, score: float | None) -> Idea:
    fate = IdeaStatus.REJECTED if score is None else IdeaStatus.TRAINED
    scores = () if score is None else (score,)
    return Idea(candidate_id=name, fate=fate, components={"a": "x"}, reason="no code", scores=scores, estimate=score)


def test_ideas_are_told_in_fewer_words_the_oldest_and_weakest_first() -> None:
    told = (idea("g02-c01", 3.0), idea("g01-c01", 2.0), idea("g02-c02", 1.0), idea("g01-c02", None))
    current: PromptFacts | None = replace(facts(3, REFLECTION, REJECTED), ideas=told, failures=(HACKED,))
    seen = []
    while current is not None and (current := briefer(current)) is not None:
        without = [each.candidate_id for each in current.ideas if each.components == {"a": ""}]
        seen.append((without, len(current.failures), len(current.rejected)))
    assert seen[:5] == [
        (["g01-c02"], 1, 2),
        (["g02-c02", "g01-c02"], 1, 2),
        (["g02-c02", "g01-c02"], 0, 2),
        (["g02-c02", "g01-c02"], 0, 1),
        (["g01-c01", "g02-c02", "g01-c02"], 0, 1),
    ]
    assert len(seen) == 7  # the last expression, and then all errors


def test_tables_of_further_episodes_go_before_any_expression() -> None:
    shown = replace(REFLECTION, episodes=(EpisodeTrace(score=1.0, steps=9, ended="time limit", fields={"x": (1.0,)}),))
    current: PromptFacts | None = replace(
        facts(3, shown), further_parents=(shown, shown), failures=(shown,), ideas=(idea("g01-c01", 2.0),)
    )
    seen = []
    while current is not None and (current := briefer(current)) is not None:
        assert current.reflection is not None
        told = [current.reflection, *current.further_parents, *current.failures]
        tables = [any(episode.fields for episode in each.episodes) for each in told]
        seen.append((tables, current.ideas[0].components["a"]))
    assert seen[:5] == [
        ([True, True, True, False], "x"),
        ([True, True, False, False], "x"),
        ([True, False, False, False], "x"),
        ([True, False, False, False], ""),
        ([False, False, False, False], ""),
    ]
