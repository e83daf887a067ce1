"""How much memory the server may take for its own cache of pages: a share of what this process may have.

A page that PostgreSQL has not in its cache it copies from that of the operating system, checks and gives a place, which
takes longer than most searches do with it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_MB = 1024 * 1024
_LEAST, _MOST = 192 * _MB, 1024 * _MB
_SHARE = 8
"""One part in so many: PostgreSQL's manual has a quarter, for a machine on which nothing else runs."""


def shared_buffers(available: int) -> str:
    """The setting where so many bytes of memory are there.

    >>> shared_buffers(4 * 1024**3)
    '512MB'
    """
    return f"{min(max(available // _SHARE, _LEAST), _MOST) // _MB}MB"


def available_bytes(root: Path = Path("/")) -> int:
    """The machine's memory, or the least that a control group of this process may have (Linux, version 2)."""
    return min([os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), *_limits(root)])


def _limits(root: Path) -> Iterator[int]:
    try:
        groups = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    top = root / "sys/fs/cgroup"
    for own in (line.removeprefix("0::/") for line in groups if line.startswith("0::/")):
        for group in (top / own, *(top / own).parents):
            limit = _limit(group)
            if limit is not None:
                yield limit
            if group == top:
                break


def _limit(group: Path) -> int | None:
    """The bytes that a group may have; None without a limit, and for the group at the top, which has no such file."""
    try:
        text = (group / "memory.max").read_text().strip()
    except OSError:
        return None
    return None if text == "max" else int(text)
