"""Calls into the kernel for which Python has no function: prctl(2), and system calls by number (Linux only)."""

from __future__ import annotations

import ctypes
import os
import sys

_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def prctl(option: int, *arguments: int) -> int:
    """prctl(2) with up to four arguments; OSError if it fails."""
    words = (*arguments, 0, 0, 0, 0)[:4]
    return _checked(_libc().prctl(ctypes.c_int(option), *map(ctypes.c_ulong, words)))


def system_call(number: int, *arguments: int | bytes | ctypes.Array[ctypes.c_char] | None) -> int:
    """A system call by its number; bytes are passed as their address. OSError if it fails."""
    words = [value if isinstance(value, bytes | ctypes.Array) else ctypes.c_long(value or 0) for value in arguments]
    return _checked(_libc().syscall(ctypes.c_long(number), *words))


def _libc() -> ctypes.CDLL:
    if _LIBC is None:
        raise OSError(f"{sys.platform} is not Linux")
    return _LIBC


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
