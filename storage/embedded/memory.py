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
    """The machine's memory, or the least that a control group of this process may have (Linux, versions 1 and 2)."""
    return min([os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), *_limits(root)])


def _limits(root: Path) -> Iterator[int]:
    try:
        groups = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in groups:
        _, controllers, own = line.split(":", 2)
        if not controllers:
            yield from _of_groups(root / "sys/fs/cgroup", own, "memory.max")
        elif "memory" in controllers.split(","):
            yield from _of_groups(root / "sys/fs/cgroup/memory", own, "memory.limit_in_bytes")


def _of_groups(top: Path, own: str, file: str) -> Iterator[int]:
    """The limits of a group and of those that it is in, up to the top, where a container may find its own."""
    group = top / own.lstrip("/")
    for each in (group, *group.parents):
        limit = _limit(each / file)
        if limit is not None:
            yield limit
        if each == top:
            break


def _limit(file: Path) -> int | None:
    """The bytes that a group may have; None without a limit, and where there is no such group or file."""
    try:
        text = file.read_text().strip()
    except OSError:
        return None
    return None if text == "max" else int(text)
