"""All clips of a filter, in no order, as a query of their ids: where indexes find few of them, or all of them.

It counts as a search does, and leaves out what a search does for the sake of its order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, func, select

from storage.clips.cql2.tree import Predicate, properties
from storage.clips.order import Order
from storage.clips.plan import settings, statements
from storage.clips.plan.caps import Caps
from storage.clips.plan.paths import Access, Known, Member, Paths
from storage.clips.plan.settings import Way
from storage.clips.plan.statements import Residual
from storage.clips.plan.strategy import Search
from storage.statements.forms import Condition, clause
from storage.tables import clips
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
        self._settings = settings.Settings(self.connection)
        self._settings.use(Way.COUNT)
        self._paths = Paths.of(self.predicate, Known.of(self.connection, properties(self.predicate)))
        self._accesses = list(self._paths.accesses())
        self._assumed_ns, self._strays_unknown = None, False  # nothing is narrowed, and nothing walked

    def few(self) -> Any | None:
        """The ids, if an access finds few clips, and counting them can stop early."""
        found = self._few(self.caps.collected)
        return None if found is None else self._of_one(*found)

    @property
    def leaves_to_count(self) -> bool:
        """Whether there is something that `few` has not counted, but `few_at_once` would."""
        return any(path.visits or not path.in_steps for _, access in self._accesses for path in access)

    def few_at_once(self) -> Any | None:
        """The same of what takes longer to count, and of what the indexes of clips find together."""
        if (found := self._few_of(self._at_once())) is not None:
            return self._of_one(*found)
        together = self._on_clips()
        if together and self._has_few_together(together):
            return _ids_on_clips(together, self._residual([]))
        found = self._few_of(self._visited())
        return None if found is None else self._of_one(*found)

    def count_by_index(self) -> int | None:
        """How many clips, if one index has just these, at most `Caps.collected` of them: no clip is looked up."""
        found = self._few(self.caps.collected) if len(self._paths.members) == 1 else None
        if found is None:
            return None
        member, access = found
        if member is None and isinstance(access[0].leading, Column):  # the index has all that the filter asks for
            ids = _ids_on_clips([statements.either(access)], self._residual([]))
        elif member is not None and all(path.exact for path in access):
            ids = statements.ids_of(access)
        else:
            return None
        return int(self.connection.execute(select(func.count()).select_from(ids.subquery())).scalar_one())

    def all(self) -> Any:
        """The ids by one access of each member, whatever their number; their statement is to run as `Way.INTERSECT`."""
        conditions, sets, residual = self._found_by_all()
        return _ids_in_all(sets, residual) if sets else _ids_on_clips(conditions, residual)

    def _of_one(self, member: Member | None, access: Access) -> Any:
        exact = [member] if member is not None and all(path.exact for path in access) else []
        if all(path.source is clips for path in access):
            return _ids_on_clips([statements.either(access)], self._residual(exact))
        if exact and len(self._paths.members) == 1:
            return statements.ids_of(access)  # without a look at the clips
        return _ids_in_all([statements.ids_of(access)], self._residual(exact))


def _ids_on_clips(conditions: list[Condition], residual: Residual) -> Any:
    return select(clips.c.id).where(*map(clause, conditions), statements.checked(list(map(clause, residual))))


def _ids_in_all(sets: list[Any], residual: Residual) -> Any:
    return statements.in_all(sets, _ids_on_clips([], residual))
