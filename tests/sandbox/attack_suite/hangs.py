"""Attacks on the host's time, and floods."""

from __future__ import annotations

from attack_suite.attack import (
    CLOCK,
    DESCRIPTORS,
    FLOOD,
    HANG,
    HOST,
    OUTPUT_CAP,
    RLIMITS,
    SECCOMP,
    Attack,
    done,
    flooded,
    overran,
    says_true,
)

_SPIN = (CLOCK, RLIMITS, HOST)
_SLEEP = (CLOCK, HOST)


def _hang(name: str, source: str, holders: tuple[str, ...] = _SPIN, *, torch: bool = False) -> Attack:
    return Attack(name, source, overran, holders, limits=HANG, control="hangs", torch=torch)


HANGS = [
    _hang("loop for ever", "while True: pass"),
    _hang("loop for ever in C", "import itertools\nsum(itertools.repeat(1))"),
    _hang("compute a huge power", "x = 10 ** 10 ** 9"),
    _hang("write a huge integer", "import sys\nsys.set_int_max_str_digits(0)\nx = str(1 << 40_000_000)"),
    _hang("match for ever", "import re\nre.match('(a+)+$', 'a' * 64 + 'b')"),
    _hang("sort for ever", "class K:\n    def __lt__(self, o):\n        while True: pass\nsorted([K(), K()])"),
    _hang(
        "catch everything and go on", "while True:\n    try:\n        while True: pass\n    except BaseException: pass"
    ),
    _hang(
        "loop in a thread while the answer waits",
        "import threading\ndef spin():\n    while True: pass\nt = threading.Thread(target=spin)\nt.start()\nt.join()",
    ),
    _hang("loop in torch", "import torch\nx = torch.ones(1000)\nwhile True: x = x * 1.0", torch=True),
    _hang("a huge product", "import torch\nx = torch.ones(1600, 1600)\nfor _ in range(100): x = x @ x", torch=True),
    _hang("sleep", "time.sleep(1000)", _SLEEP),
    _hang("sleep in C", "libc.sleep(1000)", _SLEEP),
    _hang("sleep holding the interpreter", "ctypes.PyDLL(None).sleep(1000)", _SLEEP),
    _hang("wait for nothing", "import select\nselect.select([], [], [])", _SLEEP),
    _hang("stop itself", "signal.raise_signal(signal.SIGSTOP)", _SLEEP),
    _hang(
        "sleep and ignore every signal",
        "for s in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}: signal.signal(s, signal.SIG_IGN)\n"
        "time.sleep(1000)",
        _SLEEP,
    ),
    _hang(
        "loop and ignore every signal",
        "for s in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}: signal.signal(s, signal.SIG_IGN)\n"
        "while True: pass",
    ),
    _hang("block every signal", "signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))\nwhile True: pass"),
]

STAGES = [
    _hang("hang while it is compiled", "exec('x = ' + '+'.join(['1'] * 10)); exec('x = 7 ** 7 ** 10')"),
    _hang("hang while it is defined", "def wait(f):\n    while True: pass\n@wait\ndef compute_reward(): pass"),
    _hang("hang in a class's body", "class Reward:\n    while True: pass"),
    _hang("hang in a default", "def compute_reward(x=sum(iter(int, 1))): pass"),
    _hang(
        "hang in the answer's text",
        "class Answer:\n    def __str__(self):\n        while True: pass\nresult = Answer()",
    ),
    _hang(
        "hang in the error's text",
        "class Sly(Exception):\n    def __str__(self):\n        while True: pass\nraise Sly",
    ),
    _hang(
        "hang in the error's type",
        "class Meta(type):\n    def __getattribute__(self, name):\n        while True: pass\n"
        "class Sly(Exception, metaclass=Meta): pass\nraise Sly",
    ),
    _hang("hang when it is deleted", "class Sly:\n    def __del__(self):\n        while True: pass\nx = Sly()\ndel x"),
    _hang(
        "hang when the interpreter ends",
        "import atexit, sys\ndef spin():\n    while True: pass\natexit.register(spin)\natexit._run_exitfuncs()",
    ),
    _hang("hang in an audit", "import sys\ndef spin(*a):\n    while True: pass\nsys.addaudithook(spin)\nopen(secret)"),
    _hang(
        "hang in a tracer", "import sys\ndef spin(*a):\n    while True: pass\nsys.settrace(spin)\ndef f(): pass\nf()"
    ),
]

