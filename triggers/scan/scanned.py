"""What became of one clip in a scan."""

from __future__ import annotations

from dataclasses import dataclass

MAX_INSTANTS = 1000
"""Of one clip; further ones are only counted."""


@dataclass(frozen=True, slots=True)
class Scanned:
    """What became of one clip: the instants at which the condition became true, or why it could not be evaluated.

    `t_ns` are the first MAX_INSTANTS of `count` instants, ascending.
    """

    t_ns: tuple[int, ...] = ()
    count: int = 0
    problem: str | None = None
