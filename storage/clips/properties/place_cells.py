"""Cells of the H3 grid: where a clip begins, as a name that can be counted by and asked for.

A clip has one cell, that of its first position, so that the counts of cells add up to the clips. It is stored at the
finest resolution with the track; coarser cells are computed from its digits (https://h3geo.org, index structure: the
resolution is in bits 52 to 55, and a digit of three bits follows for each resolution, all ones beyond the cell's own).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, ColumnElement, Text, cast, func, literal
from sqlalchemy.dialects.postgresql import BIT

from triggers.clips.place_cells import cell_at

_RESOLUTION_BITS = 15 << 52


def cell_of(track: Sequence[tuple[float, float]]) -> str | None:
    """The cell in which a track of (latitude, longitude) in degrees begins; None without a position."""
    return cell_at(*track[0]) if track else None


def coarser(cell: ColumnElement[str], resolution: int) -> ColumnElement[str]:
    """The cell of a coarser resolution that a stored cell lies in; NULL for NULL, a clip without a position."""
    # `x871f...` is how PostgreSQL reads hex digits as bits.
    index = cast(cast(literal("x", Text) + func.lpad(cell, 16, "0", type_=Text), BIT(64)), BigInteger)
    beyond = (1 << 3 * (15 - resolution)) - 1
    kept = ~(_RESOLUTION_BITS | beyond)
    parent = index.op("&")(literal(kept, BigInteger)).op("|")(literal(resolution << 52 | beyond, BigInteger))
    return func.to_hex(parent, type_=Text)
