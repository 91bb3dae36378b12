"""Confinement of generated Python: `Sandbox.run("module:function", payload)` in a fresh process that can do no harm.

The target is host-written; it is handed bytes that hold generated code, and may execute them. What is protected, from
what, and by which layer:

| protected                            | from                                          | by                            |
| ------------------------------------ | --------------------------------------------- | ----------------------------- |
| keys, all the host's environment     | os.environ, /proc/*/environ, its own memory   | exec with a clean one         |
| files, to read or to write           | paths, links, handles, files in memory        | seccomp, Landlock             |
| the network                          | sockets of every family, abstract sockets     | seccomp, namespaces, Landlock |
| other processes                      | signals, ptrace, their memory, descriptors    | seccomp, privileges, Landlock |
| the machine                          | fork bombs, programs, mounts, set-user-id     | seccomp, privileges           |
| the kernel                           | io_uring, bpf, perf, keys, userfaultfd, ioctl | seccomp                       |
| memory and time                      | allocations, loops, sleep, ignored signals    | rlimits, the zygote's clock   |
| the host's memory                    | floods of output                              | the host's byte cap           |
| other runs' payloads, answers, state | leftover memory, monkey-patching, forgery     | a fork and two pipes a run    |

`layers` reports each layer's state. Namespaces and Landlock are taken where the machine has them; where a mandatory
layer is missing, or where a canary, a forbidden act that every child tries on itself before it runs its target,
succeeds, nothing runs and `SandboxUnavailable` says what is missing and how to get it. Supported are 64-bit Linux on
x86-64 and aarch64; everything else is refused. Mode `unsafe` is the only way around: the same processes with a clean
environment, the clock, the byte cap and rlimits, and without protection of files, network and processes.

Not covered: what a target's answer says (it is bytes from a process that ran generated code: parse it as hostile);
side channels through the processor's caches and timing; bugs of the kernel in the some fifty calls that are left;
physical memory shared by many runs at once (each may map its own limit); and the target and the warm-up themselves,
which are host code and trusted.

How it works: the zygote (`zygote.py`), started by exec, warms up and forks a child for every job; the child
(`child.py`) applies the layers (`stack.py`, one module each), tries the canaries, reports, closes every way back but
the pipe of its answer, and calls the target; the host (`host.py`, `run.py`, `launch.py`) listens and judges.
"""

from eureka.sandbox.host import Sandbox, inspect_layers
from eureka.sandbox.results import Failed, Finished, LayerReport, Limits

__all__ = ["Failed", "Finished", "LayerReport", "Limits", "Sandbox", "inspect_layers"]
