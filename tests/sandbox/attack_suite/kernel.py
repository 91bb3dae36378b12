"""Attacks on the kernel's rarer interfaces. Arguments are empty or wrong: to be let in is already the success."""

from __future__ import annotations

from attack_suite.attack import PRIVILEGES, SECCOMP, Attack, done

ONLY = (SECCOMP,)
WITH_PRIVILEGES = (SECCOMP, PRIVILEGES)
UNCERTAIN = "whether the machine's kernel has it, and for whom, is uncertain"


def _maybe(name: str, source: str, holders: tuple[str, ...] = ONLY) -> Attack:
    return Attack(name, source, done, holders, control="none", why=UNCERTAIN)


IO_URING = [
    _maybe("set up io_uring", "call('io_uring_setup', 1, ctypes.create_string_buffer(120))"),
    Attack("set up asynchronous reading", "call('io_setup', 1, ctypes.create_string_buffer(8))", done, ONLY),
]

INTERFACES = [
    _maybe("load a bpf program", "reach('bpf', 0, None, 0)"),
    _maybe("watch performance", "reach('perf_event_open', None, 0, -1, -1, 0)"),
    _maybe("read the keyring", "call('keyctl', 0, -3, 0)"),
    _maybe("add a key", "reach('add_key', b'user', b'x', b'y', 1, -3)"),
    _maybe("request a key", "reach('request_key', b'user', b'x', None, -3)"),
    _maybe("catch page faults", "call('userfaultfd', 0)"),
    _maybe("keep secret memory", "call('memfd_secret', 0)"),
    Attack("make a file in memory", "call('memfd_create', b'x', 0)", done, ONLY),
    Attack(
        "make shared memory",
        "call('shmget', 0, 4096, 0o1600)",
        done,
        (SECCOMP,),
        control="none",
        why="it would stay on the machine",
    ),
    Attack(
        "make a message queue",
        "call('msgget', 0, 0o1600)",
        done,
        ONLY,
        control="none",
        why="it would stay on the machine",
    ),
    Attack(
        "make semaphores",
        "call('semget', 0, 1, 0o1600)",
        done,
        ONLY,
        control="none",
        why="it would stay on the machine",
    ),
    _maybe("make a queue with a name", "reach('mq_open', b'', 0o102, 0o600, 0)"),
    Attack("watch files", "call('inotify_init1', 0)", done, ONLY),
    _maybe("watch every file", "reach('fanotify_init', 0, 0)"),
    Attack("wait for many events", "call('epoll_create1', 0)", done, ONLY),
    Attack("make an event counter", "call('eventfd2', 0, 0)", done, ONLY),
    Attack("make a timer", "call('timerfd_create', 1, 0)", done, ONLY),
    Attack("read the kernel's log", "reach('syslog', 10, None, 0)", done, WITH_PRIVILEGES, root=True),
    Attack("add a filter of its own", "reach('seccomp', 2, 0, ctypes.create_string_buffer(4))", done, ONLY),
    Attack("turn off address randomisation", "call('personality', 0x0040000)", done, ONLY),
    Attack("take another scheduling class", "os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))", done, ONLY),
    Attack("move to another core", "os.sched_setaffinity(0, os.sched_getaffinity(0))", done, ONLY),
    Attack("change its niceness", "os.nice(1)", done, ONLY),
    Attack(
        "raise its limits", "import resource\nresource.setrlimit(resource.RLIMIT_STACK, (1 << 20, 1 << 30))", done, ONLY
    ),
    Attack(
        "lock memory",
        "call('mlock', id(MARK), 1)",
        done,
        (SECCOMP,),
        control="none",
        why="how much may be locked is the machine's matter",
    ),
]

OWNERSHIP = [
    Attack(
        "enter a user namespace",
        "call('unshare', 0x10000000)",
        done,
        ONLY,
        control="none",
        why="Ubuntu and containers deny it to everyone",
    ),
    Attack("enter a network namespace", "call('unshare', 0x40000000)", done, WITH_PRIVILEGES, root=True),
    Attack(
        "enter another's namespaces",
        "call('setns', os.pidfd_open(victim), 0x40000000)",
        done,
        WITH_PRIVILEGES,
        root=True,
    ),
    Attack("become another user", "os.setuid(1)", done, WITH_PRIVILEGES, root=True),
    Attack("become another group", "os.setgid(1)", done, WITH_PRIVILEGES, root=True),
    Attack("change its root", "os.chroot('/')", done, WITH_PRIVILEGES, root=True),
    Attack(
        "mount a file system",
        "reach('mount', b'none', folder.encode(), b'absent', 0, None)",
        done,
        WITH_PRIVILEGES,
        root=True,
    ),
    Attack("unmount a file system", "reach('umount2', folder.encode(), 0)", done, WITH_PRIVILEGES, root=True),
    Attack("make a file system", "call('fsopen', b'tmpfs', 0)", done, WITH_PRIVILEGES, root=True),
    Attack("copy a mount", "call('open_tree', -100, b'/', 1)", done, WITH_PRIVILEGES, root=True),
    Attack("swap the root", "reach('pivot_root', b'/', b'/')", done, WITH_PRIVILEGES, root=True),
    Attack("rename the machine", "reach('sethostname', None, 5)", done, WITH_PRIVILEGES, root=True),
    Attack("restart the machine", "reach('reboot', 0, 0, 0, None)", done, WITH_PRIVILEGES, root=True),
    _maybe("load a kernel module", "reach('init_module', None, 0, b'')", WITH_PRIVILEGES),
    _maybe("unload a kernel module", "reach('delete_module', b'absent', 0)", WITH_PRIVILEGES),
    _maybe("load a kernel", "reach('kexec_load', 0, 0, None, 1 << 40)", WITH_PRIVILEGES),
    _maybe("add swap", "reach('swapon', b'/absent', 0)", WITH_PRIVILEGES),
    _maybe("account for processes", "reach('acct', b'/absent')", WITH_PRIVILEGES),
    _maybe("read disk quotas", "reach('quotactl', 0x80000100, None, 0, None)"),
]

FOREIGN_TABLES = [
    Attack(
        "call by the table of 32 bits",
        # mov eax, 2 (fork); int 0x80; test eax, eax; jnz +9; xor edi, edi; mov eax, 60; syscall; ret
        "code = bytes.fromhex('b802000000cd8085c0750931ffb83c0000000f05c3')\nos.waitpid(execute_machine_code(code), 0)",
        done,
        ONLY,
        control="none",
        why="kernels can be built without it",
        machine="x86_64",
    ),
    Attack(
        "call by the table of x32",
        # mov eax, 0x40000039 (fork); syscall; ret
        "execute_machine_code(bytes.fromhex('b8390000400f05c3'))",
        done,
        ONLY,
        control="none",
        why="kernels can be built without it",
        machine="x86_64",
    ),
]

FAMILIES = {
    "io_uring and aio": IO_URING,
    "kernel interfaces": INTERFACES,
    "namespaces, mounts, users": OWNERSHIP,
    "foreign call tables": FOREIGN_TABLES,
}
