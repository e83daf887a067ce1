"""Dataclasses as rows of tables: a field is the column of the same name, so no column is listed twice."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from sqlalchemy import Column, FromClause, Table

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
