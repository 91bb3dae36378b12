"""Attacks over sockets of every family."""

from __future__ import annotations

from attack_suite.attack import (
    LANDLOCK_SCOPE,
    LANDLOCK_TCP,
    LANDLOCK_UDP,
    LANDLOCK_UNIX,
    NAMESPACES,
    PRIVILEGES,
    SECCOMP,
    Attack,
    done,
    received,
)

UNCERTAIN = "whether the machine has it is uncertain"

INET = [
    Attack(
        "connect by TCP",
        "socket.create_connection(('127.0.0.1', port), 1).send(b'x')",
        received,
        (SECCOMP, NAMESPACES, LANDLOCK_TCP),
    ),
    Attack(
        "connect by TCP from C",
        "fd = call('socket', 2, 1, 0)\n"
        "address = bytes([2, 0]) + port.to_bytes(2, 'big') + bytes([127, 0, 0, 1]) + bytes(8)\n"
        "if libc.connect(fd, address, 16): raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))",
        received,
        (SECCOMP, NAMESPACES, LANDLOCK_TCP),
    ),
    Attack("wait for connections", "socket.create_server(('127.0.0.1', 0))", done, (SECCOMP, LANDLOCK_TCP)),
    Attack(
        "send a datagram",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', udp_port))",
        received,
        (SECCOMP, NAMESPACES, LANDLOCK_UDP),
    ),
    Attack(
        "connect by an event loop",
        "import asyncio\nasyncio.run(asyncio.open_connection('127.0.0.1', port))",
        received,
        (SECCOMP, NAMESPACES, LANDLOCK_TCP),
    ),
    Attack(
        "ask a name server",
        "question = bytes(12) + b'\\x07example\\x03com\\0\\0\\1\\0\\1'\n"
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(question, ('127.0.0.1', udp_port))",
        received,
        (SECCOMP, NAMESPACES, LANDLOCK_UDP),
    ),
    Attack("open an inet6 socket", "socket.socket(socket.AF_INET6)", done, (SECCOMP,)),
    Attack(
        "open a raw socket",
        "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
        done,
        (SECCOMP, PRIVILEGES),
        root=True,
    ),
]

UNIX = [
    Attack(
        "connect by a path",
        "socket.socket(socket.AF_UNIX).connect(unix_stream)",
        received,
        (SECCOMP, LANDLOCK_UNIX),
    ),
    Attack(
        "send by a path",
        "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'x', unix_datagram)",
        received,
        (SECCOMP, LANDLOCK_UNIX),
    ),
    Attack(
        "connect by an abstract name",
        "socket.socket(socket.AF_UNIX).connect(abstract_stream)",
        received,
        (SECCOMP, NAMESPACES, LANDLOCK_SCOPE),
    ),
    Attack(
        "send by an abstract name",
        "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'x', abstract_datagram)",
        received,
        (SECCOMP, NAMESPACES, LANDLOCK_SCOPE),
    ),
    Attack("make a pair of sockets", "socket.socketpair()", done, (SECCOMP,)),
]

OTHERS = [
    Attack("talk to the kernel's network", "socket.socket(16, socket.SOCK_RAW, 0)", done, (SECCOMP,)),
    Attack("listen on the wire", "socket.socket(17, socket.SOCK_RAW, 3)", done, (SECCOMP, PRIVILEGES), root=True),
    *(
        Attack(
            f"open a socket of the family {name}",
            f"socket.socket({number}, {kind})",
            done,
            (SECCOMP,),
            control="none",
            why=UNCERTAIN,
        )
        for name, number, kind in (
            ("AX.25", 3, 2),
            ("key", 15, 3),
            ("CAN", 29, 3),
            ("TIPC", 30, 1),
            ("bluetooth", 31, 3),
            ("crypto", 38, 5),
            ("vsock", 40, 1),
            ("XDP", 44, 3),
        )
    ),
    Attack(
        "open a socket of any family",
        "result = []\n"
        "for family in range(46):\n"
        "    for kind in (1, 2, 3, 5):\n"
        "        try: result.append((family, call('socket', family, kind, 0)))\n"
        "        except OSError: pass\n"
        "if not result: raise OSError(1, 'Operation not permitted')",
        done,
        (SECCOMP,),
    ),
]

FAMILIES = {"sockets, inet": INET, "sockets, unix and abstract": UNIX, "sockets, others": OTHERS}
