"""Dataclasses as rows of tables: a field is the column of the same name, so no column is listed twice."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic_core import to_json
from sqlalchemy import (
    ARRAY,
    BindParameter,
    Column,
    ColumnElement,
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
    names = [field.name for field in fields(value)] if is_dataclass(value) else list(type(value).model_fields)
    return {name: getattr(value, name) for name in names if name in table.c}


def inserted(table: Table, rows: Sequence[Mapping[str, Any]]) -> Insert:
    """The statement that inserts rows, which all have the same columns, in their order; not for bytes.

    They are one parameter, a JSON document: that takes a tenth of the time of one statement, or one list, per row.
    """
    names = sorted(rows[0])
    document: BindParameter[str] = bindparam("rows", rows_json(rows), Text)
    source = text(f"jsonb_populate_recordset(CAST(NULL AS {table.name}), CAST(:rows AS jsonb))").bindparams(document)
    return insert(table).from_select(names, select(*(column(name) for name in names)).select_from(source))


def rows_json(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as one JSON document, for a statement that takes them all as one parameter; not for bytes."""
    return to_json(rows).decode()


def is_among(text_column: ColumnElement[str], values: Collection[str]) -> ColumnElement[bool]:
    """Whether a text is one of many: as one parameter. A statement may have 65,535 at most, and with one for each value
    it is another statement for driver and server whenever their number changes."""
    return text_column == any_(cast(list(values), ARRAY(Text)))
