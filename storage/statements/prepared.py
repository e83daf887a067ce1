"""Statements and conditions that are written and compiled once, and then asked with other values again and again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, TextClause, bindparam, literal_column, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.elements import Grouping
from sqlalchemy.types import TypeEngine


class Prepared:
    """A query whose parameters are all named. Its text is what SQLAlchemy compiles it to, the first time.

    After that nothing is built or looked up for it, and values of rows are not looked at one by one: of a page of a
    hundred clips this took as long as PostgreSQL did.
    """

    def __init__(self, query: Select[Any]) -> None:
        self._query = query
        self._text: str | None = None

    def rows(self, connection: Connection, **parameters: Any) -> Sequence[Sequence[Any]]:
        """All rows of the answer to the query with these parameters."""
        if self._text is None:
            self._text = str(self._query.compile(dialect=connection.dialect))
        return connection.exec_driver_sql(self._text, parameters).all()


class Template:
    """A condition with named values of these types. `write` writes it, once, with expressions that stand for them.

    >>> from sqlalchemy import Integer
    >>> between = Template(lambda low, high: literal_column("1").between(low, high), low=Integer(), high=Integer())
    >>> print(between(low=0, high=2))
    (1 BETWEEN :low_1 AND :high_1)
    """

    def __init__(self, write: Callable[..., ColumnElement[bool]], **types: TypeEngine[Any]) -> None:
        self._write = write
        self._types = types
        self._text: TextClause | None = None

    def __call__(self, **values: Any) -> ColumnElement[bool]:
        """The condition with these values, which are bound parameters."""
        if self._text is None:
            written = self._write(**{name: literal_column(f":{name}", type_) for name, type_ in self._types.items()})
            # What is not named is part of the condition, and is written out.
            dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
            compiled = written.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
            self._text = text(str(compiled))
        bound = (bindparam(name, values[name], type_, unique=True) for name, type_ in self._types.items())
        return Grouping(self._text.bindparams(*bound))
