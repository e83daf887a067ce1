"""What PostgreSQL's planner may choose from, for one kind of statement at a time.

Whether a page is found by walking or by collecting is decided here by counting, and a statement is one of them. The
planner does not know how far a walk goes, nor how values hang together, so it is left no other way.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import cache

from sqlalchemy import Connection

from storage.statements.parameters import set_local

_ALWAYS: Mapping[str, str] = {
    "jit": "off",  # it takes longer than the whole search
    "plan_cache_mode": "force_custom_plan",  # an index of an expression or of some rows is found for literals only
    "max_parallel_workers_per_gather": "0",
    "enable_seqscan": "off",
}
_JOINS = ("enable_hashjoin", "enable_mergejoin")


class Way(Enum):
    """How rows are found: `COUNT` one after the other, so that counting them can stop,
    `WALK` in the order of an index, `COLLECT` by an index and sorted, `INTERSECT` by several
    indexes that all have many."""

    COUNT = "count"
    WALK = "walk"
    COLLECT = "collect"
    INTERSECT = "intersect"


_ONE_BY_ONE = (*_JOINS, "enable_bitmapscan", "enable_sort", "enable_incremental_sort")
_OFF: Mapping[Way, tuple[str, ...]] = {
    Way.COUNT: _ONE_BY_ONE,  # nothing is sorted for it, so that a walk follows without another statement
    Way.WALK: _ONE_BY_ONE,
    Way.COLLECT: _JOINS,
    Way.INTERSECT: (),
}
_NO_MORE: Mapping[str, str] = {}
_WITHOUT_JIT = {"jit": "off"}
_SWITCHED = sorted({name for names in _OFF.values() for name in names} | set(_ALWAYS))


def use(connection: Connection, way: Way, more: Mapping[str, str] = _NO_MORE) -> None:
    """Let the statements that follow in this transaction be of one kind; `more` are further parameters for them."""
    set_local(connection, {**values_of(way), **more})


def reset(connection: Connection) -> None:
    """Leave the choice to the planner again, except for what never helps a search."""
    set_local(connection, {name: "on" for name in _SWITCHED if name.startswith("enable_")} | _WITHOUT_JIT)


def without_jit(connection: Connection) -> None:
    """Let no statement that follows in this transaction be compiled: for a filter that takes longer than to run it."""
    set_local(connection, _WITHOUT_JIT)


class Settings:
    """The settings of one transaction that nothing else changes meanwhile: what is set already is not set again.

    `first` is the way that the transaction is set to already, if it is to any.
    """

    def __init__(self, connection: Connection, first: Way | None = None) -> None:
        self._connection = connection
        self._are: dict[str, str] = {} if first is None else dict(values_of(first))

    def use(self, way: Way) -> None:
        """As the function `use`."""
        changed = {name: value for name, value in values_of(way).items() if self._are.get(name) != value}
        if changed:
            set_local(self._connection, changed)
            self._are |= changed


@cache
def values_of(way: Way) -> Mapping[str, str]:
    """The parameters of PostgreSQL for statements of one kind."""
    return {name: "off" if name in _OFF[way] else "on" for name in _SWITCHED} | dict(_ALWAYS)
