"""The indexes of the catalog by property: which column of which table has its values in order.

`ix_` names are those of storage/tables/clips.py. An index whose next columns are `recorded_ns` and the id has the clips
of one value with the latest first, so that a page of them is a range of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Table, func, true

from storage.clips.plan.members.bounds import Bounds
from storage.clips.properties import Property, SortType, require_property
from storage.clips.properties.lookup import STATISTIC_COLUMNS
from storage.statements.forms import Condition, clause
from storage.tables import clip_fires, clips, labels, signal_statistics

_ANY: ColumnElement[bool] = true()


@dataclass(frozen=True)
class Index:
    """An ordered index of `column`; `by_time` is above 0 if the clips of one value are in the order of
    `recorded_ns` in it, and higher the fewer clips a value has as a rule."""

    name: str
    source: Table = field(compare=False)
    column: ColumnElement[Any] = field(compare=False)
    kind: SortType = "integer"
    by_time: int = 0
    visits: bool = False
    """Of an expression: PostgreSQL reads the rows of the table, too, where an index of a column is enough."""
    where: ColumnElement[bool] = field(default=_ANY, compare=False)
    """What rows of the table must be to stand in it."""
    in_order: bool = False
    """Whether the clips of one value are in the order of their ids, so that a page sorted by it is a range."""

    @property
    def has_nulls(self) -> bool:
        """Whether rows without a value stand in it."""
        return self.where is _ANY

    def condition(self, bounds: Bounds) -> Condition:
        """Bounds of its column as a condition that it answers.

        One value of an index by time is written as a range: ordered by this column as well, the rows are then in the
        order of this index and of no other, which is what PostgreSQL should use.
        """
        one = bounds.choices[0] if bounds.choices is not None and len(bounds.choices) == 1 else None
        if self.by_time and one is not None:
            bounds = Bounds(one, one)
        within = bounds.condition(self.column, self.kind)
        return within if self.has_nulls else self.where & clause(within)


def clip_id(source: Table) -> ColumnElement[str]:
    """The id of the clip that a row of one of the catalog's tables belongs to."""
    column: ColumnElement[str] = source.c.id if source is clips else source.c.clip_id
    return column


def _of_clip(name: str, kind: SortType, *, by_time: int = 0, visits: bool = False, in_order: bool = True) -> Index:
    return Index(name, clips, require_property(name).expression, kind, by_time, visits, in_order=in_order)


def _of_some_clips(name: str, *, in_order: bool) -> Index:
    column = require_property(name).expression
    return Index(name, clips, column, "text", where=column.is_not(None), in_order=in_order)


START, END, RECORDED = (_of_clip(name, "integer") for name in ("start", "end", "recorded"))
STORED, READY, EXPIRES = (_of_clip(name, "integer", visits=True) for name in ("stored_at", "ready_at", "expires_at"))
_DAMAGE = Index("damage", clips, func.left(clips.c.damage, 100), "text", where=clips.c.damage.is_not(None))
_CLIPS = (
    _of_clip("id", "text"),
    *(_of_clip(name, "text", in_order=False) for name in ("recording_id", "digest")),
    _of_clip("state", "text", by_time=1, in_order=False),
    _of_clip("vehicle", "text", by_time=6),
    _of_clip("size_bytes", "integer"),
    _of_clip("duration_s", "float", visits=True),
    START,
    END,
    RECORDED,
    STORED,
    READY,
    EXPIRES,
    _of_some_clips("place_cell", in_order=True),
    _of_some_clips("duplicate_of", in_order=False),
)
_FIRES = (
    Index("version", clip_fires, clip_fires.c.version, "integer", by_time=2),
    Index("campaign", clip_fires, clip_fires.c.campaign, "text", by_time=3),
    Index("trigger", clip_fires, clip_fires.c.trigger, "text", by_time=4),
    Index("program_digest", clip_fires, clip_fires.c.program_digest, "text", by_time=5),
    Index("fire_time", clip_fires, clip_fires.c.t_ns, "integer"),
    Index("inclusion_probability", clip_fires, clip_fires.c.inclusion_probability, "float"),
)
_BY_NAME = {index.name: index for index in (*_CLIPS, *_FIRES)} | {
    "start_ns": START,
    "end_ns": END,
    "fire_time_ns": next(index for index in _FIRES if index.name == "fire_time"),
    "labeler": Index("labeler", labels, labels.c.labeler, "text"),
}


def index_of(asked: Property) -> Index | None:
    """The index of a property with one value per clip, or per fire; None if it has another kind of index, or none."""
    return _BY_NAME.get(asked.name)


def statistic_index(asked: Property) -> Index:
    """The index of a signal's statistic; it has the signals that are declared `indexed`."""
    column = STATISTIC_COLUMNS[asked.name.rpartition(".")[2]]
    table = signal_statistics.c
    kind: SortType = "integer" if column == "samples" else "float"
    of_signal = (table.signal == asked.signal) & table.indexed
    return Index(f"{asked.signal}.{column}", signal_statistics, table[column], kind, where=of_signal, in_order=True)


def damage_bounds(bounds: Bounds) -> Condition | None:
    """The condition for texts of damage, of which the index has the beginnings; None without choices."""
    if bounds.choices is None:
        return None
    return _DAMAGE.condition(Bounds(choices=tuple(choice[:100] for choice in bounds.choices)))
