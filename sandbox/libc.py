"""The C library by ctypes: raw system calls and prctl, with errors as `OSError`."""

from __future__ import annotations

import ctypes
import os

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long

Argument = int | bytes | ctypes.Array[ctypes.c_char] | None


def syscall(number: int, *arguments: Argument) -> int:
    """Make one system call; integers are passed as C longs, bytes and buffers by address.

    Raises:
        OSError: the kernel's error number and its text.
    """
    words = [ctypes.c_long(argument) if isinstance(argument, int) else argument for argument in arguments]
    result = int(_libc.syscall(ctypes.c_long(number), *words))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def prctl(option: int, argument: int = 0) -> int:
    """prctl(2) with one argument, the others zero.

    Raises:
        OSError: the kernel's error number and its text.
    """
    words = [ctypes.c_ulong(word) for word in (argument, 0, 0, 0)]
    result = int(_libc.prctl(ctypes.c_int(option), *words))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def unshare(flags: int) -> None:
    """unshare(2).

    Raises:
        OSError: the kernel's error number and its text.
    """
    if _libc.unshare(ctypes.c_int(flags)) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
