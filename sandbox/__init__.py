"""Confinement of generated Python: `Sandbox.run("module:function", payload)` in a fresh process that can do no harm.

The target is host-written; it is handed bytes that hold generated code, and may execute them.

Threat model: the code is hostile, knows this program, and runs machine code of its own if it likes. What is protected,
from what, and by which layer:

| protected                         | from                                          | by                               |
| --------------------------------- | --------------------------------------------- | -------------------------------- |
| keys, the host's environment      | os.environ, /proc/*/environ, its own memory   | environment (exec with a clean   |
|                                   |                                               | one, before all else)            |
| files, to read or to write        | paths, links, races, handles, files in memory | seccomp, Landlock                |
| the network                       | sockets of every family, abstract sockets     | seccomp, namespaces, Landlock    |
| other processes                   | signals, ptrace, their memory, descriptors    | seccomp, Landlock, descriptors   |
| the machine                       | fork bombs, programs, mounts, other users     | seccomp, privileges, Landlock    |
| the kernel                        | io_uring, bpf, perf, keys, userfaultfd, ioctl | seccomp                          |
| the host's memory                 | allocations, bombs, recursion, many threads   | rlimits (on what is mapped),     |
|                                   |                                               | watchdog (on what is filled)     |
|                                   | shared pages that outlive their mapping       | seccomp                          |
|                                   | floods of output                              | output cap                       |
| the host's time                   | loops, also in C; sleep, stops, dead locks    | clock, rlimits, the host's own   |
|                                   |                                               | second clock                     |
| other candidates' data, results   | leftover memory, patched libraries, poison in | a fork and two pipes for every   |
|                                   | the warm zygote, the zygote's words forged    | run, descriptors, private memory |
| the fitness figure                | forged answers                                | `eureka.trainers`, not here: it  |
|                                   |                                               | runs no word of an answer        |

Every layer is one module with one interface (`layer.py`: apply, report); clock and watchdog are kept by the zygote and
the output cap by the host, from outside the child. `Sandbox.layers` reports each layer's state. Namespaces and Landlock
are taken where the machine has them: Ubuntu and Docker deny the first, old kernels lack the second. Where a mandatory
layer is missing, or where a canary, a forbidden act that every child tries on itself before it runs its target,
succeeds, nothing runs and `SandboxUnavailable` says what is missing and how to get it. Supported are 64-bit Linux on
x86-64 and aarch64; everything else is refused. Mode `unsafe` is the only way around: the same processes with a clean
environment, clock, watchdog, output cap and rlimits, and without protection of files, network and processes.

Not covered: what a target's answer says (it is bytes from a process that ran generated code: parse it as hostile);
side channels through the processor's caches and timing; bugs of the kernel in the some fifty calls that are left; what
the machine tells anyone (its name, its kernel's version, its load, the user's number); physical memory shared by many
runs at once (each may fill its own limit; where the machine runs out, its kernel ends a child first); and the target
and the warm-up themselves, which are host code and trusted.

A second profile, `worker_profile.py`, is for trusted processes that go on to compute verified graphs: training workers
give up files, sockets, programs and processes once they have warmed up.

How it works: the zygote (`zygote.py`), started by exec, warms up and forks a child for every job; the child
(`child.py`) applies the layers (`stack.py`), tries the canaries, reports, closes every way back but the pipe of its
answer, and calls the target; the host (`host.py`, `run.py`, `launch.py`) listens and judges. `make attacks` prints who
stops each of some four hundred attacks, with everything on and with each layer off.
"""

from eureka.sandbox.host import Sandbox, inspect_layers
from eureka.sandbox.results import Failed, Finished, LayerReport, Limits

__all__ = ["Failed", "Finished", "LayerReport", "Limits", "Sandbox", "inspect_layers"]
