"""Differences between a live schema and the tables in code, as phrases: what somebody has dropped, changed or added.

They come from Alembic's comparison, as tuples whose first word says what would have to be done to the live schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Index
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex


@dataclass(frozen=True, slots=True)
class Difference:
    """`phrase` says what the schema has or lacks; `is_needed`: processes fail without it; `repair`: the SQL for it."""

    phrase: str
    is_needed: bool = False
    repair: str = ""


def described(found: Iterable[Any]) -> Iterator[Difference]:
    """Alembic's differences as phrases; those of one column come as a list."""
    for difference in found:
        if isinstance(difference, list):
            yield from map(_of_column, difference)
        else:
            yield _of(difference)


def _of(difference: tuple[Any, ...]) -> Difference:
    step, thing = difference[0], difference[-1]
    verb = {"add": "lacks", "remove": "has, beyond what it needs,"}[step.partition("_")[0]]
    is_lost = verb == "lacks"
    if step.endswith("_table"):
        return Difference(f"it {verb} the table {thing.name}", is_lost)
    if step.endswith("_column"):
        return Difference(f"it {verb} the column {difference[2]}.{thing.name}", is_lost)
    table = f"of the table {thing.table.name}"
    if isinstance(thing, Index):
        repair = str(CreateIndex(thing).compile(dialect=postgresql.dialect())) if is_lost else ""  # type: ignore[no-untyped-call]
        return Difference(
            f"it {verb} the index {thing.name} {table}", is_lost and bool(thing.unique), _one_line(repair)
        )
    return Difference(f"it {verb} the constraint {thing.name} {table}", is_lost)


def _of_column(change: tuple[Any, ...]) -> Difference:
    step, _, table, column, _, is_now, should_be = change
    what = step.removeprefix("modify_")
    return Difference(f"the {what} of the column {table}.{column} is {is_now!s}, not {should_be!s}")


def _one_line(statement: str) -> str:
    return " ".join(statement.split())
