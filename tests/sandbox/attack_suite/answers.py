"""Forged answers, crashes, pickles and codecs: what the host reads, and what it must never run."""

from __future__ import annotations

from attack_suite.attack import (
    FORK,
    HANG,
    HOST,
    LANDLOCK,
    SECCOMP,
    Attack,
    Evidence,
    changed,
    forged,
    told,
)

from eureka.sandbox import Finished

READING = "how the host reads an answer is no layer that could be switched off"

_WRITE = """
import struct
def answer(letter, body, length=None):
    return struct.pack('=cQ', letter, len(body) if length is None else length) + body
def send(data):
    os.write(answer_pipe(), data)
"""


def _forgery(name: str, source: str, end: str = "os._exit(0)") -> Attack:
    return Attack(name, _WRITE + source + "\n" + end, forged, (HOST,), control="none", why=READING)


FORGERIES = [
    _forgery("half an answer", "send(b'o')"),
    _forgery("an answer of an unknown kind", "send(answer(b'?', b'x'))"),
    _forgery("an answer shorter than it says", "send(answer(b'o', b'x', 100))"),
    _forgery("an answer longer than it says", "send(answer(b'o', b'xyz', 1))"),
    _forgery("an answer of impossible length", "send(answer(b'o', b'x', 2**64 - 1))"),
    _forgery("two answers", "send(answer(b'o', b'x') * 2)"),
    _forgery("an answer before an answer", "send(answer(b'o', b'x'))\nresult = 'x'", ""),
    _forgery("an answer before a crash", "send(answer(b'o', b'x'))", "ctypes.string_at(0)"),
    _forgery("an answer before an error", "send(answer(b'o', b'x'))", "raise ValueError"),
    _forgery("an answer and a bad end", "send(answer(b'o', b'x'))", "os._exit(7)"),
    _forgery(
        "the zygote's words in the answer",
        "import json\n"
        "body = json.dumps({'type': 'Ended', 'code': 0, 'signal': 0, 'breach': None, 'cpu_s': 0}).encode()\n"
        "send(struct.pack('=I', len(body)) + body)",
    ),
    Attack(
        "an answer before a hang",
        _WRITE + "send(answer(b'o', b'x'))\nwhile True: pass",
        forged,
        (HOST,),
        limits=HANG,
        control="none",
        why=READING,
    ),
]


def harmed(evidence: Evidence) -> bool:
    """The next candidate got no answer."""
    return not isinstance(evidence.next or evidence.outcome, Finished)


def _crash(name: str, source: str) -> Attack:
    return Attack(name, source, harmed, (FORK,), control="together", then="result = 1")


CRASHES = [
    _crash("read address zero", "ctypes.string_at(0)"),
    _crash("write over a type", "ctypes.memset(id(int), 0, 400)"),
    _crash("abort", "os.abort()"),
    _crash("kill itself by a signal", "signal.raise_signal(signal.SIGSEGV)"),
    _crash("leave at once", "os._exit(0)"),
    _crash("leave politely", "raise SystemExit(0)"),
    _crash("interrupt", "raise KeyboardInterrupt"),
    _crash(
        # Loads a constant far behind all that there are: what lies there is not this process's.
        "run nonsense bytecode",
        "def f(): pass\nf.__code__ = f.__code__.replace(co_code=b'\\x90\\x7f\\x90\\xff\\x90\\xffd\\xffS\\0')\nf()",
    ),
    _crash(
        "load nonsense code",
        "import marshal\nexec(marshal.loads(marshal.dumps(compile('0', '', 'exec'))[:-9] + bytes(9)))",
    ),
    _crash(
        "exhaust the C stack",
        "x = type('X', (), {})\nx.__eq__ = lambda a, b: a == b\nimport sys\nsys.setrecursionlimit(10**9)\nx() == x()",
    ),
    _crash("close every descriptor and leave", "os.closerange(0, 1024)\nos._exit(0)"),
]

_DEEP = "import sys\nsys.setrecursionlimit(10**9)\n"

DEPTH = [
    _crash("print a deep nest", _DEEP + "x = []\nfor _ in range(10**5): x = [x]\nrepr(x)"),
    _crash("compare deep nests", _DEEP + "x, y = [], []\nfor _ in range(10**6): x, y = [x], [y]\nx == y"),
    _crash("pickle a deep nest", _DEEP + "import pickle\nx = []\nfor _ in range(10**6): x = [x]\npickle.dumps(x)"),
    _crash("read deep json", _DEEP + "import json\njson.loads('[' * 10**6)"),
]

_EVIL = """
import pickle
class Evil:
    def __reduce__(self): return (open, (folder + '/pickled', 'w'))
"""

PICKLES = [
    Attack("unpickle a reducer", _EVIL + "pickle.loads(pickle.dumps(Evil()))", changed, (SECCOMP, LANDLOCK)),
    Attack(
        "answer with a pickle", _EVIL + "result = pickle.dumps(Evil())", changed, (HOST,), control="none", why=READING
    ),
    Attack(
        "unpickle an opcode",
        "import pickle\npickle.loads(b'cbuiltins\\nopen\\n(V' + folder.encode() + b'/pickled\\nVw\\ntR.')",
        changed,
        (SECCOMP, LANDLOCK),
    ),
    Attack("reduce by a copy", _EVIL + "import copy\ncopy.copy(Evil())", changed, (SECCOMP, LANDLOCK)),
    Attack(
        "a saved tensor that runs code",
        _EVIL + "import io, torch\nfile = io.BytesIO()\ntorch.save(Evil(), file)\nfile.seek(0)\n"
        "torch.load(file, weights_only=False)",
        changed,
        (SECCOMP, LANDLOCK),
        torch=True,
    ),
    Attack(
        "raise an error that pickles",
        _EVIL + "class Sly(Exception):\n    __reduce__ = Evil.__reduce__\nraise Sly",
        changed,
        (HOST,),
        control="none",
        why=READING,
    ),
]

CODECS = [
    Attack("source in UTF-7", "exec(b'# coding: utf-7\\nresult = +AG8-pen(secret).read()')", told, (SECCOMP, LANDLOCK)),
    Attack(
        "source in rot13",
        "import codecs\nexec(codecs.decode('erfhyg = bcra(frperg).ernq()', 'rot13'))",
        told,
        (SECCOMP, LANDLOCK),
    ),
    Attack(
        "source from numbers",
        "exec(''.join(map(chr, [ord(c) for c in 'result = open(secret).read()'])))",
        told,
        (SECCOMP, LANDLOCK),
    ),
    Attack(
        "source in a default",
        "def f(x=exec('found = open(secret).read()', globals())): pass\nresult = found",
        told,
        (SECCOMP, LANDLOCK),
    ),
    Attack(
        "source in a format",
        "class F:\n    def __format__(self, spec): return open(spec).read()\nresult = f'{F():{secret}}'",
        told,
        (SECCOMP, LANDLOCK),
    ),
    Attack(
        "a codec that reads files",
        "import codecs\n"
        "def decode(data, errors=''): return open(bytes(data).decode()).read(), len(data)\n"
        "codecs.register(lambda name: codecs.CodecInfo(None, decode) if name == 'evil' else None)\n"
        "result = secret.encode().decode('evil')",
        told,
        (SECCOMP, LANDLOCK),
    ),
]

FAMILIES = {
    "forged answers": FORGERIES,
    "crashes": CRASHES,
    "depth": DEPTH,
    "pickles": PICKLES,
    "codecs and sources": CODECS,
}
