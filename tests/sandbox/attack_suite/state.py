"""Attacks on the next candidate by what is left in the zygote, and on the interpreter that both share."""

from __future__ import annotations

from attack_suite.attack import FORK, PRIVATE_MEMORY, Attack, poisoned


def _left(name: str, source: str, then: str, *, torch: bool = False) -> Attack:
    """What the source leaves, `then` looks for; where both run in one process it is found."""
    return Attack(name, source, poisoned, (FORK,), control="together", then=then, torch=torch)


PATCHES = [
    _left("change a builtin", "import builtins\nbuiltins.abs = lambda x: 7", "result = abs(0) == 7"),
    _left(
        "leave a name in builtins",
        "import builtins\nbuiltins.left = 1",
        "import builtins\nresult = hasattr(builtins, 'left')",
    ),
    _left("change a module", "import math\nmath.pi = 3", "import math\nresult = math.pi == 3"),
    _left(
        "replace a module",
        "import sys, types\nsys.modules['math'] = types.ModuleType('math')",
        "import math\nresult = not hasattr(math, 'pi')",
    ),
    _left(
        "hook imports",
        "import sys\nclass Evil:\n    def find_spec(self, *a): return None\nsys.meta_path.insert(0, Evil())",
        "import sys\nresult = type(sys.meta_path[0]).__name__ == 'Evil'",
    ),
    _left(
        "change a small integer",
        "ctypes.memmove(id(255) + 24, (7).to_bytes(4, 'little'), 4)",
        "result = str(255) == '7'",
    ),
    _left(
        "change a constant's bytes",
        "ctypes.memmove(id(MARK) + bytes.__basicsize__ - 1, b'MARK', 4)",
        "result = MARK[:4] == b'MARK'",
    ),
    _left(
        "register a codec",
        "import codecs\ncodecs.register(lambda n: codecs.lookup('utf-8') if n == 'evil' else None)",
        "result = 'x'.encode('evil') == b'x'",
    ),
    _left(
        "register a reducer",
        "import copyreg\ncopyreg.pickle(complex, lambda c: (int, (7,)))",
        "import pickle\nresult = pickle.loads(pickle.dumps(1j)) == 7",
    ),
    _left(
        "set a tracer",
        "import sys\nsys.setprofile(lambda *a: None)",
        "import sys\nresult = sys.getprofile() is not None",
    ),
    _left("set an error hook", "import sys\nsys.excepthook = print", "import sys\nresult = sys.excepthook is print"),
    _left("set the environment", "os.environ['LEFT'] = '1'", "result = os.environ.get('LEFT') == '1'"),
    _left("set the environment in C", "libc.setenv(b'LEFT', b'1', 1)", "result = bool(libc.getenv(b'LEFT'))"),
    _left(
        "seed the randomness",
        "import random\nrandom.seed(7)",
        "import random\nresult = random.random() == random.Random(7).random()",
    ),
    _left(
        "set a signal's handler",
        "signal.signal(signal.SIGTERM, lambda *a: None)",
        "result = signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL",
    ),
    _left(
        "set the recursion limit",
        "import sys\nsys.setrecursionlimit(4321)",
        "import sys\nresult = sys.getrecursionlimit() == 4321",
    ),
    _left(
        "change how the sandbox answers",
        "import eureka.sandbox.child as child\nchild.MAX_ERROR_CHARACTERS = 7",
        "import eureka.sandbox.child as child\nresult = child.MAX_ERROR_CHARACTERS == 7",
    ),
    _left(
        "change how the zygote serves",
        "import sys\nfor name, module in list(sys.modules.items()):\n"
        "    if hasattr(module, 'Zygote'): module.Zygote._fork = None",
        "import sys\nresult = any(m.Zygote._fork is None for m in list(sys.modules.values()) if hasattr(m, 'Zygote'))",
    ),
    _left(
        "change the target",
        "import attack_suite.target as t\nt.run = None",
        "import attack_suite.target as t\nresult = t.run is None",
    ),
    _left(
        "leave an audit hook",
        "import sys\nseen = []\nsys.addaudithook(lambda *a: seen.append(a))\nimport builtins\nbuiltins.seen = seen",
        "import builtins\nresult = bool(getattr(builtins, 'seen', None))",
    ),
    _left(
        "leave a garbage callback", "import gc\ngc.callbacks.append(print)", "import gc\nresult = print in gc.callbacks"
    ),
    _left(
        "leave a thread",
        "import threading\nthreading.Thread(target=time.sleep, args=(5,), daemon=True, name='left').start()",
        "import threading\nresult = any(t.name == 'left' for t in threading.enumerate())",
    ),
    _left(
        "change the C library's code",
        "import mmap\npage = ctypes.cast(libc.getppid, ctypes.c_void_p).value\n"
        "libc.mprotect(ctypes.c_void_p(page & ~4095), ctypes.c_size_t(8192), 7)\n"
        "ctypes.memmove(page, bytes.fromhex('b807000000c3'), 6)",
        "result = libc.getppid() == 7",
    ),
]

