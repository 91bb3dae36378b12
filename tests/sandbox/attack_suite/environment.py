"""Hunts for the host's key: in the environment, in memory, in Python's objects, in other candidates' leavings."""

from __future__ import annotations

from attack_suite.attack import ENVIRONMENT, FORK, LANDLOCK, SECCOMP, Attack, told

KEYS = (ENVIRONMENT,)

_SEARCH = """
found = set()
import re
for line in MAPS:
    span, rights, *rest = line.split()
    start, end = (int(word, 16) for word in span.split('-'))
    if WHERE in line and rights.startswith('r') and not line.endswith(('[vvar]', '[vvar_vclock]', '[vsyscall]')):
        found.update(re.findall(rb'(?:key|rival)-[0-9a-f]{32}', ctypes.string_at(start, end - start)))
result = b' '.join(found)
"""

ENVIRONMENTS = [
    Attack("look into os.environ", "result = dict(os.environ)", told, KEYS),
    Attack(
        "ask the C library",
        "libc.getenv.restype = ctypes.c_char_p\nresult = libc.getenv(b'OPENAI_API_KEY')",
        told,
        KEYS,
    ),
    Attack(
        "walk the C library's environment",
        "strings = ctypes.POINTER(ctypes.c_char_p).in_dll(libc, 'environ')\n"
        "result, i = b'', 0\n"
        "while strings and strings[i]:\n    result += strings[i]\n    i += 1",
        told,
        KEYS,
    ),
    Attack("search the stack", "WHERE = '[stack]'" + _SEARCH, told, KEYS),
    Attack("search the heap", "WHERE = '[heap]'" + _SEARCH, told, KEYS, control="together", before="kept = [RIVAL]"),
    Attack("search all memory", "WHERE = ''" + _SEARCH, told, KEYS),
    Attack(
        "print the environment by a program",
        "import subprocess\nresult = subprocess.check_output(['/usr/bin/env'])",
        told,
        (SECCOMP, LANDLOCK, ENVIRONMENT),
    ),
]

OBJECTS = [
    Attack(
        "search every object",
        "import gc\n"
        "result = [o for o in gc.get_objects() if isinstance(o, (dict, list, tuple)) and 'rival-' in repr(o)[:100000]]",
        told,
        (FORK,),
        control="together",
        before="kept = ['' + RIVAL]",
    ),
    Attack(
        "search every object's referents",
        "import gc\n"
        "result = [s for o in gc.get_objects() for s in gc.get_referents(o)\n"
        "          if isinstance(s, (str, bytes)) and (s[:6] in ('rival-', b'rival-'))]",
        told,
        (FORK,),
        control="together",
        before="kept = ['' + RIVAL]",
    ),
    Attack(
        "walk the frames",
        "import sys\n"
        "frame, result = sys._getframe(), ''\n"
        "while frame:\n    result += repr(frame.f_locals)\n    frame = frame.f_back",
        told,
        (FORK,),
        control="together",
        before="kept = RIVAL",
    ),
    Attack(
        "walk the frames of every thread",
        "import sys\nresult = [repr(f.f_globals) + repr(f.f_locals) for f in sys._current_frames().values()]",
        told,
        (FORK,),
        control="together",
        before="kept = RIVAL",
    ),
    Attack(
        "walk a traceback",
        "try: 1 / 0\nexcept ZeroDivisionError as error: trace = error.__traceback__\n"
        "result = repr(trace.tb_frame.f_globals) + repr(trace.tb_frame.f_back.f_locals)",
        told,
        (FORK,),
        control="together",
        before="kept = RIVAL",
    ),
    Attack(
        "climb the classes to open",
        "opener = [c for c in ().__class__.__base__.__subclasses__() if c.__name__ == 'FileLoader']\n"
        "result = opener[0]('x', secret).get_data(secret)",
        told,
        (SECCOMP, LANDLOCK),
    ),
    Attack(
        "climb modules to open",
        "import logging\nresult = logging.os.read(logging.os.open(secret, 0), 99)",
        told,
        (SECCOMP, LANDLOCK),
    ),
    Attack(
        "read the interpreter's arguments",
        "import sys\nresult = sys.argv + sys.orig_argv",
        told,
        KEYS,
        control="together",
        before="import sys\nsys.argv.append(RIVAL)",
    ),
]

FAMILIES = {"environment and memory": ENVIRONMENTS, "gc, frames, classes": OBJECTS}
