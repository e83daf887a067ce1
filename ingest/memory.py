"""Memory that large buffers leave behind: given back to the system at once, instead of kept for the next ones."""

from __future__ import annotations

import ctypes

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # malloc.h of glibc
_THRESHOLD_BYTES = 128 * 1024
_ARENAS = 2


def return_freed_buffers() -> bool:
    """Let the C library map buffers of cells and parts one by one; False where it is another than glibc.

    By itself glibc raises its threshold up to 32 MiB with the largest buffer that was freed. Buffers then come from
    heaps (one per few threads) that shrink only from their ends: a worker that had moved 700 MB kept 430 MB.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, _THRESHOLD_BYTES)) and bool(mallopt(_M_ARENA_MAX, _ARENAS))
