"""Differences between a live schema and the tables in code, as phrases: what somebody has dropped, changed or added.

They come from Alembic's comparison, as tuples whose first word says what would have to be done to the live schema. A
changed index or constraint comes as two: the live one is to be removed, and one of the same name to be added.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import DefaultClause, ForeignKeyConstraint, Index
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import AddConstraint, CreateIndex, DropConstraint, DropIndex, ExecutableDDLElement

_PARTS = ("index", "fk", "constraint")
_VERBS = {"add": "lacks", "remove": "has, beyond what it needs,"}


@dataclass(frozen=True, slots=True)
class Difference:
    """`phrase` says what the schema has or lacks; `is_needed`: processes fail without it; `repair`: the SQL for it."""

    phrase: str
    is_needed: bool = False
    repair: str = ""


def described(found: Iterable[Any]) -> Iterator[Difference]:
    """Alembic's differences as phrases; those of one column come as a list."""
    found = list(found)
    added, removed = _parts(found, "add"), _parts(found, "remove")
    for difference in found:
        if isinstance(difference, list):
            yield from map(_of_column, difference)
            continue
        verb, _, kind = difference[0].partition("_")
        if kind not in _PARTS:
            yield _of(difference, _VERBS.get(verb, ""), kind)
        elif verb == "add":
            yield _of_added(difference[-1], removed.get(difference[-1].name))
        elif difference[-1].name not in added:
            yield Difference(f"it {_VERBS['remove']} {_named(difference[-1])}")


def _parts(found: Iterable[Any], verb: str) -> dict[str, Any]:
    """The indexes and constraints that would have to be added or removed, by name."""
    steps = {f"{verb}_{kind}" for kind in _PARTS}
    return {each[-1].name: each[-1] for each in found if isinstance(each, tuple) and each[0] in steps}


def _of(difference: tuple[Any, ...], verb: str, kind: str) -> Difference:
    is_lost = verb == _VERBS["add"]
    if kind == "table_comment":
        return Difference(f"the comment of the table {difference[1].name} was changed")
    if kind == "table" and verb:
        return Difference(f"it {verb} the table {difference[-1].name}", is_lost)
    if kind == "column" and verb:
        return Difference(f"it {verb} the column {difference[2]}.{difference[-1].name}", is_lost)
    return Difference(repr(difference))


def _of_added(thing: Any, live: Any | None) -> Difference:
    """An index or constraint that is gone, or (`live`) was changed. Without a foreign key nothing fails, but what
    writes with ON CONFLICT fails without what is unique."""
    is_needed = bool(thing.unique) if isinstance(thing, Index) else not isinstance(thing, ForeignKeyConstraint)
    repair = _sql(CreateIndex(thing) if isinstance(thing, Index) else AddConstraint(thing))
    if live is None:
        return Difference(f"it lacks {_named(thing)}", is_needed, repair)
    removal = _sql(DropIndex(live) if isinstance(live, Index) else DropConstraint(live))
    return Difference(f"{_named(thing)} was changed", is_needed, f"{removal}; {repair}")


def _named(thing: Any) -> str:
    return f"the {'index' if isinstance(thing, Index) else 'constraint'} {thing.name} of the table {thing.table.name}"


def _sql(statement: ExecutableDDLElement) -> str:
    return " ".join(str(statement.compile(dialect=postgresql.dialect())).split())  # type: ignore[no-untyped-call]


def _of_column(change: tuple[Any, ...]) -> Difference:
    step, _, table, name, _, is_now, should_be = change
    column, alter = f"the column {table}.{name}", f"ALTER TABLE {table} ALTER COLUMN {name}"
    if step == "modify_nullable" and is_now:
        return Difference(f"{column} may be NULL", repair=f"{alter} SET NOT NULL")
    if step == "modify_nullable":
        return Difference(f"{column} may not be NULL", is_needed=True, repair=f"{alter} DROP NOT NULL")
    if step == "modify_default" and is_now is None and isinstance(should_be, DefaultClause):
        default = _default(should_be)
        return Difference(f"it lacks the default {default} of {column}", True, f"{alter} SET DEFAULT {default}")
    if step == "modify_default":
        is_now, should_be = _default(is_now), _default(should_be)
    return Difference(f"the {step.removeprefix('modify_')} of {column} is {is_now!s}, not {should_be!s}")


def _default(default: Any) -> str:
    """A column's default as SQL: what the database tells and functions are that, other texts are values."""
    value = default.arg if isinstance(default, DefaultClause) else default
    if value is None:
        return "none"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)
