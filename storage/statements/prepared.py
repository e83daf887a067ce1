"""Statements and conditions that are written and compiled once, and then asked with other values again and again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Executable, TextClause, bindparam, literal_column, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.elements import Grouping
from sqlalchemy.types import TypeEngine

from storage.statements.driver import rows_of


class Prepared:
    """A statement whose parameters are all named. Its text is what SQLAlchemy compiles it to, the first time.

    After that nothing is built or looked up for it, and values of rows are not looked at one by one: of a page of a
    hundred clips, and of storing as many, this took as long as PostgreSQL did.
    """

    def __init__(self, statement: Executable, remark: str = "") -> None:
        """`remark` stands in the text as a comment."""
        self._statement = statement
        self._remark = remark
        self._compiled: _Compiled | None = None

    def rows(self, connection: Connection, **parameters: Any) -> Sequence[Sequence[Any]]:
        """All rows of the answer to the statement with these parameters."""
        if self._compiled is None:
            self._compiled = _Compiled.of(self._statement, self._remark, connection.dialect)
        return rows_of(connection, self._compiled.text, self._compiled.bound(parameters))


@dataclass(frozen=True)
class _Compiled:
    """The text of a statement, the values of parameters that are not named, and what drivers want some of them as."""

    text: str
    constants: Mapping[str, Any]
    processors: Mapping[str, Callable[[Any], Any]]

    @classmethod
    def of(cls, statement: Any, remark: str, dialect: Dialect) -> _Compiled:
        compiled: Any = statement.compile(dialect=dialect)
        values = compiled.construct_params(_check=False)
        constants = {name: value for name, value in values.items() if not compiled.binds[name].required}
        types = {name: compiled.binds[name].type.dialect_impl(dialect) for name in values}
        found = {name: type_.bind_processor(dialect) for name, type_ in types.items()}
        processors = {name: process for name, process in found.items() if process is not None}
        return cls(f"{compiled} /* {remark} */" if remark else str(compiled), constants, processors)

    def bound(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The values of all parameters as the driver takes them."""
        values = {**self.constants, **parameters}
        for name, process in self.processors.items():
            values[name] = process(values[name])
        return values


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
            self._text = self._written({name: name for name in self._types})
        bound = (bindparam(name, values[name], type_, unique=True) for name, type_ in self._types.items())
        return Grouping(self._text.bindparams(*bound))

    def bound(self, **values: Any) -> Bound:
        """The same, not written yet."""
        return Bound(self, tuple(values[name] for name in self._types))

    def clause_of(self, values: Sequence[Any]) -> ColumnElement[bool]:
        """The condition with these values, in the order of their types."""
        return self(**dict(zip(self._types, values, strict=True)))

    def naming(self, names: Sequence[str]) -> ColumnElement[bool]:
        """The condition with parameters of these names instead of values, in the order of their types."""
        named = dict(zip(self._types, names, strict=True))
        bound = (bindparam(named[name], type_=type_) for name, type_ in self._types.items())
        return Grouping(self._written(named).bindparams(*bound))

    def _written(self, names: Mapping[str, str]) -> TextClause:
        stand_ins = {name: literal_column(f":{names[name]}", type_) for name, type_ in self._types.items()}
        # What is not named is part of the condition, and is written out.
        dialect = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
        compiled = self._write(**stand_ins).compile(dialect=dialect, compile_kwargs={"literal_binds": True})
        return text(str(compiled))


@dataclass(frozen=True, slots=True)
class Bound:
    """A condition as a template and the values for it: its form is known, and nothing is written for it."""

    template: Template
    values: tuple[Any, ...]

    @property
    def clause(self) -> ColumnElement[bool]:
        """The condition as an expression."""
        return self.template.clause_of(self.values)
