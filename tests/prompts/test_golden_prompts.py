"""The exact prompts, as a person would read them.

After a deliberate change of wording write the golden files anew with `python tests/prompts/test_golden_prompts.py` and
read the difference.
"""

from pathlib import Path

import jinja2
import pytest

from eureka.prompts import render_prompt
from eureka.prompts.render import fenced, number, numbers
from eureka.types import ComponentReflection, FieldSpec, Prompt, PromptFacts, Reflection, Rejected, Stage

GOLDEN = Path(__file__).parent / "golden"

STATE = (
    FieldSpec("hand_position", (3,), "float32", "m", "world", "centre of the palm"),
    FieldSpec("cup_upright", (), "float32", "1", "world", "z of the cup's axis: 1 upright"),
    FieldSpec("holding", (), "bool", "", "", "whether the cup is held"),
)
ENVIRONMENT = '''def terminated(self, state):
    """Ends when the cup falls over."""
    return state.cup_upright < 0.2
'''
SOURCE = """import torch


def compute_reward(cup_upright: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    upright_weight = 0.5
    upright = upright_weight * cup_upright
    bonus = torch.zeros_like(upright)
    total = upright + bonus
    return total, {"upright": upright, "bonus": bonus}
"""
REFLECTION = Reflection(
    candidate_id="g01-c02",
    source=SOURCE,
    steps=(10000, 20000, 30000),
    metric_points=(0.0, 0.125, 0.25),
    metric_max=0.26,
    metric_final=0.25,
    episode_length_points=(12.0, 340.5, 1000.0),
    total_points=(0.1, 0.2, 0.4567),
    components=(
        ComponentReflection(
            name="upright",
            points=(0.1, 0.2, 0.4567),
            mean=0.25,
            minimum=-0.5,
            maximum=0.5,
            std=0.125,
            variance_share=1.0,
            active_fraction=0.998,
            metric_correlation=0.3,
        ),
        ComponentReflection(
            name="bonus",
            points=(0.0, 0.0, 0.0),
            mean=0.0,
            minimum=0.0,
            maximum=0.0,
            std=0.0,
            variance_share=0.0,
            active_fraction=0.0,
            metric_correlation=None,
        ),
    ),
)
REJECTED = (
    Rejected("g01-c01", Stage.TRACE, "It branches.", "line 5: `if holding.any()`: use torch.where."),
    Rejected("g01-c03", Stage.EXTRACT, "No code.", "The answer holds no Python code, only prose."),
    Rejected("g01-c04", Stage.TRACE, "It branches.", "line 5: `if holding.any()`: use torch.where."),
)


def facts(generation: int, reflection: Reflection | None = None, rejected: tuple[Rejected, ...] = ()) -> PromptFacts:
    return PromptFacts("cup", 0, generation, STATE, reflection, rejected)


CASES = {
    "first_generation": facts(1),
    "reflection": facts(2, REFLECTION),
    "partly_rejected": facts(2, REFLECTION, REJECTED),
    "all_failed": facts(2, rejected=REJECTED),
}


def rendered(case: PromptFacts, description: str = "Lift the cup without spilling.") -> Prompt:
    return render_prompt(description=description, environment_source=ENVIRONMENT, facts=case)


def as_text(prompt: Prompt) -> str:
    return "\n".join(f"=== {m.role} ===\n{m.content}" for m in prompt.messages) + "\n"


@pytest.mark.parametrize("name", CASES)
def test_prompt_is_the_golden_one(name: str) -> None:
    assert as_text(rendered(CASES[name])) == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


def test_messages_carry_the_facts_and_share_their_stable_prefix() -> None:
    first, later = rendered(CASES["first_generation"]), rendered(CASES["partly_rejected"])
    assert first.facts is CASES["first_generation"]
    assert [m.role for m in first.messages] == ["system", "user"]
    assert first.messages[0] == later.messages[0]
    stable = first.messages[1].content.removesuffix("Write the reward function for this task.")
    assert len(stable) > 500
    assert later.messages[1].content.startswith(stable)


def test_text_passes_through_unharmed() -> None:
    """Any language, Jinja's own syntax, HTML and code fences are data, not markup."""
    odd = "컵을 엎지르지 말고 들어 올리세요 {{ 7 * 7 }} {% if %} <b>&amp;</b> `x`"
    source = 'def f():\n    """```python\n    {{ nothing }}\n    ```"""\n'
    case = facts(2, rejected=(Rejected("g01-c01", Stage.TRACE, "", "줄 3: {{ x }} <tensor>"),))
    content = render_prompt(description=odd, environment_source=source, facts=case).messages[1].content
    assert odd in content
    assert f"````python\n{source}````" in content
    assert "줄 3: {{ x }} <tensor>" in content


def test_equal_errors_are_told_once_and_many_are_cut() -> None:
    many = tuple(Rejected(f"g01-c{i:02d}", Stage.TRACE, "", f"error {i}") for i in range(1, 11))
    content = rendered(facts(2, rejected=many + REJECTED[:1] + REJECTED[2:])).messages[1].content
    assert "error 8" in content
    assert "error 9" not in content
    assert "(3 more errors are left out.)" in content


def test_a_missing_value_is_an_error_not_a_blank() -> None:
    from eureka.prompts.render import _environment

    with pytest.raises(jinja2.UndefinedError):
        _environment().get_template("user.jinja2").render(description="x")


def test_numbers_are_short() -> None:
    values = [0.0, -0.0, 0.123456, 1234.5, 123456789.0, 1e-7, float("nan"), None]
    assert [number(v) for v in values] == ["0", "0", "0.123", "1234", "1.23e+08", "1e-07", "nan", "undefined"]
    assert numbers((0.5, 2000.0)) == "[0.5, 2000]"
    assert fenced("a") == "```\na\n```"


if __name__ == "__main__":
    for name, case in CASES.items():
        (GOLDEN / f"{name}.txt").write_text(as_text(rendered(case)), encoding="utf-8")
