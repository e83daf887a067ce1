"""When the clips of a day were stored, became ready and expire: bounds, by the day of their recording.

What was recorded long ago was mostly stored long ago, so a filter by one time narrows the walk of an order by another.
Bounds are an hour wider than the clips, and written once an hour. Whoever writes one of these times calls `note`.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, text

from storage.clips.properties.margins import MARGIN_NS, widened
from storage.statements.prepared import Prepared
from storage.tables.clips import EXPIRES_NS, READY_NS, STORED_NS
from triggers.times import DAY_NS

_MOMENTS = {"stored": STORED_NS, "ready": READY_NS, "expires": EXPIRES_NS}
_ENDS = [(f"{name}_first_ns", f"{name}_last_ns") for name in _MOMENTS]
_COLUMNS = ", ".join(column for ends in _ENDS for column in ends)
_DAY = f"(recorded_ns / {DAY_NS} - (recorded_ns % {DAY_NS} < 0)::integer)::integer"
_EXTENT = ", ".join(
    f"min({moment}) AS {first}, max({moment}) AS {last}"
    for moment, (first, last) in zip(_MOMENTS.values(), _ENDS, strict=True)
)
# In CASE, as the least of a number and null is the number.
_WIDER = ", ".join(
    f"CASE WHEN d.{column} IS NOT NULL THEN {wider} END"
    for ends in _ENDS
    for column, wider in zip(ends, widened(*(f"d.{end}" for end in ends)), strict=True)
)
_COVERED = " AND ".join(
    f"(d.{first} IS NULL OR k.{first} <= d.{first} AND k.{last} >= d.{last})" for first, last in _ENDS
)
_WIDENED = ", ".join(
    f"{first} = least(clip_days.{first}, excluded.{first}), {last} = greatest(clip_days.{last}, excluded.{last})"
    for first, last in _ENDS
)
# Rows that need no change are not locked; the others always in one order.
_NOTE = """
    INSERT INTO clip_days (day, {columns})
    SELECT d.day, {wider}
    FROM (SELECT {day} AS day, {extent} FROM clips WHERE {these} GROUP BY 1) AS d
    WHERE NOT EXISTS (SELECT FROM clip_days k WHERE k.day = d.day AND {covered})
    ORDER BY d.day
    ON CONFLICT (day) DO UPDATE SET {widened}
"""
_PARTS = {
    "columns": _COLUMNS,
    "wider": _WIDER,
    "day": _DAY,
    "extent": _EXTENT,
    "covered": _COVERED,
    "widened": _WIDENED,
}
_NOTE_THESE = Prepared(text(_NOTE.format(these="id = ANY (CAST(:ids AS text[]))", **_PARTS)))
_NOTE_ALL = text(_NOTE.format(these="true", **_PARTS))


def note(connection: Connection, clip_ids: Collection[str]) -> None:
    """Widen the bounds of the days on which these clips were recorded."""
    _NOTE_THESE.rows(connection, ids=list(clip_ids), margin=MARGIN_NS)


def note_all(connection: Connection) -> None:
    """The same of all clips."""
    connection.execute(_NOTE_ALL, {"margin": MARGIN_NS})
