"""Dataclasses as rows of tables: a field is the column of the same name, so no column is listed twice."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic_core import to_json
from sqlalchemy import (
    ARRAY,
    BindParameter,
    Column,
    ColumnElement,
    Connection,
    FromClause,
    Table,
    Text,
    any_,
    bindparam,
    cast,
    column,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import Insert, insert

from storage.statements.prepared import Prepared

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def columns_of(
    record: type[DataclassInstance], *tables: FromClause, without: Collection[str] = ()
) -> tuple[Column[Any], ...]:
    """The columns that a dataclass's fields are read from, in their order, so that `record(*row)` fills it.

    Each is the column of the field's name in the first table that has one. Fields in `without` come from elsewhere,
    and stand after the others. KeyError, when the module is imported, for a field that has no column.
    """
    return tuple(_column(field.name, tables) for field in fields(record) if field.name not in without)


def _column(name: str, tables: tuple[FromClause, ...]) -> Any:
    for table in tables:
        if name in table.c:
            return table.c[name]
    raise KeyError(f"no column {name} in {', '.join(str(table) for table in tables)}")


def values_of(value: DataclassInstance | BaseModel, table: Table) -> dict[str, Any]:
    """The values that a dataclass or a contract has for a table: its fields that bear a column's name."""
    return {name: getattr(value, name) for name in _shared_names(type(value), table)}


@cache
def _shared_names(kind: type[Any], table: Table) -> tuple[str, ...]:
    names = [field.name for field in fields(kind)] if is_dataclass(kind) else list(kind.model_fields)
    return tuple(name for name in names if name in table.c)


def _nothing_more(insertion: Insert) -> Insert:
    return insertion


def insert_rows(
    connection: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    adding: Callable[[Insert], Insert] = _nothing_more,
) -> None:
    """Insert rows, which all have the same columns, in their order; not for bytes.

    They are one parameter, a JSON document: that takes a tenth of the time of one statement, or one list, per row.
    `adding`, always the same function for a table, says what becomes of rows that are there already.
    """
    if rows:
        _insertion(table, tuple(sorted(rows[0])), adding).rows(connection, rows=rows_json(rows))


@cache
def _insertion(table: Table, names: tuple[str, ...], adding: Callable[[Insert], Insert]) -> Prepared:
    document: BindParameter[str] = bindparam("rows", type_=Text)
    source = text(f"jsonb_populate_recordset(CAST(NULL AS {table.name}), CAST(:rows AS jsonb))").bindparams(document)
    read: Any = select(*(column(name) for name in names)).select_from(source)
    return Prepared(adding(insert(table).from_select(list(names), read)))


def rows_json(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as one JSON document, for a statement that takes them all as one parameter; not for bytes."""
    return to_json(rows).decode()


def is_given(text_column: ColumnElement[str], name: str = "ids") -> ColumnElement[bool]:
    """Whether a text is one of those that a prepared statement is given as `name`, a list."""
    return text_column == any_(bindparam(name, type_=ARRAY(Text)))


def is_among(text_column: ColumnElement[str], values: Collection[str]) -> ColumnElement[bool]:
    """Whether a text is one of many: as one parameter. A statement may have 65,535 at most, and with one for each value
    it is another statement for driver and server whenever their number changes."""
    return text_column == any_(cast(list(values), ARRAY(Text)))
