"""Folds a reward graph back into statements: values that are used once go into the expression that uses them.

A value becomes a variable if the candidate named it, if it is used more than once, or if the expression would become
hard to read.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from eureka.core.types import FieldSpec
from eureka.reward.export import operations
from eureka.reward.export.naming import Names, from_text, stem
from eureka.reward.export.operations import TorchCall
from eureka.reward.export.selections import result, selection
from eureka.reward.export.syntax import name, number, source, terms
from eureka.reward.graph.format import Argument, Batch, ConstantRef, Graph, InputRef, Node, NodeRef, Ref, references
from eureka.reward.graph.operations import OPS
from eureka.reward.graph.runtime import evaluate

MAX_COLUMNS = 80
MAX_TERM_COLUMNS = 72
MAX_TERMS = 16
MAX_SELECTIONS = 4
MAX_DEPTH = 20

_BATCH = 7
_LISTS = frozenset({"torch.where", "torch.stack", "torch.cat"})


@dataclass(frozen=True)
class ExportStatement:
    """`target = value`; `own`: the candidate named this value, rather than the export."""

    target: str
    value: ast.expr
    own: bool = False


@dataclass(frozen=True)
class Body:
    """The statements of `compute_reward` with the values of the total and of each component after them."""

    parameters: dict[str, str]
    constants: dict[str, str]
    num_envs: str
    device: str
    statements: tuple[ExportStatement, ...]
    total: ast.expr
    components: tuple[ast.expr, ...]


def fold(graph: Graph, fields: Sequence[FieldSpec]) -> Body:
    """Turn the graph into statements; raises `GraphError` if its shapes do not fit the fields."""
    return _Folder(graph, fields).body()


class _Folder:
    def __init__(self, graph: Graph, fields: Sequence[FieldSpec]) -> None:
        self.graph = graph
        self.state = {
            field.name: torch.empty((_BATCH, *field.shape), dtype=getattr(torch, field.dtype), device="meta")
            for field in fields
        }
        # Shapes and types of every node, which the graph does not carry.
        self.meta: list[Any] = evaluate(graph, self.state, _BATCH, torch.device("meta"))
        self.folded = {index: self._folded_scalars(index, node) for index, node in enumerate(graph.nodes)}
        self.selections = self._find_selections()
        self.uses = self._count_uses()
        own = [node.name for node in graph.nodes if node.name is not None]
        names = self.names = Names(own)
        self.parameters = {field: names.field(field) for field in graph.inputs}
        self.constants = {constant: names.own(constant) for constant in graph.constants}
        self.num_envs, self.device = names.invented("num_envs"), names.invented("device")
        self.own = self._own_names()
        self.wanted = self._wanted_names()
        self.variables: dict[int, str] = {}
        self.depth: dict[int, int] = {}
        self.statements: list[ExportStatement] = []

    def body(self) -> Body:
        """Build the statements from the nodes in order."""
        for index in range(len(self.graph.nodes)):
            if self.uses[index]:
                self._visit(index)
        total = self.value(self.graph.total)
        if not isinstance(total, ast.Name):
            target = self.names.invented("total")
            self.statements.append(ExportStatement(target, total))
            total = name(target)
        components = tuple(self.value(c.value) for c in self.graph.components)
        return Body(
            self.parameters,
            self.constants,
            self.num_envs,
            self.device,
            tuple(self.statements),
            total,
            components,
        )

    # ------------------------------------------------------------------------------------------ what is used where

    def _find_selections(self) -> dict[int, int]:
        """The nodes that are written as a subscript at each use, with the number of subscripts."""
        found: dict[int, int] = {}
        for index, node in enumerate(self.graph.nodes):
            if _selects(node) and (node.name is None or OPS[node.op].outputs != 1):
                (operand,) = self._operands(index)
                depth = found.get(operand.index, 0) + 1 if isinstance(operand, NodeRef) else 1
                if depth <= MAX_SELECTIONS:
                    found[index] = depth
        return found

    def _operands(self, index: int) -> list[Ref]:
        node = self.graph.nodes[index]
        if node.op == "tensor":
            return []
        kept = (argument for key, argument in node.given.items() if key not in self.folded[index])
        return [r for argument in kept for r in references(argument) if isinstance(r, NodeRef | InputRef)]

    def _count_uses(self) -> list[int]:
        """The number of times each node's value is written; a selection is written again at each use."""
        uses = [0] * len(self.graph.nodes)
        for ref in (self.graph.total, *(c.value for c in self.graph.components)):
            if isinstance(ref, NodeRef):
                uses[ref.index] += 1
        for index in range(len(uses) - 1, -1, -1):
            times = uses[index] if index in self.selections else min(uses[index], 1)
            for ref in self._operands(index):
                if isinstance(ref, NodeRef):
                    uses[ref.index] += times
        return uses

    def _own_names(self) -> dict[int, str]:
        """The candidate's names, without those whose variable is reassigned where its value is used, and is used only
        there.

        `total = a + b` and `total = total + c` become `total = a + b + c`.
        """
        consumers = {
            ref.index: index
            for index in range(len(self.graph.nodes))
            for ref in self._operands(index)
            if isinstance(ref, NodeRef) and self.uses[index]
        }
        found: dict[int, str] = {}
        for index, node in enumerate(self.graph.nodes):
            user = index
            while self.uses[user] == 1 and user in consumers and (user == index or not self.graph.nodes[user].name):
                user = consumers[user]
            if node.name is not None and (user == index or self.graph.nodes[user].name != node.name):
                found[index] = node.name
        return found

    def _wanted_names(self) -> dict[int, str]:
        """Names for nodes without a name of the candidate: those of the components, and `total`."""
        wanted: dict[int, str] = {}
        for text, ref in (*((c.name, c.value) for c in self.graph.components), ("total", self.graph.total)):
            identifier = from_text(text)
            if isinstance(ref, NodeRef) and ref.item is None and identifier:
                wanted.setdefault(ref.index, identifier)
        return wanted

    def _tensor(self, ref: Ref) -> torch.Tensor:
        if isinstance(ref, InputRef):
            return self.state[ref.name]
        value: torch.Tensor = self.meta[ref.index] if ref.item is None else self.meta[ref.index][ref.item]
        return value

    def _folded_scalars(self, index: int, node: Node) -> dict[str, Argument]:
        """The operands of a `where` that are constant tensors and equivalent to a plain number."""
        if node.op != "where.self":
            return {}
        given = node.given
        operands = {key: ref for key, ref in given.items() if isinstance(ref, NodeRef | InputRef)}
        found: dict[str, Argument] = {}
        for key in ("self", "other"):
            scalar = self._scalar(operands[key])
            if scalar is not None:
                found[key] = scalar
        kept = {key: self._tensor(ref) for key, ref in operands.items() if key not in found}
        float32 = all(key == "condition" or tensor.dtype == torch.float32 for key, tensor in kept.items())
        same_shape = sum(kept.values(), torch.zeros((), device="meta")).shape == self.meta[index].shape
        return found if float32 and same_shape else {}

    def _scalar(self, ref: Ref) -> Argument:
        """The number that fills a float32 tensor, None if there is none."""
        if not isinstance(ref, NodeRef) or ref.item is not None or self._tensor(ref).dtype != torch.float32:
            return None
        node = self.graph.nodes[ref.index]
        value = node.fill
        if isinstance(value, ConstantRef):
            return value if isinstance(self.graph.constants[value.name], float) else None
        return float(value) if isinstance(value, int | float) else None

    # ------------------------------------------------------------------------------------------ writing

    def value(self, argument: Argument) -> ast.expr:
        """A tensor, a constant, a number or a size as an expression."""
        if isinstance(argument, InputRef):
            return name(self.parameters[argument.name])
        if isinstance(argument, ConstantRef):
            constant = name(self.constants[argument.name])
            return ast.UnaryOp(ast.USub(), constant) if argument.negative else constant
        if isinstance(argument, Batch):
            count = name(self.num_envs)
            return count if argument.multiple == 1 else ast.BinOp(number(argument.multiple), ast.Mult(), count)
        if isinstance(argument, NodeRef):
            return self._node_value(argument)
        assert isinstance(argument, int | float)
        return number(argument)

    def _node_value(self, ref: NodeRef) -> ast.expr:
        node = self.graph.nodes[ref.index]
        if ref.index in self.selections:
            return self._selection(ref.index, ref.item)
        variable = self.variables.get(ref.index)
        value = name(variable) if variable else self._written(ref.index)
        return value if ref.item is None else result(node.op, value, ref.item)

    def _selection(self, index: int, item: int | None) -> ast.expr:
        node = self.graph.nodes[index]
        (operand,) = self._operands(index)
        dims = self._tensor(operand).dim()
        return selection(node.op, node.given, item, self.value(operand), dims)

    def _written(self, index: int) -> ast.expr:
        """The node's operation as an expression, with operands that are not variables inlined."""
        node = self.graph.nodes[index]
        if node.op == "tensor":
            return operations.literal_tensor(node, name(self.device))
        if _selects(node) and OPS[node.op].outputs == 1:
            return self._selection(index, None)
        given = node.given | self.folded[index]
        quotient = self._quotient(node)
        if quotient is not None:
            return quotient
        values = self.meta[index]
        first = values if isinstance(values, torch.Tensor) else values[0]
        dtype = str(first.dtype).removeprefix("torch.")
        return operations.expression(TorchCall(node.op, given, self.value, name(self.device), dtype))

    def _quotient(self, node: Node) -> ast.expr | None:
        """The form `0.5 / x`, which torch itself computes as the reciprocal times 0.5."""
        if node.op != "mul.Tensor":
            return None
        ref, factor = (node.given[key] for key in ("self", "other"))
        if not operations.is_scalar(factor):
            return None
        if not isinstance(ref, NodeRef) or ref.index in self.variables:
            return None
        inverse = self.graph.nodes[ref.index]
        if inverse.op != "reciprocal":
            return None
        divisor = self.value(inverse.args[0])
        return ast.BinOp(self.value(factor), ast.Div(), divisor)

    def _visit(self, index: int) -> None:
        if index in self.selections:
            return
        self._bound_depth(index)
        written = self._written(index)
        while not readable(written):
            split = self._split(index, written)
            if split is None:
                break
            self._assign(split)
            written = self._written(index)
        if index in self.own or self.uses[index] > 1 or _selects(self.graph.nodes[index]):
            self._assign(index)

    def _bound_depth(self, index: int) -> None:
        """Limit the depth of expressions, however short they are."""
        inlined = self._inlined_operands(index)
        for operand in inlined:
            if self.depth[operand] >= MAX_DEPTH:
                self._assign(operand)
        self.depth[index] = 1 + max((self.depth[i] for i in inlined if i not in self.variables), default=0)

    def _split(self, index: int, written: ast.expr) -> int | None:
        """The operand of an operand to make a variable, so that the expression is split into even parts."""
        parts = _parts(written)
        if len(parts) > 1 and (isinstance(written, ast.Call) or len(parts) > MAX_TERMS):
            return self._longest_operand(index)
        half = max(len(source(part)) for part in parts) / 2
        sizes = {i: len(source(self._written(i))) for i in self._inlined(index)}
        sums = {i for i in sizes if len(parts) > 1 and self._is_sum(i)}
        return min(sizes.keys() - sums or sizes, key=lambda i: (abs(sizes[i] - half), i), default=None)

    def _longest_operand(self, index: int) -> int | None:
        sizes = {i: len(source(self._written(i))) for i in self._inlined_operands(index)}
        return max(sizes, key=lambda i: sizes[i], default=None)

    def _inlined_operands(self, index: int) -> list[int]:
        """The operands that are not variables; a selection is replaced by its own operand."""
        found: list[int] = []
        for ref in self._operands(index):
            while isinstance(ref, NodeRef) and ref.index in self.selections:
                (ref,) = self._operands(ref.index)
            if isinstance(ref, NodeRef) and ref.index not in self.variables and ref.index not in found:
                found.append(ref.index)
        return found

    def _is_sum(self, index: int) -> bool:
        return self.graph.nodes[index].op in ("add.Tensor", "sub.Tensor")

    def _inlined(self, index: int) -> set[int]:
        """The nodes whose operations are inlined in this one's expression."""
        found: set[int] = set()
        waiting = [index]
        while waiting:
            for ref in self._operands(waiting.pop()):
                if isinstance(ref, NodeRef) and ref.index not in self.variables:
                    waiting.append(ref.index)
                    if ref.index not in self.selections:
                        found.add(ref.index)
        return found

    def _assign(self, index: int) -> None:
        """Make a node's value a variable."""
        own = index in self.own
        if own:
            target = self.names.own(self.own[index])
        else:
            target = self.names.invented(self.wanted.get(index) or stem(self.graph.nodes[index].op))
        self.statements.append(ExportStatement(target, self._written(index), own))
        self.variables[index] = target


def _selects(node: Node) -> bool:
    return node.op in OPS and OPS[node.op].selects


def _parts(expression: ast.expr) -> list[ast.expr]:
    """The parts that are put on separate lines in a long expression: terms of a sum, arguments of a where."""
    if isinstance(expression, ast.Call) and source(expression.func) in _LISTS:
        return [e for a in expression.args for e in (a.elts if isinstance(a, ast.List) else [a])]
    return [part for _, part in terms(expression)]


def readable(expression: ast.expr) -> bool:
    """Whether an expression is short, or a list of short ones: a sum, a `torch.where`, a `torch.stack`."""
    if len(source(expression)) <= MAX_COLUMNS:
        return True
    parts = _parts(expression)
    few = len(parts) <= MAX_TERMS or isinstance(expression, ast.Call)
    return len(parts) > 1 and few and all(len(source(part)) <= MAX_TERM_COLUMNS for part in parts)
