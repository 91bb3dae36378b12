"""The description of an environment for a language model, including its source without the reward."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from typing import Any

import gymnasium

from eureka.core.errors import ConfigError
from eureka.core.types import TaskSpec
from eureka.trainers.gymnasium.environment import EnvironmentMaker, page_of
from eureka.trainers.gymnasium.page import goal_sentence, without_reward
from eureka.trainers.gymnasium.recipe import NO_LIMIT, time_limit


def describe(maker: EnvironmentMaker, name: str, sentence: str | None, *, show_source: bool) -> TaskSpec:
    """The task's specification.

    Raises:
        ConfigError: there is no text on what the policy should do.
    """
    definition = maker.definition
    env = maker.make()
    try:
        page = page_of(env)
        sentence = sentence or definition.sentence
        identity = definition.recipe.identity
        if not sentence:
            goal = goal_sentence(page)
            example = f"; its page says: {goal}" if goal else ""
            raise ConfigError(f'env={identity}: say what the policy should do: add "description=..."{example}')
        described = without_reward(page) or f"The Gymnasium environment {identity}."
        shown = [described, f"The action space is {env.action_space}."]
        if show_source:
            shown.append(step_without_reward(type(env.unwrapped)))
        return TaskSpec(
            name=name,
            sentence=sentence,
            fields=maker.reader.fields,
            source="\n\n".join(shown),
            control_step_s=_control_step(definition.described, env),
            episode_steps=time_limit(env) or NO_LIMIT,
            metric=maker.metric.spec(definition.described),
        )
    finally:
        env.close()


def _control_step(described: Any, env: gymnasium.Env[Any, Any]) -> float:
    """The control step in seconds: from the file, the environment's `dt`, or its rendering frame rate."""
    given = getattr(described, "control_step_s", None) or getattr(env.unwrapped, "dt", None)
    if isinstance(given, int | float) and given > 0:
        return float(given)
    frames = env.metadata.get("render_fps")
    return 1 / frames if frames else 1.0


# ---- the source of `step` ----------------------------------------------------------------------------------------


def step_without_reward(cls: type[Any]) -> str:
    """The source of a class's `step` without the statements that only feed the reward.

    Omitted are assignments that only influence the second return value of `step`, `if` and `for` statements with only
    such content, docstrings, and entries of `info` whose keys name a reward.

    Raises:
        ConfigError: the source cannot be read.
    """
    try:
        function = ast.parse(textwrap.dedent(inspect.getsource(cls.step))).body[0]
        whole = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    except (OSError, TypeError, SyntaxError) as error:
        raise ConfigError(f"env.show_source=true: the source of {cls.__name__}.step cannot be read: {error}") from error
    assert isinstance(function, ast.FunctionDef)
    elsewhere = {key for key, is_read in _uses_outside(whole, function.name) if is_read}
    names = {key for node in ast.walk(function) for key in _assigned(node)} - elsewhere
    while True:  # repeatedly remove names that something else needs, until nothing changes
        needed = {key for statement in function.body for key in _needed(statement, names)}
        if not names & needed:
            break
        names -= needed
    kept = [each for statement in function.body for each in _kept(statement, names)]
    if ast.get_docstring(function) is not None:
        kept = kept[1:]
    function.body = kept or [ast.Pass()]
    return ast.unparse(ast.fix_missing_locations(function))


def _uses_outside(whole: ast.Module, step: str) -> Iterator[tuple[str, bool]]:
    """Uses of `self.x` in the other functions of the class, and whether the attribute is read there."""
    for node in ast.walk(whole):
        if isinstance(node, ast.FunctionDef) and node.name != step:
            for inner in ast.walk(node):
                if isinstance(inner, ast.Attribute):
                    yield ast.unparse(inner), isinstance(inner.ctx, ast.Load)


def _targets(statement: ast.AST) -> list[ast.expr]:
    if isinstance(statement, ast.Assign):
        return statement.targets
    return [statement.target] if isinstance(statement, ast.AugAssign | ast.AnnAssign) else []


def _assigned(statement: ast.AST) -> list[str]:
    """The plain names and attributes of `self` that a statement assigns; empty if it assigns anything else."""
    targets = _targets(statement)
    plain = all(isinstance(each, ast.Name | ast.Attribute) for each in targets)
    return [ast.unparse(each) for each in targets] if plain else []


def _only_rewards(statement: ast.stmt, names: set[str]) -> bool:
    """Whether a statement only feeds the reward."""
    if isinstance(statement, ast.If | ast.For | ast.While):
        return all(_only_rewards(each, names) for each in [*statement.body, *statement.orelse])
    assigned = _assigned(statement)
    return isinstance(statement, ast.Pass) or (bool(assigned) and set(assigned) <= names)


def _needed(statement: ast.stmt, names: set[str]) -> Iterator[str]:
    """The names that a statement reads for something other than the reward."""
    if _only_rewards(statement, names):
        return
    if isinstance(statement, ast.If | ast.For | ast.While | ast.With):
        heads: list[ast.AST] = [value for value in ast.iter_child_nodes(statement) if not isinstance(value, ast.stmt)]
        for head in heads:
            yield from _loads(head)
        for each in [*statement.body, *getattr(statement, "orelse", [])]:
            yield from _needed(each, names)
        return
    yield from _loads(_shown(statement))


def _loads(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name | ast.Attribute) and isinstance(inner.ctx, ast.Load):
            yield ast.unparse(inner)


def _shown(statement: ast.stmt) -> ast.stmt:
    """A statement without the returned reward and without `info` entries that name one."""
    module: Any = _WithoutRewardEntries().visit(
        ast.parse(
            ast.unparse(statement)
            if not isinstance(statement, ast.Return)
            else f"def f():\n    {ast.unparse(statement)}"
        )
    )
    inner = module.body[0]
    if isinstance(inner, ast.FunctionDef):
        inner = inner.body[0]
        assert isinstance(inner, ast.Return)
        if isinstance(inner.value, ast.Tuple) and len(inner.value.elts) == 5:
            inner.value.elts[1] = ast.Constant(...)
    return inner  # type: ignore[no-any-return]


class _WithoutRewardEntries(ast.NodeTransformer):
    def visit_Dict(self, node: ast.Dict) -> ast.AST:
        pairs = [
            (key, value)
            for key, value in zip(node.keys, node.values, strict=True)
            if not (isinstance(key, ast.Constant) and "reward" in str(key.value))
        ]
        node.keys, node.values = [key for key, _ in pairs], [value for _, value in pairs]
        self.generic_visit(node)
        return node


def _kept(statement: ast.stmt, names: set[str]) -> Iterator[ast.stmt]:
    if _only_rewards(statement, names):
        return
    if isinstance(statement, ast.If | ast.For | ast.While | ast.With):
        statement.body = [each for inner in statement.body for each in _kept(inner, names)] or [ast.Pass()]
        if not isinstance(statement, ast.With):
            statement.orelse = [each for inner in statement.orelse for each in _kept(inner, names)]
        yield statement
    else:
        yield _shown(statement)
