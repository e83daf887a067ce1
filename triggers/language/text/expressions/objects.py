"""The parser of forms over the objects of a list, and of fields, which are read only within these forms."""

from __future__ import annotations

import re
from abc import abstractmethod
from dataclasses import replace
from functools import cached_property
from itertools import pairwise

from triggers.language.text import syntax
from triggers.language.text.expressions import nodes
from triggers.language.text.expressions.cursor import Cursor
from triggers.language.text.expressions.lookahead import FORMS_OF_OBJECTS, each_by_bracket, opens_objects
from triggers.language.text.lexer import Token, TokenKind
from triggers.language.text.reporter import Reporter

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


class ObjectForms(Cursor):
    """Parses forms over objects; knows which names are objects where the cursor is."""

    def __init__(self, tokens: list[Token], reporter: Reporter) -> None:
        super().__init__(tokens, reporter)
        self.binders: set[str] = set()
        """The names of objects anywhere in the text so far."""
        self._each = each_by_bracket(tokens)
        self._open: list[nodes.OfObjects] = []
        """The forms whose inside is being parsed."""
        self._scopes = 0

    @abstractmethod
    def expression(self) -> syntax.Expression:
        """An expression."""

    def _of_objects(self, function: Token) -> nodes.OfObjects | None:
        """The form whose bracket comes next; None if the call is no such form."""
        if opens_objects(self.tokens, self.index):
            return self._selected(function)
        each = self._each.get(self.index)
        return None if each is None else self._told_of_each(function, each)

    def _selected(self, function: Token) -> nodes.OfObjects:
        """`any(o in tracked where P)`, `nearest(o in tracked by x where P).f`."""
        self.take()
        form = self._opened(function)
        by = self.expression() if self.take_word("by") else None
        return self._closed(replace(form, by=by))

    def _told_of_each(self, function: Token, each: int) -> nodes.OfObjects:
        """`min(x for o in tracked where P)`; the names after `for`, whose place is `each`, hold before it, too."""
        self.take()
        start, self.index = self.index, each + 1
        form = self._opened(function)
        end, self.index = self.index, start
        value = self.expression()
        if self.index != each:
            self.fail("`for` and a name for the object", f"one value stands before `for`: `{FORMS_OF_OBJECTS['min']}`")
        self.index = end
        return self._closed(replace(form, value=value))

    def _demand_form(self, function: Token) -> None:
        """Report `any(o in tracked, P)` and `min(o.x in tracked)`, which have a list, but no form of objects."""
        if function.text in self._lets:
            return
        joint, end = (self.tokens[min(self.index + step, len(self.tokens) - 1)] for step in (1, 3))
        if function.text not in FORMS_OF_OBJECTS or not joint.is_word("in") or self.next.is_mark("("):
            return
        if end.is_mark(","):
            self.index += 3
            self.fail("`where` and a condition", f"write `{FORMS_OF_OBJECTS[function.text]}`")
        if end.is_mark(")") and function.is_word("min", "max", "sum"):
            self.take()
            self.fail("`for` and a name for the object", f"write `{FORMS_OF_OBJECTS[function.text]}`")

    @cached_property
    def _lets(self) -> frozenset[str]:
        """The names of the file's lets, which may be those of forms."""
        return frozenset(name.text for let, name in pairwise(self.tokens) if let.is_word("let"))

    def _opened(self, function: Token) -> nodes.OfObjects:
        """A form after its `o in tracked`, from where on `o.x` is a field."""
        binder = self.take()
        self.take()
        of = self.next
        if of.kind not in (TokenKind.WORD, TokenKind.DOTTED):
            self.fail("the name of a list of objects, as in `o in tracked`")
        self.take()
        if not _NAME.fullmatch(binder.text):
            self.report.bad_name(binder.span, binder.text)
        self._scopes += 1
        name, named, in_list = (syntax.Word(token.text, token.span) for token in (function, binder, of))
        form = nodes.OfObjects(function.span, name, named, in_list, self._scopes)
        self._open.append(form)
        self.binders.add(binder.text)
        return form

    def _closed(self, form: nodes.OfObjects) -> nodes.OfObjects:
        """A form with its rest, from `where` on."""
        where = self.expression() if self.take_word("where") else None
        if not self.next.is_mark(")"):
            self.fail("`where` and a condition, or `)`" if where is None else "`)`")
        self.take()
        self._open.pop()
        token = self.take() if self.next.kind is TokenKind.FIELD else None
        field = None if token is None else syntax.Word(token.text[1:], token.span)
        return replace(form, span=self.spanning(form.span), where=where, field=field)

    def _field(self, token: Token) -> nodes.Field | None:
        """The field, or the object itself, that a name is here; None if it is neither."""
        head, _, field = token.text.partition(".")
        for each in reversed(self._open):
            if each.binder.text == head:
                return nodes.Field(token.span, token.text, each.of.text, field, each.scope)
        return None

    def _forget_objects(self) -> None:
        """After a mistake, no name is that of an object."""
        self._open.clear()
