"""Attacks on the host's memory."""

from __future__ import annotations

from attack_suite.attack import (
    GREED,
    RLIMITS,
    SECCOMP,
    WATCHDOG,
    Attack,
    done,
)

FILLED = (RLIMITS, WATCHDOG)

_HOLD = "\ntime.sleep(0.3)"


def _greed(name: str, source: str, holders: tuple[str, ...] = FILLED, *, torch: bool = False) -> Attack:
    """Fills some 48 MiB, where 32 may be mapped and 16 filled, and holds it for the watchdog to see."""
    return Attack(name, source + _HOLD, done, holders, limits=GREED, torch=torch)


MEMORY = [
    _greed("fill memory at once", "x = bytearray(48 << 20)\nfor i in range(0, len(x), 4096): x[i] = 1"),
    _greed("fill memory by and by", "x = [bytes(b'x') * (1 << 20) for _ in range(48)]"),
    _greed("fill memory with small things", "x = [i for i in range(1_000_000)]"),
    _greed("double a text", "x = 'x'\nwhile len(x) < 48 << 20: x += x"),
    _greed(
        "fill mapped memory",
        "import mmap\nx = mmap.mmap(-1, 48 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)\nx.write(b'x' * (24 << 20))\n"
        "x.write(b'x' * (24 << 20))",
    ),
    _greed(
        "fill shared memory",
        "import mmap\nx = mmap.mmap(-1, 48 << 20)\nfor i in range(0, len(x), 4096): x[i] = 1",
        (SECCOMP, RLIMITS, WATCHDOG),
    ),
    _greed(
        "hide memory from every limit",
        # Pages of shared memory stay while a part of it is mapped, and only that part is counted.
        "libc.mmap.restype = ctypes.c_void_p\nsize, x = 8 << 20, []\n"
        "for _ in range(6):\n"
        "    at = libc.mmap(None, ctypes.c_size_t(size), 3, 0x21, -1, ctypes.c_long(0))\n"
        "    if at is None or at == 2**64 - 1: raise OSError(1, 'Operation not permitted')\n"
        "    ctypes.memset(at, 1, size)\n"
        "    libc.munmap(ctypes.c_void_p(at + 4096), ctypes.c_size_t(size - 4096))\n"
        "    x.append(at)",
        (SECCOMP,),
    ),
    _greed(
        "move the end of the heap",
        "libc.sbrk.restype = ctypes.c_void_p\nlibc.sbrk.argtypes = [ctypes.c_ssize_t]\n"
        "at = libc.sbrk(48 << 20)\nif at == 2**64 - 1: raise MemoryError('sbrk')\nctypes.memset(at, 1, 48 << 20)",
    ),
    _greed(
        "grow a mapping",
        "import mmap\nlibc.mremap.restype = ctypes.c_void_p\n"
        "libc.mmap.restype = ctypes.c_void_p\n"
        "at = libc.mmap(None, ctypes.c_size_t(4096), 3, 0x22, -1, ctypes.c_long(0))\n"
        "at = libc.mremap(ctypes.c_void_p(at), ctypes.c_size_t(4096), ctypes.c_size_t(48 << 20), 1)\n"
        "if at == 2**64 - 1: raise MemoryError('mremap')\nctypes.memset(at, 1, 48 << 20)",
    ),
    _greed(
        "fill memory from threads",
        "import threading\nx = []\n"
        "def fill(): x.append(b'x' * (12 << 20))\n"
        "threads = [threading.Thread(target=fill) for _ in range(4)]\nthreading.excepthook = print\n"
        "[t.start() for t in threads]\n[t.join() for t in threads]\n"
        "if len(x) < 4: raise MemoryError('in a thread')",
    ),
    _greed("a very large integer", "x = 1 << (48 << 23)"),
    _greed("join endlessly", "x = ','.join(str(i) for i in range(800_000))"),
    _greed("a dictionary of everything", "x = {i: str(i) for i in range(500_000)}"),
    _greed(
        "catch the lack of memory and go on",
        "x = []\nfor _ in range(60):\n"
        "    try: x.append(b'x' * (1 << 20))\n    except MemoryError: pass\n"
        "if len(x) < 48: raise MemoryError('caught')",
    ),
    _greed("fill a tensor", "import torch\nx = torch.ones(12 << 20)", torch=True),
    _greed("a tensor of all pairs", "import torch\nx = torch.ones(3500)\nx = x[:, None] * x[None, :]", torch=True),
    _greed("repeat a tensor", "import torch\nx = torch.ones(1000).repeat(12600)", torch=True),
    _greed(
        "grow a tensor's storage",
        "import torch\nx = torch.ones(1)\nx.untyped_storage().resize_(48 << 20)\n"
        "x = torch.empty(0).set_(x.untyped_storage()).fill_(1)",
        torch=True,
    ),
    _greed(
        "keep tensors in a graph",
        "import torch\nx = torch.ones(1 << 20, requires_grad=True)\nfor _ in range(12): x = (x * 1.5).exp()",
        torch=True,
    ),
]

BOMBS = [
    _greed("a gzip bomb", "import gzip\nbomb = gzip.compress(b'x' * (1 << 20)) * 48\nx = gzip.decompress(bomb)"),
    _greed("a bz2 bomb", "import bz2\nbomb = bz2.compress(b'x' * (1 << 20)) * 48\nx = bz2.decompress(bomb)"),
    _greed("an lzma bomb", "import lzma\nbomb = lzma.compress(b'x' * (1 << 20)) * 48\nx = lzma.decompress(bomb)"),
    _greed(
        "a zlib bomb",
        "import zlib\npacker = zlib.compressobj(1)\n"
        "bomb = b''.join(packer.compress(b'x' * (1 << 20)) for _ in range(48)) + packer.flush()\n"
        "x = zlib.decompress(bomb)",
    ),
    _greed(
        "a pickle bomb",
        "import pickle\n"
        "bomb = b'\\x80\\x04(\\x8c\\x01xK\\x00t0' + b'c_operator\\nmul\\n(V' + b'x' * 1000 + b'\\nJ' + "
        "(48 << 10).to_bytes(4, 'little') + b'tR.'\nx = pickle.loads(bomb)",
    ),
    _greed("a json bomb", "import json\nx = json.loads('[' + ','.join(['{\"a\":{}}'] * 200_000) + ']')"),
    _greed("a format bomb", "x = f'{1:>{48 << 20}}'"),
]

_NO_LIMIT = "without limits it would take all the memory there is"

ENDLESS = [
    Attack(name, source, done, FILLED, limits=GREED, control="none", why=_NO_LIMIT)
    for name, source in (
        ("recurse without end", "import sys\nsys.setrecursionlimit(10**9)\ndef f(): return f()\nf()"),
        ("nest lists without end", "x = []\nwhile True: x = [x]"),
        ("double a list without end", "x = [1]\nwhile True: x += x"),
    )
]

FAMILIES = {"memory": MEMORY, "bombs": BOMBS, "memory without end": ENDLESS}
