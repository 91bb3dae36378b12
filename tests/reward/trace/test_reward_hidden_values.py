"""What a candidate could decide on unseen: sizes of the batch, addresses, settings of the process, things it keeps.

Each of these does nothing that shows on the recorded states: only after so many calls, or with so many environments.
"""

import re

import pytest
import torch
from reward_helpers import InProcess, candidate, states

from eureka.core.types import Candidate, FieldSpec, Rejected, Reward
from eureka.reward.trace.child import Tracer
from eureka.reward.trace.service import RewardVerifier

SIZES = [
    "int(up_proj.shape[0])",
    "len(str(up_proj.shape[0]))",
    "{512: 1}.get(up_proj.shape[0], 2)",
    "up_proj.shape[0] & 1023",
    "up_proj.shape[0] >> 9",
    "divmod(up_proj.shape[0], 600)[0]",
    "math.ceil(up_proj.shape[0] / 512)",
    "math.prod(dof_pos.shape)",
    "dof_pos.shape[:1].numel()",
    "up_proj.shape[0].bit_length()",
    "up_proj.__len__()",
    "len([0] * up_proj.shape[0])",
    "len(range(up_proj.shape[0]))",
    "len(list(up_proj))",
    "len(up_proj.unbind())",
    "len(dof_pos.split(100))",
    "len(torch.chunk(dof_pos, 100, dim=0))",
    "max(i for i, _ in enumerate(up_proj))",
    "dof_pos.T.contiguous().stride(0)",
    "up_proj.nbytes",
    "math.log2(up_proj.shape[0])",
    "math.sqrt(up_proj.shape[0] / 2)",
    "math.gcd(up_proj.shape[0], 1024)",
    "math.isclose(up_proj.shape[0] / 1, 600.0)",
    "len(f'{dof_pos.shape}')",
    "len(str(dof_pos.shape[:1] + (3,)))",
    "len('%d' % up_proj.shape[0])",
    "len('%s' % (up_proj.shape,))",
    "len(bin(up_proj.shape[0]))",
    "up_proj.shape[0].real",
    "np.log2(up_proj.shape[0])",
    "np.int64(up_proj.shape[0])",
    "np.array(up_proj.shape)[0]",
    "np.shape(up_proj)[0]",
    "len(np.zeros(up_proj.shape[0]))",
    "len([0][:up_proj.shape[0]])",
    "len('a'.ljust(up_proj.shape[0]))",
    "len(list(itertools.repeat(0, up_proj.shape[0])))",
    "list(map(int, up_proj.shape))[0]",
    "operator.index(up_proj.shape[0])",
    "operator.length_hint(up_proj)",
    "float.__float__(up_proj.shape[0] / 2)",
    "len(f'{torch.Size(up_proj.shape)}')",
    "len(string.Formatter().format('{}', up_proj.shape[0]))",
    "functools.singledispatch(torch.numel)(up_proj)",
    "getattr(up_proj, 'shape')[0]",
    "torch.distributions.Normal(up_proj, 1.0).batch_shape[0]",
    "(up_proj.shape[0] * 0 + 600) - up_proj.shape[0]",
    "up_proj.shape[0] // 600",
    "torch.sym_int(up_proj.shape[0])",
    "len(torch.split(torch.zeros(1000), up_proj.shape[0]))",
    "torch.arange(5)[: up_proj.shape[0]].shape[0]",
    "torch.zeros(5, 5).diagonal(up_proj.shape[0]).numel()",
    "slice(up_proj.shape[0]).indices(2000)[1]",
]
OF_TENSORS = [
    "torch.ones(up_proj.shape[0]).sum().item()",
    "len(torch.zeros_like(up_proj).tolist())",
    "up_proj[1000:].shape[0]",
    "up_proj[:1000].shape[0]",
    "up_proj[-1000:].numel()",
    "torch.cat([up_proj, up_proj[:1]]).shape[0]",
    "dof_pos.topk(20, 0).values.shape[0]",
    "np.from_dlpack(up_proj).shape[0]",
    "torch._shape_as_tensor(up_proj)[0].item()",
    "torch.ops.aten.sym_size.int(up_proj, 0)",
    "[torch._C.DisableTorchFunction().__enter__(), up_proj.shape[0]][1]",
    "[f for f in (attempt,)][0].__globals__['np'].shape(up_proj)[0]",
    "attempt(lambda: up_proj[1000])",
    "attempt(lambda: torch.zeros(7) + up_proj)",
]
KEPT = {
    "n = bytearray(1)": "m = n\n    m[0] += 1\n    calls = m[0]",
    "n = memoryview(bytearray(1))": "m = n\n    m[0] += 1\n    calls = m[0]",
    "n = torch.nn.Module()\nn.calls = 0": "m = n\n    m.calls += 1\n    calls = m.calls",
    "import functools\nn = functools.partial(lambda kept: kept.append(1) or len(kept), [])": "calls = n()",
    "import functools\n@functools.lru_cache\ndef n(x):\n    return x": "n(1)\n    calls = n.cache_info().hits",
    "n = 0": "t = torch\n    t.calls = getattr(t, 'calls', 0) + 1\n    calls = t.calls",
    "n = 1": "torch.manual_seed(torch.initial_seed() + 1)\n    calls = 1",
    "import numpy as np": "calls = np.random.rand()",
    "n = 2": "calls = id(up_proj)",
    "n = 3": "calls = hash(up_proj)",
    "n = 4": (
        "try:\n        assert up_proj.max() < 1e6\n        calls = 1\n    except AssertionError:\n        calls = 2"
    ),
}
KEPT |= {
    "import warnings\nn = 5": "warnings.filters.append(None)\n    calls = len(warnings.filters)",
    "import warnings\nn = 6": "f = warnings.filters\n    f.append(None)\n    calls = len(f)",
    "n = 7": "operator.setitem(getattr(torch, '__di' + 'ct__'), 'n', 1)\n    calls = torch.n",
    "import functools\n@functools.lru_cache\ndef m(x):\n    return x": (
        "m(1)\n    calls = getattr(m, 'cache_' + 'info')().hits"
    ),
}
#: What leads to the interpreter by a name that no text of the source has, or by a module that another one imports.
BUILT = [
    "getattr(torch, '_' + 'shape_as_tensor')(up_proj)[0].item()",
    "operator.attrgetter('_' + 'shape_as_tensor')(torch)(up_proj)[0].item()",
    "getattr(operator, 'attr' + 'getter')('_' + 'shape_as_tensor')(torch)(up_proj)[0].item()",
    "string.Formatter().get_field('0._' + 'shape_as_tensor', (torch,), {})[0](up_proj)[0].item()",
    "getattr(string.Formatter(), 'get_' + 'field')('0._' + 'shape_as_tensor', (torch,), {})[0](up_proj)[0].item()",
    "list(map(getattr, [torch], ['_' + 'shape_as_tensor']))[0](up_proj)[0].item()",
    "getattr(attempt, '__glo' + 'bals__')['np'].shape(up_proj)[0]",
    "len(getattr(type(up_proj), '__sub' + 'classes__')())",
    "[eval][0]('up_proj' + '.shape')[0]",
    "next(map(id, [up_proj]))",
    "len(warnings.sys.modules)",
    "len(getattr(warnings, 's' + 'ys').modules)",
    "len(collections._sys.modules)",
    "len(getattr(collections, '_' + 'sys').modules)",
    "dataclasses.inspect.currentframe().f_lineno",
    "len(torch.os.environ)",
    "torch.threading.get_ident()",
    "torch.get_num_threads()",
    "typing.get_type_hints(attempt, None, {})",
]
USUAL = [
    "torch.zeros(int(up_proj.shape[0])) + torch.ones(dof_pos.shape[:1] + (3,)).sum(-1)",
    "sum(column for column in dof_pos.T)",
    "sum(dof_pos.unbind(-1)) + sum(half.sum(-1) for half in dof_pos.chunk(2, dim=1))",
    "sum(dof_pos[:, i] for i in range(dof_pos.shape[1]))",
    "math.sqrt(dof_pos.shape[1]) * dof_pos.new_zeros(up_proj.shape) + math.pi * torch.ones(dof_pos.shape).mean(-1)",
    "up_proj.expand(dof_pos.shape[1], *up_proj.shape).mean(0) + len('%d' % dof_pos.shape[1] + f'{up_proj.dim()}')",
    "torch.ones(torch.broadcast_shapes(up_proj.shape, dof_pos[:, 0].shape)) * (up_proj.shape == dof_pos.shape[:1])",
    "getattr(torch, 'cla' + 'mp')(getattr(math, 'p' + 'i') * torch.nn.functional.relu_(up_proj * np.pi), 0, 1)",
    "np.append([1.0], [2.0]).sum() * functools.reduce(torch.add, [up_proj, up_proj]) * sum(map(len, ['ab']))",
    "torch.zeros(2 * len(up_proj)).view(len(up_proj), 2).sum(-1) + dof_pos.numel() / dof_pos.numel()",
]


