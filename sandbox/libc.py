"""The C library by ctypes: raw system calls and prctl, with errors as `OSError`."""

from __future__ import annotations

import ctypes
import os

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_libc.mmap.restype = ctypes.c_void_p

_PRIVATE_ANONYMOUS_FIXED = 0x02 | 0x20 | 0x10

Argument = int | bytes | ctypes.Array[ctypes.c_char] | None


def _error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))


def syscall(number: int, *arguments: Argument) -> int:
    """Make one system call; integers are passed as C longs, bytes and buffers by address.

    Raises:
        OSError: the kernel's error number and its text.
    """
    words = [ctypes.c_long(argument) if isinstance(argument, int) else argument for argument in arguments]
    result = int(_libc.syscall(ctypes.c_long(number), *words))
    if result < 0:
        raise _error()
    return result


def prctl(option: int, argument: int = 0) -> int:
    """prctl(2) with one argument, the others zero.

    Raises:
        OSError: the kernel's error number and its text.
    """
    words = [ctypes.c_ulong(word) for word in (argument, 0, 0, 0)]
    result = int(_libc.prctl(ctypes.c_int(option), *words))
    if result < 0:
        raise _error()
    return result


def map_private(address: int, size: int, protection: int) -> None:
    """mmap(2): private empty memory at exactly this address, in the place of what was there.

    Raises:
        OSError: the kernel's error number and its text.
    """
    words = ctypes.c_void_p(address), ctypes.c_size_t(size), ctypes.c_int(protection)
    if _libc.mmap(*words, ctypes.c_int(_PRIVATE_ANONYMOUS_FIXED), ctypes.c_int(-1), ctypes.c_long(0)) != address:
        raise _error()


def mprotect(address: int, size: int, protection: int) -> None:
    """mprotect(2).

    Raises:
        OSError: the kernel's error number and its text.
    """
    if _libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(size), ctypes.c_int(protection)) < 0:
        raise _error()


def unshare(flags: int) -> None:
    """unshare(2).

    Raises:
        OSError: the kernel's error number and its text.
    """
    if _libc.unshare(ctypes.c_int(flags)) < 0:
        raise _error()