FLOODS = [
    Attack("answer too much", "result = b'x' * (4 << 20)", flooded, (OUTPUT_CAP,), limits=FLOOD),
    Attack(
        "answer too much by hand",
        "import struct\nbody = b'x' * (4 << 20)\n"
        "rest = memoryview(struct.pack('=cQ', b'o', len(body)) + body)\n"
        "while rest: rest = rest[os.write(answer_pipe(), rest):]\n"
        "os._exit(0)",
        flooded,
        (OUTPUT_CAP,),
        limits=FLOOD,
    ),
    Attack(
        "flood the answer without end",
        "while True: os.write(answer_pipe(), bytes(1 << 16))",
        overran,
        (OUTPUT_CAP, CLOCK, RLIMITS, HOST),
        limits=HANG,
        control="hangs",
    ),
    Attack(
        "drip an answer for ever",
        "while True:\n    os.write(answer_pipe(), b'x')\n    time.sleep(0.01)",
        overran,
        _SLEEP,
        limits=HANG,
        control="hangs",
    ),
    Attack("print without end", "while True: print('x' * 10000)", overran, _SPIN, limits=HANG, control="hangs"),
    Attack(
        "print to the error stream without end",
        "while True: os.write(2, b'x' * 10000)",
        overran,
        _SPIN,
        limits=HANG,
        control="hangs",
    ),
    Attack(
        "fill the host's file of errors",
        "os.write(2, b'x' * 1000)\nresult = os.lseek(2, 0, os.SEEK_CUR) >= 1000",
        says_true,
        (DESCRIPTORS, RLIMITS),
    ),
    Attack(
        "an endless error",
        "raise ValueError('x' * (4 << 20))",
        lambda e: len(getattr(e.outcome, "detail", "")) > 1 << 20,
        (HOST,),
        control="none",
        why="the text is cut where it is made, in every configuration",
    ),
]

_READABLE = """
result = []
for fd in range(3, 1024):
    try:
        os.read(fd, 0)
        result.append(fd)
    except OSError: pass
result = bool(result)
"""

HANDLES = [
    Attack("use another's descriptors", _READABLE, says_true, (DESCRIPTORS,)),
    Attack(
        "speak for the zygote",
        "import json\n"
        "forged = json.dumps({'type': 'Confined', 'layers': []}).encode()\nsent = 0\n"
        "for fd in range(3, 1024):\n"
        "    try: sent += bool(os.write(fd, b''))\n    except OSError as error: sent += error.errno not in (9, 1)\n"
        "    try: sent += bool(os.lseek(fd, 0, os.SEEK_CUR) + 1)\n"
        "    except OSError as error: sent += error.errno == 29\n"
        "result = sent > 1",
        says_true,
        (DESCRIPTORS,),
    ),
    Attack("open descriptors without end", "x = [os.dup(0) for _ in range(500)]", done, (SECCOMP, RLIMITS)),
    Attack("open pipes without end", "x = [os.pipe() for _ in range(200)]", done, (SECCOMP, RLIMITS)),
    Attack("duplicate a descriptor", "os.dup(0)", done, (SECCOMP,)),
    Attack(
        "reach the terminal",
        "result = os.open('/dev/tty', os.O_RDWR)",
        done,
        (SECCOMP,),
        control="none",
        why="there is none where tests run",
    ),
    Attack(
        "type into the terminal",
        "import fcntl\nfcntl.ioctl(0, 0x5412, b'x')",
        done,
        (SECCOMP,),
        control="none",
        why="there is none where tests run",
    ),
    Attack(
        "splice descriptors",
        "call('splice', 0, None, 1, None, 1, 0)",
        done,
        (SECCOMP,),
        control="none",
        why="it needs a pipe",
    ),
]

FAMILIES = {
    "time": HANGS,
    "time, at each stage": STAGES,
    "floods": FLOODS,
    "descriptors": HANDLES,
}