ATTEMPT = """
def attempt(f):
    try:
        f()
        return 1
    except Exception as error:
        return len(str(error))
"""


def source(before: str, line: str, factor: str, more: tuple[str, ...] = ()) -> str:
    modules = ("functools", "itertools", "math", "operator", "string", "numpy as np", "torch", *more)
    return (
        "".join(f"import {name}\n" for name in modules) + f"{before}\n"
        f"def compute_reward(up_proj, dof_pos):\n    {line}\n    r = up_proj * ({factor})\n    return r, {{'r': r}}\n"
    )


@pytest.mark.parametrize("size", SIZES)
def test_nothing_decides_on_the_number_of_environments(verifier, size):
    found = verifier.verify(candidate(source("", f"size = {size}", "2.0 if size > 1000000 else 1.0")))
    assert isinstance(found, Rejected), found
    said = "(number of environments|environments apart|over the environments|in memory)"
    assert re.match(rf"line 1[01]: .*{said}", found.feedback)


@pytest.mark.parametrize("size", OF_TENSORS)
def test_nothing_decides_on_what_the_number_of_environments_does_to_a_tensor(verifier, size):
    found = verifier.verify(candidate(source(ATTEMPT, f"size = {size}", "2.0 if size > 1000000 else 1.0")))
    assert isinstance(found, Rejected), found
    said = "reads a number|reads numbers|number of environments|numpy|it reaches for|an error of torch"
    assert re.match(rf"line \d+: .*({said})", found.feedback)


