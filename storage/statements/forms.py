"""Statements by their form: written and compiled once, and then asked with other values again and again.

What a search asks depends on its filter and order. To write such a statement with SQLAlchemy, and to find what it has
compiled of it before, takes longer than PostgreSQL needs for it. So a `Statement` is a function that writes it and the
arguments of that function, and its text is found by the function and the form of its arguments: by all that they are
except for the values in conditions, which are bound to the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from typing import Any, TypeAlias

from sqlalchemy import BindParameter, Column, ColumnElement, Connection, Select, Table, bindparam, literal
from sqlalchemy.sql import ClauseElement, visitors
from sqlalchemy.types import TypeEngine

from storage.statements.prepared import Bound, Prepared

KEPT = 256
"""Forms of statements whose text is kept: those that were asked for last."""
Condition: TypeAlias = ColumnElement[bool] | Bound
"""A condition, written already or not."""


def clause(condition: Condition) -> ColumnElement[bool]:
    """A condition as an expression."""
    return condition.clause if isinstance(condition, Bound) else condition


@dataclass(frozen=True, slots=True)
class Given:
    """A value of a statement beside those of its conditions, such as its limit."""

    value: Any
    type: type[TypeEngine[Any]]


@dataclass(frozen=True, eq=False)
class Fixed:
    """An expression, known by being this object: it is made once."""

    expression: ColumnElement[Any]


class Statement:
    """A query that `write` writes of these arguments.

    In place of a condition, written or not, of a value that is `Given`, of what is `Fixed`, and of a query within this
    one, `write` gets an expression; within tuples, too. Everything else that it gets belongs to the form: it must be
    hashable, and equal for equal texts. `write` may depend on nothing besides.
    """

    __slots__ = ("_arguments", "_formed", "_write")

    def __init__(self, write: Callable[..., Select[Any]], *arguments: Any) -> None:
        self._write = write
        self._arguments = arguments
        self._formed: _Formed | None = None

    @property
    def has_one_plan(self) -> bool:
        """Whether one plan of PostgreSQL can serve all values: no expression that an index may be of has one of them.

        Values of templates are what columns and expressions are compared with; all else in a template is in its text.
        """
        formed = self._asked()
        return formed.key is not None and not formed.in_expressions

    def rows(self, connection: Connection, remark: str = "") -> Sequence[Sequence[Any]]:
        """All rows of the answer. PostgreSQL keeps a plan by the text, of which a `remark` makes another one."""
        formed = self._asked()
        if formed.key is None:
            return connection.execute(self.query()).all()
        prepared = _prepared(_Form((remark, formed.key), self))
        return prepared.rows(connection, **{f"v{number}": value for number, value in enumerate(formed.values)})

    def row(self, connection: Connection, remark: str = "") -> Sequence[Any] | None:
        """The one row of the answer, or None."""
        rows = self.rows(connection, remark)
        return rows[0] if rows else None

    def value(self, connection: Connection, remark: str = "") -> Any:
        """The first value of the answer's one row."""
        ((value, *_),) = self.rows(connection, remark)
        return value

    def _asked(self) -> _Formed:
        if self._formed is None:
            self._formed = formed = _Formed()
            try:
                formed.key = self.form(formed)
            except _HasNoFormError:
                formed.key = None
        return self._formed

    def query(self) -> Select[Any]:
        """The query with its values."""
        return self._write(*map(_valued, self._arguments))

    def form(self, formed: _Formed) -> tuple[Any, ...]:
        """All that the text of the statement depends on; its values are added to what is `formed`."""
        return (self._write, *[_form_of(argument, formed) for argument in self._arguments])

    def named(self, names: Iterator[str]) -> Select[Any]:
        """The query with parameters of these names for its values, in the order of `form`."""
        return self._write(*(_named(argument, names) for argument in self._arguments))


@dataclass(slots=True)
class _Formed:
    """The form of a statement (None: it has none) and its values; `in_expressions`: some are not those of templates."""

    key: tuple[Any, ...] | None = None
    values: list[Any] = field(default_factory=list)
    in_expressions: bool = False


class _HasNoFormError(Exception):
    """An expression is of a kind for which SQLAlchemy does not tell what its text depends on."""


@dataclass(frozen=True)
class _Form:
    key: tuple[Any, ...]
    first: Statement = field(compare=False)
    """One of the statements of this form."""


@lru_cache(KEPT)
def _prepared(form: _Form) -> Prepared:
    remark, _ = form.key
    return Prepared(form.first.named(f"v{number}" for number in count()), remark)


def _form_of(argument: Any, formed: _Formed) -> Any:
    match argument:
        case Bound():
            formed.values += argument.values
            return argument.template
        case Given():
            formed.values.append(argument.value)
            return argument.type
        case Statement():
            return argument.form(formed)
        case tuple():
            return tuple([_form_of(each, formed) for each in argument])
        case ClauseElement() if not isinstance(argument, Column | Table):
            key, binds = _key_of(argument)
            formed.values += (bind.effective_value for bind in binds)
            formed.in_expressions = formed.in_expressions or bool(binds)
            return key
    return argument


def _key_of(element: ClauseElement) -> tuple[Any, Sequence[BindParameter[Any]]]:
    """What SQLAlchemy finds the text of an expression by, and the parameters in it."""
    # Named as private, and yet what its examples of caches are built on.
    key = element._generate_cache_key()
    if key is None or any(bind.expanding for bind in key.bindparams):
        raise _HasNoFormError
    return key.key, key.bindparams


def _named(argument: Any, names: Iterator[str]) -> Any:
    match argument:
        case Bound():
            return argument.template.naming([next(names) for _ in argument.values])
        case Given():
            return bindparam(next(names), type_=argument.type())
        case Fixed():
            return argument.expression
        case Statement():
            return argument.named(names)
        case tuple():
            return tuple(_named(each, names) for each in argument)
        case ClauseElement() if not isinstance(argument, Column | Table):
            return _with_names(argument, names)
    return argument


def _with_names(element: Any, names: Iterator[str]) -> Any:
    of = {bind.key: bindparam(next(names), type_=bind.type) for bind in _key_of(element)[1]}

    def _name_of(each: Any, **_: Any) -> BindParameter[Any] | None:
        return of.get(each.key) if isinstance(each, BindParameter) else None

    return visitors.replacement_traverse(element, {}, _name_of)  # type: ignore[call-overload]


def _valued(argument: Any) -> Any:
    match argument:
        case Bound():
            return argument.clause
        case Given():
            return literal(argument.value, argument.type)
        case Fixed():
            return argument.expression
        case Statement():
            return argument.query()
        case tuple():
            return tuple(map(_valued, argument))
    return argument
