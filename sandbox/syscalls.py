"""System call numbers on the two supported architectures, by name.

`ALLOWED` is what a confined child may still call, whatever the arguments; the few calls allowed only with certain
arguments are in `seccomp.py`. `FORBIDDEN` is what layers need while they are being applied and what canaries try
afterwards. Numbers are the kernel's ABI (arch/x86/entry/syscalls/syscall_64.tbl; include/uapi/asm-generic/unistd.h).
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass

MEMORY = ("mprotect", "munmap", "brk", "mremap", "mincore", "madvise", "get_mempolicy", "membarrier")
STREAMS = ("read", "write", "readv", "writev", "close", "lseek", "ppoll", "pselect6")
THREADS = ("futex", "set_robust_list", "rseq", "sched_yield", "sched_getaffinity", "getcpu", "restart_syscall")
SIGNALS = ("rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack")
CLOCKS = ("clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "times")
SELF = ("getpid", "getppid", "gettid", "getuid", "geteuid", "getgid", "getegid", "getrusage", "getrlimit")
OTHER = ("getrandom", "uname", "sysinfo", "exit", "exit_group")
ALLOWED = MEMORY + STREAMS + THREADS + SIGNALS + CLOCKS + SELF + OTHER

# fmt: off
_X86_64 = {
    "read": 0, "write": 1, "close": 3, "poll": 7, "lseek": 8, "mmap": 9, "mprotect": 10, "munmap": 11, "brk": 12,
    "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "readv": 19, "writev": 20, "select": 23,
    "sched_yield": 24, "mremap": 25, "mincore": 27, "madvise": 28, "nanosleep": 35, "getpid": 39, "exit": 60,
    "uname": 63, "gettimeofday": 96, "getrlimit": 97, "getrusage": 98, "sysinfo": 99, "times": 100, "getuid": 102,
    "getgid": 104, "geteuid": 107, "getegid": 108, "getppid": 110, "sigaltstack": 131, "gettid": 186,
    "futex": 202, "sched_getaffinity": 204, "restart_syscall": 219, "clock_gettime": 228, "clock_getres": 229,
    "clock_nanosleep": 230, "exit_group": 231, "get_mempolicy": 239, "pselect6": 270, "ppoll": 271,
    "set_robust_list": 273, "getcpu": 309, "getrandom": 318, "membarrier": 324, "rseq": 334,
    "clone": 56, "tgkill": 234, "prlimit64": 302, "prctl": 157, "clone3": 435,
    "seccomp": 317, "capset": 126, "landlock_create_ruleset": 444, "landlock_restrict_self": 446,
    "execve": 59, "ptrace": 101, "process_vm_readv": 310, "unshare": 272, "io_uring_setup": 425, "bpf": 321,
    "memfd_create": 319, "keyctl": 250, "perf_event_open": 298, "userfaultfd": 323, "pidfd_open": 434, "shmget": 29,
    "mount": 165, "setns": 308, "fcntl": 72, "ioctl": 16,
}
_AARCH64 = {
    "fcntl": 25, "ioctl": 29, "mount": 40, "close": 57, "lseek": 62, "read": 63, "write": 64, "readv": 65,
    "writev": 66, "pselect6": 72, "ppoll": 73, "capset": 91, "exit": 93, "exit_group": 94, "unshare": 97,
    "futex": 98, "set_robust_list": 99, "nanosleep": 101, "clock_gettime": 113, "clock_getres": 114,
    "clock_nanosleep": 115, "ptrace": 117, "sched_getaffinity": 123, "sched_yield": 124, "restart_syscall": 128,
    "tgkill": 131, "sigaltstack": 132, "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139, "times": 153,
    "uname": 160, "getrlimit": 163, "getrusage": 165, "prctl": 167, "getcpu": 168, "gettimeofday": 169,
    "getpid": 172, "getppid": 173, "getuid": 174, "geteuid": 175, "getgid": 176, "getegid": 177, "gettid": 178,
    "sysinfo": 179, "shmget": 194, "brk": 214, "munmap": 215, "mremap": 216, "keyctl": 219, "clone": 220,
    "execve": 221, "mmap": 222, "mprotect": 226, "mincore": 232, "madvise": 233, "get_mempolicy": 236,
    "perf_event_open": 241, "prlimit64": 261, "setns": 268, "process_vm_readv": 270, "seccomp": 277,
    "getrandom": 278, "memfd_create": 279, "bpf": 280, "userfaultfd": 282, "membarrier": 283, "rseq": 293,
    "io_uring_setup": 425, "pidfd_open": 434, "clone3": 435, "landlock_create_ruleset": 444,
    "landlock_restrict_self": 446,
}
# fmt: on


@dataclass(frozen=True)
class Architecture:
    """One system call table. `audit` is the AUDIT_ARCH value that the kernel hands to a seccomp filter.

    `extra` are calls that exist on this architecture only and are allowed as the newer ones that replace them.
    """

    audit: int
    numbers: Mapping[str, int]
    extra: tuple[str, ...] = ()

    @property
    def allowed(self) -> tuple[int, ...]:
        """Numbers of the calls that are allowed whatever their arguments."""
        return tuple(self.numbers[name] for name in ALLOWED + self.extra)


ARCHITECTURES: Mapping[str, Architecture] = {
    "x86_64": Architecture(audit=0xC000003E, numbers=_X86_64, extra=("poll", "select")),
    "aarch64": Architecture(audit=0xC00000B7, numbers=_AARCH64),
}


def unsupported() -> str | None:
    """Why this platform cannot be confined, as a clause; None if it is supported."""
    if sys.platform != "linux":
        return f"confinement needs Linux, this is {sys.platform}"
    if platform.machine() not in ARCHITECTURES or sys.maxsize < 2**32:
        return f"confinement knows 64-bit {' and '.join(ARCHITECTURES)}, this is {platform.machine()}"
    return None


def architecture() -> Architecture:
    """The table of this machine; only valid if `unsupported()` is None."""
    return ARCHITECTURES[platform.machine()]
