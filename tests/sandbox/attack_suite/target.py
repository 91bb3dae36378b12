"""What the zygotes of the attack suite hold: warm-ups, one for each kind of machine, and the attacked target."""

from __future__ import annotations

import builtins
import ctypes
import errno
import importlib
import json
import mmap
import os
import signal
import sys
from pathlib import Path

from attack_suite.numbers import NUMBERS

from eureka.sandbox import libc as raw
from eureka.sandbox.canaries import REFUSALS
from eureka.sandbox.privileges import PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS
from eureka.sandbox.seccomp import (
    JUMP_EQUAL,
    LOAD_WORD,
    RET_ALLOW,
    RET_ERRNO,
    RETURN,
    Instruction,
    install,
)

MODULES = """
asyncio bz2 codecs collections copy ctypes encodings.idna encodings.latin_1 encodings.rot_13 encodings.utf_7 fcntl gc
glob gzip hashlib itertools json linecache logging lzma marshal mmap multiprocessing multiprocessing.popen_fork pathlib
pickle pty queue random re resource runpy select shutil signal socket struct subprocess sys tempfile threading time
traceback types weakref zlib
"""
"""Imported beforehand, since files are out of reach later: an attack is not to fail for lack of a module."""

NOBODY = 65534

MAPS: list[str] = []
"""The zygote's memory map, which helps code that hunts through memory."""

SHARED: list[mmap.mmap] = []
"""Memory that the warm-up maps as shared, as a careless library's does."""

MARK = b"mark: untouched"
"""What attacks on the zygote's memory try to change."""

_PAGES: list[object] = []


def warm_up() -> None:
    """A machine on which every layer can be had, or whatever the present one is."""
    for name in MODULES.split():
        importlib.import_module(name)
    SHARED[:] = [mmap.mmap(-1, mmap.PAGESIZE)]
    MAPS[:] = Path("/proc/self/maps").read_text().splitlines()


def warm_torch() -> None:
    """With torch, as the zygote that traces rewards."""
    import torch

    torch.set_num_threads(1)
    torch.ones(4, 3).norm(dim=-1).sum()
    warm_up()


def as_ordinary_user() -> None:
    """As a process that never was root. It is dumpable, as every process that was started by its own user."""
    warm_up()
    if os.getuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        raw.prctl(PR_SET_DUMPABLE, 1)


def without_namespaces() -> None:
    """As on Ubuntu 24.04: user namespaces are denied."""
    warm_up()
    _deny({"unshare": errno.EPERM})


def without_landlock() -> None:
    """As on a kernel that was built without Landlock."""
    warm_up()
    _deny(dict.fromkeys(_LANDLOCK, errno.ENOSYS))


def without_processes() -> None:
    """As an ordinary user who has as many processes as are allowed."""
    import resource

    as_ordinary_user()
    resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))


def without_seccomp() -> None:
    """As on a kernel that was built without seccomp filters."""
    _deny({"seccomp": errno.ENOSYS})


def in_strict_container() -> None:
    """As under a container's filter that lets nobody add another."""
    _deny({"seccomp": errno.EPERM})


def in_container() -> None:
    """As an ordinary user under a container runtime's own filter (Docker's list of denied calls), with no Landlock."""
    as_ordinary_user()
    denied = dict.fromkeys((*_DENIED_BY_DOCKER.split(), *_LANDLOCK), errno.EPERM)
    _deny({**denied, "clone3": errno.ENOSYS})


_LANDLOCK = ("landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self")
_DENIED_BY_DOCKER = """
acct add_key bpf delete_module init_module io_uring_setup kcmp kexec_load keyctl mount move_mount name_to_handle_at
open_by_handle_at open_tree perf_event_open personality pivot_root process_vm_readv process_vm_writev ptrace quotactl
reboot request_key setns swapon umount2 unshare userfaultfd fsopen mount_setattr sethostname syslog
"""


def _number(name: str) -> int:
    return NUMBERS[name][os.uname().machine == "aarch64"]


def _deny(errors: dict[str, int]) -> None:
    """Install a filter in this process, as a container runtime does before it starts a program."""
    raw.prctl(PR_SET_NO_NEW_PRIVS, 1)
    code = [Instruction(LOAD_WORD, 0, 0, 0)]
    for name, error in errors.items():
        code += [Instruction(JUMP_EQUAL, 0, 1, _number(name)), Instruction(RETURN, 0, 0, RET_ERRNO | error)]
    install([*code, Instruction(RETURN, 0, 0, RET_ALLOW)])


def call(name: str, *arguments: raw.Argument) -> int:
    """Make a system call by its number; an error raises OSError."""
    return raw.syscall(_number(name), *arguments)


def reach(name: str, *arguments: raw.Argument) -> bool:
    """Make a system call with arguments that do no harm; True where the kernel got as far as looking at them."""
    try:
        call(name, *arguments)
    except OSError as error:
        if error.errno in REFUSALS:
            raise
    return True


def answer_pipe() -> int:
    """The descriptor of this child's answer, found on the stack as generated code can."""
    frame = sys._getframe()
    while "channels" not in frame.f_locals:
        frame = frame.f_back
    return frame.f_locals["channels"].answer


def execute_machine_code(code: bytes) -> int:
    """Run machine code from a page of this process's own."""
    page = mmap.mmap(-1, mmap.PAGESIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, 7)
    page.write(code)
    _PAGES.append(page)
    function = ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
    result = function()
    if -4096 < result < 0:
        raise OSError(-result, os.strerror(-result))
    return int(result)


def run(payload: bytes) -> bytes:
    """Execute sources one after the other, as a candidate's would be, and return the last `result` as text."""
    order = json.loads(payload)
    names: dict[str, object] = {
        "__builtins__": builtins,
        "call": call,
        "reach": reach,
        "answer_pipe": answer_pipe,
        "execute_machine_code": execute_machine_code,
        "libc": ctypes.CDLL(None, use_errno=True),
        "MAPS": MAPS,
        "MARK": MARK,
        "SHARED": SHARED[0],
        "ctypes": ctypes,
        "os": os,
        "signal": signal,
        **order["names"],
    }
    names.update((name, importlib.import_module(name)) for name in ("socket", "threading", "time"))
    for source in order["sources"]:
        exec(source, names)
    result = names.get("result")
    return result if isinstance(result, bytes) else str(result).encode()


def forge(payload: bytes) -> bytes:
    """Answer as an honest trace of `speed * 0.5` would, but for what a source changes; its request comes along."""
    from eureka.reward.trace.wire import pack, unpack

    order = json.loads(payload)
    request = unpack(bytes.fromhex(order["request"]))
    graph = {
        "version": 1,
        "inputs": ["speed"],
        "constants": {},
        "nodes": [{"op": "mul.Tensor", "args": [{"input": "speed"}, 0.5], "line": 2, "name": "run"}],
        "total": {"node": 0},
        "components": [{"name": "forward", "value": {"node": 0}}],
    }
    batches = {which: request.tensors[f"{which}/speed"] * 0.5 for which in ("first", "second")}
    tensors = {f"{which}/{name}": value.clone() for which, value in batches.items() for name in ("total", "0")}
    names = {"graph": graph, "tensors": tensors, "pack": pack, "json": json}
    exec(order["source"], names)
    if "result" not in names:
        return pack({"ok": True, "graph": json.dumps(names["graph"])}, names["tensors"])
    return bytes(names["result"])
