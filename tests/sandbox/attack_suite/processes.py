"""Attacks by new programs and processes, on other processes, and by threads."""

from __future__ import annotations

from attack_suite.attack import (
    FORK,
    GREED,
    LANDLOCK,
    LANDLOCK_SCOPE,
    RLIMITS,
    SECCOMP,
    WATCHDOG,
    Attack,
    changed,
    done,
    lingers,
    poisoned,
    told,
    victim_hurt,
)

ONLY = (SECCOMP,)
EXECUTE = (SECCOMP, LANDLOCK)
SIGNAL = (SECCOMP, LANDLOCK_SCOPE)
TRACE = (SECCOMP, LANDLOCK)
UNSAFE_HERE = "it would go on in the memory that it shares with its parent"

EXEC = [
    Attack("become another program", "os.execv('/usr/bin/touch', ['touch', folder + '/new'])", changed, EXECUTE),
    Attack(
        "become a program without a path",
        "fd = os.open('/usr/bin/touch', os.O_RDONLY)\nos.execve(fd, ['touch', folder + '/new'], {})",
        changed,
        EXECUTE,
    ),
    Attack(
        "become a program by execveat",
        "argv = (ctypes.c_char_p * 3)(b'touch', (folder + '/new').encode(), None)\n"
        "argv = ctypes.cast(argv, ctypes.POINTER(ctypes.c_char * 24)).contents\n"
        "call('execveat', -100, b'/usr/bin/touch', argv, None, 0)",
        changed,
        EXECUTE,
    ),
    Attack(
        "become a program in memory",
        "fd = call('memfd_create', b'x', 0)\n"
        "os.write(fd, ('#!/bin/sh\\ntouch ' + folder + '/new\\n').encode())\n"
        "os.execve(fd, ['x'], {})",
        changed,
        (SECCOMP, LANDLOCK, RLIMITS),
    ),
    Attack(
        "become a program by the loader",
        "os.execv('/lib64/ld-linux-x86-64.so.2', ['ld', '/usr/bin/touch', folder + '/new'])",
        changed,
        EXECUTE,
        machine="x86_64",
    ),
    Attack(
        "spawn a program",
        "pid = os.posix_spawn('/usr/bin/touch', ['touch', folder + '/new'], {})\nos.waitpid(pid, 0)",
        changed,
        EXECUTE,
    ),
    Attack("call a shell", "os.system('touch ' + folder + '/new')", changed, EXECUTE),
    Attack("open a shell's pipe", "os.popen('touch ' + folder + '/new').read()", changed, EXECUTE),
    Attack(
        "run a subprocess",
        "import subprocess\nsubprocess.run(['touch', folder + '/new'], check=True)",
        changed,
        EXECUTE,
    ),
    Attack(
        "gain privileges by a program",
        "os.execv('/usr/bin/su', ['su', '-c', 'touch ' + folder + '/new'])",
        changed,
        EXECUTE,
        root=True,
    ),
]

FORKING = [
    Attack("fork", "pid = os.fork()\nif not pid: os._exit(0)\nos.waitpid(pid, 0)", done, ONLY),
    Attack(
        "fork by clone",
        "pid = call('clone', 17, 0, 0, 0, 0)\nif not pid: os._exit(0)\nos.waitpid(pid, 0)",
        done,
        ONLY,
    ),
    Attack(
        "fork by clone3",
        "args = bytearray(88)\nargs[32] = 17\n"
        "pid = call('clone3', bytes(args), 88)\nif not pid: os._exit(0)\nos.waitpid(pid, 0)",
        done,
        ONLY,
    ),
    Attack("fork in the same memory", "call('clone', 0x4111, 0, 0, 0, 0)", done, ONLY, control="none", why=UNSAFE_HERE),
    Attack(
        "fork by machine code",
        # mov eax, 57; syscall; test eax, eax; jnz +9; xor edi, edi; mov eax, 60; syscall; ret
        "code = bytes.fromhex('b8390000000f0585c0750931ffb83c0000000f05c3')\nos.waitpid(execute_machine_code(code), 0)",
        done,
        ONLY,
        machine="x86_64",
    ),
    Attack(
        "fork with a terminal",
        "import pty\npid, fd = pty.fork()\nif not pid: os._exit(0)\nos.waitpid(pid, 0)",
        done,
        (SECCOMP, LANDLOCK),
    ),
    Attack(
        "start a worker",
        "import multiprocessing\n"
        "worker = multiprocessing.get_context('fork').Process(target=open, args=(folder + '/new', 'w'))\n"
        "worker.start()\nworker.join()",
        changed,
        (SECCOMP, LANDLOCK),
    ),
    Attack(
        "leave a process behind",
        "r, w = os.pipe()\n"
        "if not os.fork():\n"
        "    os.setsid()\n"
        "    pid = os.fork()\n"
        "    if pid:\n        os.write(w, str(pid).encode())\n        os._exit(0)\n"
        "    time.sleep(30)\n    os._exit(0)\n"
        "result = os.read(r, 20)",
        lingers,
        ONLY,
    ),
    Attack(
        "bomb with forks",
        "pids = []\n"
        "for _ in range(40):\n"
        "    pid = os.fork()\n"
        "    if not pid:\n        time.sleep(20)\n        os._exit(0)\n"
        "    pids.append(pid)\n"
        "for pid in pids:\n    os.kill(pid, 9)\n    os.waitpid(pid, 0)",
        done,
        ONLY,
    ),
]

