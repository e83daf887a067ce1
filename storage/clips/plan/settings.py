"""What PostgreSQL's planner may choose from, for one kind of statement at a time.

Whether a page is found by walking or by collecting is decided here by counting, and a statement is one of them. The
planner does not know how far a walk goes, nor how values hang together, so it is left no other way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from functools import cache
from typing import Any

from sqlalchemy import Connection

from storage.statements.forms import Statement
from storage.statements.parameters import set_local

_MODE, _KEPT = "plan_cache_mode", "force_generic_plan"
_ALWAYS: Mapping[str, str] = {
    "jit": "off",  # it takes longer than the whole search
    _MODE: "force_custom_plan",  # an index of an expression or of some rows is found for literals only
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

    `first` is what the transaction is set to already.
    """

    def __init__(self, connection: Connection, first: Mapping[str, str] = _NO_MORE) -> None:
        self._connection = connection
        self._are = dict(first)
        self._keeps_plans = first.get(_MODE) == _KEPT

    def use(self, way: Way) -> None:
        """As the function `use`."""
        self._set(values_of(way))

    def rows(self, way: Way, query: Statement) -> Sequence[Sequence[Any]]:
        """The answer to a statement that is planned in this way.

        A plan takes PostgreSQL longer than most statements of a search by place and time. So it keeps those of
        statements that have one, if the transaction was set to that, and until the first one that has not.
        """
        self._keeps_plans = keeps = self._keeps_plans and query.has_one_plan
        self._set(values_of(way, keeps_plans=keeps))
        # By the text: two ways may ask the same, and each has a plan of its own.
        return query.rows(self._connection, way.value if keeps else "")

    def _set(self, values: Mapping[str, str]) -> None:
        changed = {name: value for name, value in values.items() if self._are.get(name) != value}
        if changed:
            set_local(self._connection, changed)
            self._are |= changed


@cache
def values_of(way: Way, *, keeps_plans: bool = False) -> Mapping[str, str]:
    """The parameters of PostgreSQL for statements of one kind."""
    switched = {name: "off" if name in _OFF[way] else "on" for name in _SWITCHED}
    return switched | dict(_ALWAYS) | ({_MODE: _KEPT} if keeps_plans else {})
