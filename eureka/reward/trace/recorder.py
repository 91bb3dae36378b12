"""Records a candidate's function as pure tensor operations.

The function runs on real tensors under `torch.func.functionalize`, which turns writes in place into new values, so
that the dispatcher hands every operation to `Recorder` as a pure call. Views, copies and no-ops are resolved on the
way; what is random, depends on values, or is not in the table ends the recording at the candidate's line.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch._decomp import decomposition_table
from torch.utils._python_dispatch import TorchDispatchMode

from eureka.reward.graph.format import MAX_NODES, MAX_TENSOR_VALUES, DType, InputRef, Node, NodeRef, Ref
from eureka.reward.graph.operations import DTYPES, OPS, RowRule
from eureka.reward.graph.rows import Form, mixes_rows
from eureka.reward.trace.explain import TraceFailure
from eureka.reward.trace.recorded import ODD_SIZE, Literal, Recorded, RecordedOperation, operation_name, refs_in
from eureka.reward.trace.resolvers import RESOLVERS, dtype_of, is_last
from eureka.reward.trace.source import NamedFloat, NamedInt

aten = torch.ops.aten


_SAME = frozenset({"alias", "detach", "clone", "lift_fresh", "lift_fresh_copy", "contiguous"})
_VIEWS = frozenset({"view", "_unsafe_view", "expand", "slice.Tensor", "squeeze", "squeeze.dim", "squeeze.dims"})
_ZEROS = frozenset(
    [
        "zero",
        "zeros_like",
        "new_zeros",
        "empty.memory_format",
        "empty_like",
        "empty_strided",
        "new_empty",
        "new_empty_strided",
    ]
)
_ALIASES = {"_unsafe_view": "view", "remainder.Scalar_Tensor": "remainder.Tensor"} | {
    f"{base}.Scalar{mode}": f"{base}.Tensor{mode}"
    for base in ("add", "sub", "mul", "div", "bitwise_and", "bitwise_or", "bitwise_xor")
    for mode in ("", "_mode")
}
# : Raises for probabilities outside [0, 1], which would end a training; its parts do not.
_IN_PARTS = frozenset({"binary_cross_entropy"})


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """The operations of one run. `line` and `named` are set by `Watch` before every call of the candidate's code.

    `counts` says that sizes of the batch are `Counted` for the code that is recorded; `sizes` are all that it read, in
    order; `caught` is the line of the first call of torch that raised an error.
    """

    def __init__(self, inputs: dict[str, torch.Tensor], counts: bool = True) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.counts = counts
        self.caught: int | None = None
        self.sizes: list[int | tuple[int, ...]] = []
        self.entries: list[RecordedOperation] = []
        self.line: int | None = None
        self.named: dict[tuple[type, float], NamedFloat | NamedInt | None] = {}
        self.failure: TraceFailure | None = None
        self.num_envs = next(iter(inputs.values())).shape[0]
        self._refs: dict[int, Ref] = {id(value): InputRef(name) for name, value in inputs.items()}
        self._tensors: dict[Ref, torch.Tensor] = {InputRef(name): value for name, value in inputs.items()}
        self._constants: dict[int, bool] = {}
        self._alive: list[Any] = list(inputs.values())
        self._viewed: set[int] = set()
        self._numbers: dict[Any, int] = {}
        self._probed: torch.Tensor | None = None
        self._probing = False

    def fail(self, message: str, remedy: str = "") -> TraceFailure:
        """The failure to raise; the first one is kept even if the candidate's code catches it."""
        failure = TraceFailure(message, remedy, self.line)
        self.failure = self.failure or failure
        return failure

    def ref(self, tensor: torch.Tensor) -> Ref:
        """The recorded value of a tensor as the candidate's code sees it."""
        # The dispatcher unwraps functionalize's wrapper for us on the way to `__torch_dispatch__`.
        self._probing = True
        aten.alias.default(tensor)
        self._probing = False
        assert self._probed is not None
        return self.encode(self._probed)

    def bind(self, name: str, tensor: torch.Tensor) -> None:
        """Record that this tensor was assigned to a variable."""
        ref = self.ref(tensor)
        if isinstance(ref, NodeRef) and ref.item is None and self.entries[ref.index].name is None:
            self.entries[ref.index].name = name

    def values(self, tensor: torch.Tensor) -> torch.Tensor | None:
        """The values of a tensor that does not depend on State fields, None for any other."""
        ref = self.ref(tensor)
        if not self._is_constant(ref) or (self.counts and any(map(self._is_sized, self._history(ref)))):
            return None
        return self._probed

    def read_size(self, tensor: torch.Tensor, size: Any) -> None:
        """Note a size that is read; raise if the tensor was cut or joined along the environments: it would tell their
        number."""
        self.sizes.append(size)
        if any(map(self._mixes_rows, self._history(self.ref(tensor)))):
            raise self.fail(*ODD_SIZE)

    def _history(self, ref: Ref) -> Iterator[int]:
        """The operations that a value was computed by."""
        todo, seen = [ref], set[int]()
        while todo:
            ref = todo.pop()
            if isinstance(ref, NodeRef) and ref.index not in seen:
                seen.add(ref.index)
                yield ref.index
                entry = self.entries[ref.index]
                todo += [r for a in (*entry.args, *(value for _, value in entry.kwargs)) for r in refs_in(a)]

    def _is_sized(self, index: int) -> bool:
        """Whether an operation is given the number of environments."""
        entry = self.entries[index]
        return any(map(self._holds_size, (entry.args, *(value for _, value in entry.kwargs))))

    def _holds_size(self, argument: Recorded) -> bool:
        if isinstance(argument, tuple):
            return any(map(self._holds_size, argument))
        return type(argument) is int and argument > 0 and argument % self.num_envs == 0

    def _mixes_rows(self, index: int) -> bool:
        entry = self.entries[index]
        if entry.op not in OPS or OPS[entry.op].rows is RowRule.NONE:
            return False
        node = Node(entry.op, entry.args, entry.kwargs)  # type: ignore[arg-type]
        return mixes_rows(node, [self._form(ref) for ref in node.tensors], [self._form(NodeRef(index))])

    def _form(self, ref: Ref) -> Form:
        tensor = self._tensors[ref] if ref in self._tensors else self._tensors[NodeRef(ref.index, 0)]  # type: ignore[union-attr]
        return Form(tensor, next((dim for dim, size in enumerate(tensor.shape) if self._holds_size(size)), None))

    def _is_constant(self, ref: Ref) -> bool:
        if not isinstance(ref, NodeRef):
            return False
        todo = [ref.index]
        while todo:
            index = todo[-1]
            entry = self.entries[index]
            used = [r for a in (*entry.args, *(value for _, value in entry.kwargs)) for r in refs_in(a)]
            nodes = [r.index for r in used if isinstance(r, NodeRef)]
            unknown = [i for i in nodes if i not in self._constants]
            if unknown:
                todo += unknown
                continue
            self._constants[index] = len(nodes) == len(used) and all(self._constants[i] for i in nodes)
            todo.pop()
        return self._constants[ref.index]

    # ------------------------------------------------------------------------------------------ dispatch

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if self._probing:
            self._probed = args[0]
            return func(*args, **kwargs)
        name = operation_name(func)
        self._refuse(func, name)
        if func._schema.is_mutable:
            return self._in_place(func, name, args, kwargs)
        if name == "_is_all_true" and self._known(args[0]):
            return func(*args, **kwargs)
        if not (_ALIASES.get(name, name) in OPS or name in _SAME | _ZEROS or name in RESOLVERS):
            if name in _IN_PARTS:
                with self:
                    return decomposition_table[func](*args, **kwargs)
            if not func._can_decompose():
                raise self.fail(
                    f"`{name.partition('.')[0].strip('_')}` is not among the operations that a reward may use",
                    "Write it with elementwise operations, torch.where, sums over dim=-1 and fixed slices.",
                )
            with self:
                return func.decompose(*args, **kwargs)
        result = func(*args, **kwargs)
        self._alive.append((args, result))
        self._note(func, name, args, kwargs, result)
        return result

    def _known(self, tensor: torch.Tensor) -> bool:
        return self._is_constant(self.encode(tensor))

    def _refuse(self, func: Any, name: str) -> None:
        if torch.Tag.nondeterministic_seeded in func.tags:
            raise self.fail(
                "it draws random numbers", "A reward must be the same for the same state: remove the noise."
            )
        if torch.Tag.data_dependent_output in func.tags:
            raise self.fail("it reads a number out of a tensor", "Stay in tensors: use torch.where(condition, a, b).")
        if torch.Tag.dynamic_output_shape in func.tags:
            raise self.fail(
                "it makes a tensor whose size depends on values",
                "Keep all environments: use torch.where(mask, a, b), or multiply by mask.float().",
            )
        if name.startswith(("index.", "index_put", "gather", "scatter", "index_select", "take", "_index_put")):
            raise self.fail(
                "it indexes by computed integers",
                "Use fixed slices (x[:, 0], x[:, [0, 2]]), torch.where, or a one-hot mask and a sum.",
            )

    def _in_place(self, func: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Handle a write in place inside a composite kernel, below functionalize: allowed on its own fresh tensor
        only."""
        base, _, overload = name.partition(".")
        pure = getattr(getattr(aten, base.removesuffix("_"), None), overload or "default", None)
        if not base.endswith("_") or pure is None or id(args[0]) in self._viewed:
            raise self.fail(f"`{base}` is not among the operations that a reward may use", "Write it without `out=`.")
        before = args[0].shape
        result = func(*args, **kwargs)
        self._note(pure, operation_name(pure), args, kwargs, result, before)
        return result

    def _note(
        self,
        func: Any,
        name: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        result: Any,
        shape: torch.Size | None = None,
    ) -> None:
        """Give every tensor of `result` its ref, recording an entry unless the value is recorded already.

        `shape` is that of the first argument before a write in place.
        """
        schema = func._schema
        given = dict(zip((a.name for a in schema.arguments), args, strict=False)) | kwargs
        if name in _SAME or (name == "_to_copy" and given.get("dtype") in (None, given["self"].dtype)):
            self._refs[id(result)] = self.encode(given["self"])
            return
        if name == "permute" and list(args[1]) == list(range(result.dim())):
            self._refs[id(result)] = self.encode(given["self"])
            return
        if name in _VIEWS and result.shape == (shape or given["self"].shape) and given.get("step", 1) == 1:
            self._refuse_part(name, given)
            self._refs[id(result)] = self.encode(given["self"])
            return
        if any(r.alias_info is not None for r in schema.returns):
            self._viewed.add(id(args[0]))
        resolve = RESOLVERS.get(name)
        ref = resolve(self, given, result) if resolve else None
        if ref is not None:
            self._refs[id(result)] = ref
            self._tensors.setdefault(ref, result)
            return
        if name in _ZEROS:
            index = self.entry("zeros", (tuple(result.shape),), (("dtype", dtype_of(result)),))
        else:
            index = self._call(_ALIASES.get(name, name), given, result)
        if isinstance(result, torch.Tensor):
            self._know(result, NodeRef(index))
        else:
            for item, tensor in enumerate(result):
                self._know(tensor, NodeRef(index, item))

    def _know(self, tensor: torch.Tensor, ref: NodeRef) -> None:
        self._refs[id(tensor)] = ref
        self._tensors.setdefault(ref, tensor)

    def _refuse_part(self, name: str, given: dict[str, Any]) -> None:
        """Raise for a slice that is all of the few environments here, and a part of many."""
        size, start, end = given["self"].shape, given.get("start"), given.get("end")
        if name != "slice.Tensor" or not self.counts or not self._holds_size(size[given.get("dim", 0)]):
            return
        if start or not (end is None or is_last(end) or end <= size[given.get("dim", 0)]):
            raise self.fail(
                "it takes a fixed number of environments",
                "Keep the first dimension, num_envs, whole: x[:, 0], not x[0].",
            )

    def _call(self, name: str, given: dict[str, Any], result: Any) -> int:
        if OPS[name].takes_device:
            given = given | {"dtype": result.dtype}
        args: list[Recorded] = []
        kwargs: list[tuple[str, Recorded]] = []
        for parameter in OPS[name].parameters:
            if parameter.name not in given:
                continue
            value = self._encode(given[parameter.name], parameter.kind)
            if isinstance(value, Literal) and parameter.kind == "Tensor" and parameter.name != "other":
                value = self._scalar(value)
            # Slices to the end have the largest integer as their end.
            if name in ("slice.Tensor", "slice_scatter") and parameter.name == "end" and is_last(value):
                value = None
            if parameter.keyword_only or len(args) < OPS[name].parameters.index(parameter):
                kwargs.append((parameter.name, value))
            else:
                args.append(value)
        return self.entry(name, tuple(args), tuple(kwargs))

    def _scalar(self, number: Literal) -> NodeRef:
        """A tensor of one number, as in `1.0 // x`."""
        dtype = DType("int64" if isinstance(number.value, int) else "float32")
        return NodeRef(self.entry("scalar_tensor", (number,), (("dtype", dtype),)))

    def entry(self, op: str, args: tuple[Recorded, ...], kwargs: tuple[tuple[str, Recorded], ...] = ()) -> int:
        """The index of this operation; an equal earlier one is reused."""
        key = (op, repr(args), repr(kwargs))
        if key not in self._numbers:
            if len(self.entries) >= MAX_NODES:
                raise self.fail(f"it takes more than {MAX_NODES} operations", "Replace loops by operations on tensors.")
            self._numbers[key] = len(self.entries)
            self.entries.append(RecordedOperation(op, args, kwargs, self.line))
        return self._numbers[key]

    # ------------------------------------------------------------------------------------------ encoding

    def _encode(self, value: Any, kind: str) -> Recorded:
        if isinstance(value, torch.Tensor):
            return self.encode(value)
        if isinstance(value, torch.dtype):
            if value not in DTYPES.values():
                raise self.fail(f"it uses the type {value}", "Use float32, int64 or bool.")
            return DType(str(value).removeprefix("torch."))
        if isinstance(value, list | tuple):
            return tuple(self._encode(element, kind) for element in value)
        if isinstance(value, bool) or value is None or isinstance(value, str):
            return value
        return self.literal(value) if kind in ("Tensor", "number", "float") else int(value)

    def literal(self, value: float) -> Literal:
        """A number as a literal, with the name of its constant in the current call."""
        source = self.named.get((type(value), value))
        return Literal(value) if source is None else Literal(value, source.name, source.negative)

    def encode(self, tensor: torch.Tensor) -> Ref:
        """The recorded value of a tensor as the dispatcher sees it; a literal if it was not computed."""
        ref = self._refs.get(id(tensor))
        if ref is None:
            self._alive.append(tensor)
            ref = NodeRef(self._constant(tensor))
            self._know(tensor, ref)
        return ref

    def _constant(self, tensor: torch.Tensor) -> int:
        if tensor.numel() > MAX_TENSOR_VALUES or tensor.dtype not in DTYPES.values():
            raise self.fail(
                f"it uses a tensor of shape {tuple(tensor.shape)}, type {tensor.dtype}, that is no field of the state",
                f"Constant tensors have at most {MAX_TENSOR_VALUES} real numbers.",
            )
        # This call is ours, not the candidate's, so `Watch` must not see it.
        with torch._C.DisableTorchFunction():
            values = tensor.detach().flatten().tolist()
        if tensor.dim() == 0:
            value = values[0] if isinstance(values[0], bool) else self.literal(values[0])
            return self.entry("scalar_tensor", (value,), (("dtype", dtype_of(tensor)),))
        literal = tuple(v if isinstance(v, bool) else Literal(v) for v in values)
        return self.entry("tensor", (literal, tuple(tensor.shape)), (("dtype", dtype_of(tensor)),))