TORCH = [
    _left(
        "change torch's addition",
        "import torch\ntorch.add = lambda *a: torch.zeros(1)",
        "import torch\nresult = bool((torch.add(torch.ones(1), 1) == 0).all())",
        torch=True,
    ),
    _left(
        "change a tensor's methods",
        "import torch\ntorch.Tensor.sum = lambda self, *a, **k: torch.tensor(7.0)",
        "import torch\nresult = torch.ones(2).sum().item() == 7",
        torch=True,
    ),
    _left(
        "change a tensor's operators",
        "import torch\ntorch.Tensor.__add__ = lambda a, b: a * 0",
        "import torch\nresult = (torch.ones(1) + 1).item() == 0",
        torch=True,
    ),
    _left(
        "set the default type",
        "import torch\ntorch.set_default_dtype(torch.float64)",
        "import torch\nresult = torch.ones(1).dtype == torch.float64",
        torch=True,
    ),
    _left(
        "seed torch",
        "import torch\ntorch.manual_seed(7)",
        "import torch\nresult = torch.initial_seed() == 7",
        torch=True,
    ),
    _left(
        "leave torch in a mode",
        "import torch\nfrom torch.overrides import TorchFunctionMode\n"
        "class Evil(TorchFunctionMode):\n"
        "    def __torch_function__(self, f, t, a=(), k=None): return f(*a, **(k or {}))\nEvil().__enter__()",
        "import torch\nresult = torch._C._len_torch_function_stack() > 0",
        torch=True,
    ),
    _left(
        "turn gradients off",
        "import torch\ntorch.set_grad_enabled(False)",
        "import torch\nresult = not torch.is_grad_enabled()",
        torch=True,
    ),
    _left(
        "replace an operation's kernel",
        "import torch, builtins\nbuiltins.library = torch.library.Library('aten', 'IMPL')\n"
        "library.impl('neg', lambda x: x.clone(), 'CPU')",
        "import torch\nresult = torch.neg(torch.ones(1)).item() == 1",
        torch=True,
    ),
    _left(
        "change a module's constant tensor",
        "import torch\ntorch.pi = 3",
        "import torch\nresult = torch.pi == 3",
        torch=True,
    ),
]

SHARED = [
    Attack(
        "change memory that the zygote shares",
        "SHARED[:4] = b'EVIL'",
        poisoned,
        (PRIVATE_MEMORY,),
        then="result = SHARED[:4] == b'EVIL'",
    ),
    Attack(
        "change shared memory from C",
        "address = ctypes.addressof(ctypes.c_char.from_buffer(SHARED))\nctypes.memmove(address + 8, b'EVIL', 4)",
        poisoned,
        (PRIVATE_MEMORY,),
        then="result = SHARED[8:12] == b'EVIL'",
    ),
]

FAMILIES = {"memory shared with the zygote": SHARED, "state left in the zygote": PATCHES, "monkey-patched torch": TORCH}
