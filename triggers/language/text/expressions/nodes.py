"""The syntax of what is asked of the objects of a list: forms such as `any(o in tracked where P)`, and fields."""

from __future__ import annotations

from dataclasses import dataclass, field

from triggers.language.text.syntax import Expression, Word


@dataclass(frozen=True, slots=True)
class Field(Expression):
    """`o.x`, as `name`: a field of an object of the list `of`; with an empty `field` it is the object itself.

    `scope` is that of the form in which `o` is an object, so that fields of different forms are never mistaken.
    """

    name: str
    of: str
    field: str
    scope: int


@dataclass(frozen=True, slots=True)
class OfObjects(Expression):
    """`any(o in tracked where P)`, `min(x for o in tracked where P)`, `nearest(o in tracked by x where P).f`.

    `scope` is the form's number in its text. `value` stands before `for`, `by` after the list.
    """

    function: Word
    binder: Word
    of: Word
    scope: int
    value: Expression | None = None
    by: Expression | None = None
    where: Expression | None = None
    field: Word | None = field(default=None)

    def children(self) -> tuple[Expression, ...]:
        return tuple(part for part in (self.value, self.by, self.where) if part is not None)