@pytest.mark.parametrize("many", [1, 512])
def test_a_state_has_the_same_reward_alone_and_in_a_training(many):
    """Whatever no rule knows of shows there."""
    tracer = Tracer(source("", f"factor = 2.0 if len(up_proj) == {many} else 1.0", "factor"), ("up_proj", "dof_pos"))
    state = {name: states(128)[name] for name in ("up_proj", "dof_pos")}
    total = state["up_proj"]
    assert f"with {many} environments than with 128" in tracer.uneven(state, (total, {"r": total}), 512).message


@pytest.mark.parametrize("columns", [53, 61, 53 * 61])
def test_the_size_of_a_field_is_a_number_whatever_it_is(columns):
    field = FieldSpec("wide", (columns,), "float32", "", "", "")
    verifier = RewardVerifier((field,), {"wide": torch.rand(128, columns)}, InProcess(), 256)
    code = "def compute_reward(wide):\n    r = wide.sum(-1) / wide.shape[1] if wide.shape[1] > 50 else wide[:, 0]\n"
    assert isinstance(verifier.verify(Candidate("g01-c01", f"{code}    return r, {{'r': r}}\n", ("wide",))), Reward)


@pytest.mark.parametrize("before", KEPT)
def test_nothing_is_kept_that_shows_later(verifier, before):
    found = verifier.verify(candidate(source(before, KEPT[before], "2.0 if calls > 1000000 else 1.0")))
    assert isinstance(found, Rejected), found
    assert re.search("from one call to the next|it calls|it reaches for|by an `assert`", found.feedback)


@pytest.mark.parametrize("value", BUILT)
def test_the_interpreter_is_not_reached_by_names_built_at_run_time(verifier, value):
    more = ("collections", "dataclasses", "typing", "warnings")
    found = verifier.verify(candidate(source(ATTEMPT, f"n = {value}", "2.0 if n == 1000000 else 1.0", more)))
    assert isinstance(found, Rejected), found
    assert re.match(r"line \d+: .*(it reaches for|it calls)", found.feedback)


def test_star_imports_and_submodules_are_as_in_python(verifier):
    code = (
        "from math import *\nimport torch.nn.functional as F\nfrom torch import Tensor, nn\nimport torch as th\n"
        "def compute_reward(up_proj, dof_pos):\n"
        "    r = sqrt(4.0) * F.relu(up_proj) + th.clamp(nn.functional.elu(up_proj), 0, pi)\n"
        "    return (r if isinstance(r, Tensor) and hasattr(th, 'linalg') else None), {'r': r}\n"
    )
    assert isinstance(verifier.verify(candidate(code)), Reward)


@pytest.mark.parametrize("value", USUAL)
def test_what_people_write_about_sizes_is_fine(verifier, value):
    found = verifier.verify(candidate(source("", f"value = {value}", "value")))
    assert isinstance(found, Reward), found
