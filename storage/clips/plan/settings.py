"""What PostgreSQL's planner may choose from, for one kind of statement at a time.

Whether a page is found by walking or by collecting is decided here by counting, and a statement is one of them. The
planner does not know how far a walk goes, nor how values hang together, so it is left no other way.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import cache, lru_cache

from sqlalchemy import Connection

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
    _set(connection, _values(way) | dict(more))


def reset(connection: Connection) -> None:
    """Leave the choice to the planner again, except for what never helps a search."""
    _set(connection, {name: "on" for name in _SWITCHED if name.startswith("enable_")} | _WITHOUT_JIT)


def without_jit(connection: Connection) -> None:
    """Let no statement that follows in this transaction be compiled: for a filter that takes longer than to run it."""
    _set(connection, _WITHOUT_JIT)


class Settings:
    """The settings of one transaction that nothing else changes meanwhile: what is set already is not set again."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._are: dict[str, str] = {}

    def use(self, way: Way) -> None:
        """As the function `use`."""
        changed = {name: value for name, value in _values(way).items() if self._are.get(name) != value}
        if changed:
            _set(self._connection, changed)
            self._are |= changed


@cache
def _values(way: Way) -> dict[str, str]:
    return {name: "off" if name in _OFF[way] else "on" for name in _SWITCHED} | dict(_ALWAYS)


def _set(connection: Connection, values: Mapping[str, str]) -> None:
    """Set what PostgreSQL calls configuration parameters, until the transaction ends."""
    connection.exec_driver_sql(_statement(tuple(sorted(values.items()))))


@lru_cache(256)
def _statement(values: tuple[tuple[str, str], ...]) -> str:
    calls = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in values)
    return f"SELECT {calls}"