THREADS = [
    Attack(
        "read a file from threads",
        "import threading\nfound = []\n"
        "def read():\n"
        "    try: found.append(open(secret).read())\n"
        "    except OSError as error: found.append(repr(error))\n"
        "threads = [threading.Thread(target=read) for _ in range(4)]\n"
        "[t.start() for t in threads]\n[t.join() for t in threads]\n"
        "result = found",
        told,
        (SECCOMP, LANDLOCK),
    ),
    Attack(
        "fork from a thread",
        "import threading\nfound = []\n"
        "def fork():\n"
        "    pid = os.fork()\n    if not pid: os._exit(0)\n    os.waitpid(pid, 0)\n    found.append(pid)\n"
        "thread = threading.Thread(target=fork)\nthreading.excepthook = print\nthread.start()\nthread.join()\n"
        "result = found[0]",
        done,
        ONLY,
    ),
    Attack(
        "bomb with threads",
        "import threading\nthreading.stack_size(1 << 16)\n"
        "for _ in range(600): threading.Thread(target=time.sleep, args=(9,), daemon=True).start()\n"
        "time.sleep(0.3)",
        done,
        (RLIMITS, WATCHDOG),
        limits=GREED,
    ),
    Attack(
        "write after the answer",
        "import threading\n"
        "def late():\n    time.sleep(0.05)\n    open(folder + '/late', 'w')\n"
        "threading.Thread(target=late, daemon=True).start()",
        changed,
        (FORK,),
        control="together",
        then="time.sleep(0.2)",
    ),
]

SIGNALS = [
    Attack("end another process", "os.kill(victim, signal.SIGTERM)", victim_hurt, SIGNAL),
    Attack("stop another process", "os.kill(victim, signal.SIGSTOP)", victim_hurt, SIGNAL),
    Attack("end another process's group", "os.killpg(victim, signal.SIGTERM)", victim_hurt, SIGNAL),
    Attack("end another's thread", "call('tgkill', victim, victim, 15)", victim_hurt, SIGNAL),
    Attack("end another's thread, the old way", "call('tkill', victim, 15)", victim_hurt, SIGNAL),
    Attack(
        "queue a signal",
        "info = bytes([15, 0, 0, 0]) + bytes(4) + (0xFFFFFFFF).to_bytes(4, 'little') + bytes(116)\n"
        "call('rt_sigqueueinfo', victim, 15, info)",
        victim_hurt,
        SIGNAL,
    ),
    Attack(
        "signal by a handle",
        "call('pidfd_send_signal', os.pidfd_open(victim), 15, None, 0)",
        victim_hurt,
        SIGNAL,
    ),
    Attack("reach the zygote by a signal", "os.kill(os.getppid(), 0)", done, SIGNAL),
    Attack("reach the host by a signal", "os.kill(host, 0)", done, SIGNAL, root=True),
    Attack("reach everybody by a signal", "os.kill(-1, 0)", done, ONLY),
    Attack("reach another candidate by a signal", "os.kill(0, 0)", done, ONLY),
    Attack("have another signalled", "import fcntl\nfcntl.fcntl(0, fcntl.F_SETOWN, victim)", done, ONLY),
    Attack("set an alarm", "signal.setitimer(signal.ITIMER_REAL, 1000)", done, ONLY),
    Attack(
        "set a timer with a signal",
        "call('timer_create', 1, None, ctypes.create_string_buffer(8))",
        done,
        ONLY,
    ),
]

_IOVEC = """
import struct
def vector(address, size): return struct.pack('PN', address, size)
here = ctypes.create_string_buffer(len(MARK))
place = id(MARK) + bytes.__basicsize__ - 1
local = vector(ctypes.addressof(here), len(MARK))
remote = vector(place, len(MARK))
"""

PTRACE = [
    Attack("trace another process", "call('ptrace', 16, victim, 0, 0)", done, TRACE, root=True),
    Attack("seize another process", "call('ptrace', 0x4206, victim, 0, 0)", done, TRACE, root=True),
    Attack("be traced by anyone", "libc.prctl(4, 1) and call('tkill', -1, 0)", done, ONLY),
    Attack(
        "name a tracer of one's own",
        "if libc.prctl(0x59616d61, ctypes.c_ulong(2**64 - 1), 0, 0, 0): raise OSError(1, os.strerror(1))",
        done,
        ONLY,
        control="none",
        why="only kernels with Yama know it",
    ),
    Attack(
        "read the zygote's memory",
        _IOVEC + "call('process_vm_readv', os.getppid(), local, 1, remote, 1, 0)\nassert here.raw[:4] == MARK[:4]",
        done,
        TRACE,
        root=True,
    ),
    Attack(
        "change the zygote's memory",
        _IOVEC + "here.raw = b'mark: TAMPERED!'[:len(MARK)]\n"
        "call('process_vm_writev', os.getppid(), local, 1, remote, 1, 0)",
        poisoned,
        TRACE,
        root=True,
        then="result = b'TAMPERED' in MARK",
    ),
    Attack(
        "take another's descriptor",
        "result = call('pidfd_getfd', os.pidfd_open(victim), 0, 0)",
        done,
        TRACE,
        root=True,
    ),
    Attack("hold another process", "result = os.pidfd_open(victim)", done, ONLY),
    Attack("compare two processes", "result = call('kcmp', os.getpid(), victim, 2, 0, 0)", done, TRACE, root=True),
    Attack(
        "advise another's memory",
        _IOVEC + "call('process_madvise', os.pidfd_open(victim), remote, 1, 21, 0)",
        done,
        TRACE,
        control="none",
        why="the victim's addresses are not known",
    ),
    Attack(
        "outlive the zygote",
        "if libc.prctl(1, 0, 0, 0, 0): raise OSError(1, 'not allowed')",
        done,
        ONLY,
    ),
]

FAMILIES = {
    "programs": EXEC,
    "processes": FORKING,
    "threads": THREADS,
    "signals": SIGNALS,
    "ptrace and its kin": PTRACE,
}
