"""All clips of a filter, in no order, as a query of their ids: where indexes find few of them, or all of them.

It counts as a search does, and leaves out what a search does for the sake of its order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, intersect, select

from storage.clips.cql2.tree import Predicate, properties
from storage.clips.order import Order
from storage.clips.plan import settings, statements
from storage.clips.plan.members.choices import Choices
from storage.clips.plan.paths import Access, Condition, Known, Member, Paths
from storage.clips.plan.settings import Way
from storage.clips.plan.strategy import Caps, Search
from storage.tables import clips, indexed_signals
from triggers.contracts.api.clips import DEFAULT_SORT


@dataclass
class Selection(Search):
    """What indexes find of one filter."""

    @classmethod
    def of(cls, connection: Connection, predicate: Predicate, caps: Caps) -> Selection:
        """The clips for which a filter is true."""
        return cls(connection, predicate, Order.parse(DEFAULT_SORT), None, 0, caps)

    def __post_init__(self) -> None:
        assert self.predicate is not None  # noqa: S101 - see `of`
        settings.use(self.connection, Way.COUNT)
        signals = {asked.signal for asked in properties(self.predicate)} - {None}
        complete = select(indexed_signals.c.signal).where(indexed_signals.c.complete)
        known = Known(set(self.connection.execute(complete).scalars()) if signals else (), Choices(self.connection))
        self._paths = Paths.of(self.predicate, known)
        self._accesses = list(self._paths.accesses())

    def few(self) -> Any | None:
        """The ids, if an access finds few clips, and counting them can stop early."""
        found = self._few()
        return None if found is None else self._of_one(*found)

    @property
    def leaves_to_count(self) -> bool:
        """Whether there is something that `few` has not counted, but `few_at_once` would."""
        return any(path.visits or not path.in_steps for _, access in self._accesses for path in access)

    def few_at_once(self) -> Any | None:
        """The same of what takes longer to count; at last what the indexes of clips find together."""
        if (found := self._few_at_once()) is not None:
            return self._of_one(*found)
        together = self._on_clips()
        if together and self._count_together(together) <= self.caps.collected:
            return _on_clips(together, self._residual([]))
        return None

    def all(self) -> Any:
        """The ids by one access of each member, whatever their number; their statement is to run as `Way.INTERSECT`."""
        of_clips, others, exact = self._one_of_each(())
        conditions, residual = [statements.either(access) for access in of_clips], self._residual(exact)
        if not others:
            return _on_clips(conditions, residual)
        sets = [statements.ids_of(access) for access in others]
        sets += [select(clips.c.id).where(*conditions)] if conditions else []
        return _in_all(sets, residual)

    def _of_one(self, member: Member | None, access: Access) -> Any:
        is_exact = member is not None and all(path.exact for path in access)
        if all(path.source is clips for path in access):
            return _on_clips([statements.either(access)], self._residual([member] if member and is_exact else []))
        if is_exact and len(self._paths.members) == 1:
            return statements.ids_of(access)  # without a look at the clips
        return _in_all([statements.ids_of(access)], self._residual([member] if member and is_exact else []))


def _on_clips(conditions: list[Condition], residual: Condition) -> Any:
    return select(clips.c.id).where(*conditions, statements.checked([residual]))


def _in_all(sets: list[Any], residual: Condition) -> Any:
    every: Any = intersect(*sets) if len(sets) > 1 else sets[0]
    ids = every.cte("ids").prefix_with("MATERIALIZED", dialect="*")
    found: Any = select(clips.c.id).where(statements.checked([residual]))
    return found.join_from(ids, clips, ids.c.id == clips.c.id)
