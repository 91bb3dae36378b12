"""What a candidate could decide on unseen: sizes of the batch, addresses, settings of the process, things it keeps.

Each of these does nothing that shows on the recorded states: only after so many calls, or with so many environments.
"""

import re

import pytest
from reward_helpers import candidate

from eureka.core.types import Rejected, Reward

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
USUAL = [
    "torch.zeros(int(up_proj.shape[0])) + torch.ones(dof_pos.shape[:1] + (3,)).sum(-1)",
    "sum(column for column in dof_pos.T)",
    "sum(dof_pos.unbind(-1)) + sum(half.sum(-1) for half in dof_pos.chunk(2, dim=1))",
    "sum(dof_pos[:, i] for i in range(dof_pos.shape[1]))",
    "math.sqrt(dof_pos.shape[1]) * dof_pos.new_zeros(up_proj.shape) + math.pi * torch.ones(dof_pos.shape).mean(-1)",
    "up_proj.expand(dof_pos.shape[1], *up_proj.shape).mean(0) + len('%d' % dof_pos.shape[1] + f'{up_proj.dim()}')",
    "torch.ones(torch.broadcast_shapes(up_proj.shape, dof_pos[:, 0].shape)) * (up_proj.shape == dof_pos.shape[:1])",
    "torch.zeros(2 * len(up_proj)).view(len(up_proj), 2).sum(-1) + dof_pos.numel() / dof_pos.numel()",
]


def source(before: str, line: str, factor: str) -> str:
    return (
        f"import math\nimport numpy as np\nimport torch\n{before}\n"
        f"def compute_reward(up_proj, dof_pos):\n    {line}\n    r = up_proj * ({factor})\n    return r, {{'r': r}}\n"
    )


@pytest.mark.parametrize("size", SIZES)
def test_nothing_decides_on_the_number_of_environments(verifier, size):
    found = verifier.verify(candidate(source("", f"size = {size}", "2.0 if size > 1000000 else 1.0")))
    assert isinstance(found, Rejected), found
    said = "(number of environments|environments apart|over the environments|in memory)"
    assert re.match(rf"line [67]: .*{said}", found.feedback)


@pytest.mark.parametrize("before", KEPT)
def test_nothing_is_kept_that_shows_later(verifier, before):
    found = verifier.verify(candidate(source(before, KEPT[before], "2.0 if calls > 1000000 else 1.0")))
    assert isinstance(found, Rejected), found
    assert re.search("from one call to the next|it calls|it reaches for|by an `assert`", found.feedback)


@pytest.mark.parametrize("value", USUAL)
def test_what_people_write_about_sizes_is_fine(verifier, value):
    found = verifier.verify(candidate(source("", f"value = {value}", "value")))
    assert isinstance(found, Reward), found
