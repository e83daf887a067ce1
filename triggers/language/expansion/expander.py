"""The expander: names of lets with arguments, of constants and of sets are replaced by what they stand for.

A call `f(a)` becomes a let of its own, whose value is that of `f` with `a` in the place of its argument. Equal calls
become the same let, and an argument that is more than a name or a constant becomes a let, too, so that what doubles
with every call is written once: the work is bounded by the number of different calls, which `calls` bounds. Only an
object stands whole wherever the call reads one of its fields; `calls` counts its parts before it is put there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from difflib import get_close_matches
from functools import cached_property
from operator import is_
from typing import Any

from triggers.language.expansion.calls import ATOMS, Bindings, Broken, Calls, is_object, shown
from triggers.language.expansion.definitions import Definition, Definitions, Outside, circles, kind_of, parts_of
from triggers.language.expansion.tree import parts
from triggers.language.text import syntax
from triggers.language.text.expressions import nodes
from triggers.language.text.reporter import Reporter

BROKEN = "?"
"""The name of an expression with a mistake that was reported; `File.broken_lets` contains it."""


class Expander:
    """Expands the expressions and clauses of one file; `imported` has those of its imports, None for one without text.

    Lets and fences of an imported file get the file's `prefix`, with which no author can name anything.
    """

    def __init__(
        self,
        definitions: Definitions,
        calls: Calls,
        imported: Mapping[str, Expander | None],
        outside: Outside,
    ) -> None:
        self.definitions = definitions
        self.calls = calls
        self.imported = imported
        self.outside = outside
        self.report: Reporter = calls.report
        self.circular: set[str] = set()
        for circle in circles(definitions):
            let = definitions.own[circle[0]]
            self.report.circular_let(let.name.span, circle)
            self.circular.update(circle)

    def lets(self) -> list[syntax.Let]:
        """The lets without arguments, expanded, under their full names."""
        return [
            syntax.Let(replace(let.name, text=self.full(let.name.text)), self.expanded(let.value))
            for let in self.definitions.file.lets
            if not let.arguments
        ]

    def fences(self) -> list[syntax.Fence]:
        """The fences, under their full names."""
        return [
            replace(fence, name=replace(fence.name, text=self.full(fence.name.text)))
            for fence in self.definitions.file.fences
        ]

    def check_sets(self) -> None:
        """Report names in sets that stand for no constant, also in those that nothing uses."""
        for found in self.definitions.own.values():
            for item in found.items if isinstance(found, syntax.Set) else ():
                with suppress(Broken):
                    self.item(item)

    def broken(self) -> set[str]:
        """The full names of what has no value."""
        return {self.full(name) for name in self.definitions.file.broken_lets}

    def expanded(self, value: Any, bindings: Bindings | None = None) -> Any:
        """An expression or a clause with everything replaced. Raises Broken where a clause has no constant."""
        if isinstance(value, tuple):
            items = tuple(self.expanded(each, bindings) for each in value)
            return value if all(map(is_, items, value)) else items
        if isinstance(value, syntax.NamedQuantity):
            return self._constant(value, bindings or {})
        if isinstance(value, syntax.Expression):
            return self.expression(value, bindings or {})
        if isinstance(value, syntax.CLAUSE_PARTS):
            return self._rebuilt(value, bindings)
        return value

    def full(self, name: str) -> str:
        """The name of something that this file defines, as the expanded file has it."""
        return self.definitions.prefix + name

    def _found(self, word: syntax.Word) -> tuple[Definition | None, Expander]:
        """What a name stands for, and the file that defines it. Raises Broken if an import does not define it."""
        alias, dot, name = word.text.partition(".")
        if not dot or alias not in self.imported or word.text in self.outside.signals:
            return self.definitions.find(word.text), self
        other = self.imported[alias]
        if other is None or name in other.definitions.file.broken_lets:
            raise Broken
        found = other.definitions.find(name)
        if found is None:
            nearest = [f"{alias}.{near}" for near in get_close_matches(name[:200], other.definitions.names(), n=3)]
            self.report.not_in_import(word.span, name, other.definitions.path, nearest)
            raise Broken
        return found, other

    def _rebuilt(self, value: Any, bindings: Bindings | None) -> Any:
        changed = {}
        for name in parts(value):
            before = getattr(value, name)
            after = self.expanded(before, bindings)
            if after is not before:
                changed[name] = after
        return replace(value, **changed) if changed else value

    def expression(self, expression: syntax.Expression, bindings: Bindings) -> syntax.Expression:
        """An expression with everything replaced; one with a mistake is the name BROKEN."""
        self.calls.parts += bool(bindings)
        try:
            if isinstance(expression, syntax.Name):
                return self._name(expression, bindings)
            if isinstance(expression, nodes.Field):
                return _of_list_given(expression, bindings)
            if isinstance(expression, ATOMS):
                return expression
            if isinstance(expression, syntax.Call):
                return self._call(expression, bindings)
            if isinstance(expression, nodes.OfObjects):
                return self._of_objects(expression, bindings)
            if isinstance(expression, syntax.Member) and expression.named is not None:
                return self._member(expression, expression.named, bindings)
            return self._rebuilt(expression, bindings)  # type: ignore[no-any-return]
        except Broken:
            return syntax.Name(expression.span, BROKEN)

    def _name(self, name: syntax.Name, bindings: Bindings) -> syntax.Expression:
        if name.name in bindings:
            return bindings[name.name]
        if (field := self._field_of_argument(name, bindings)) is not None:
            return field
        definition, home = self._found(syntax.Word(name.name, name.span))
        if isinstance(definition, syntax.Param):
            return replace(definition.value, span=name.span)
        if isinstance(definition, syntax.Set):
            self.report.set_as_value(name.span, name.name)
            raise Broken
        if definition is None:
            return replace(name, name=self.full(name.name)) if name.name in self.broken_names else name
        if definition.arguments:
            self.report.wrong_let_arguments(name.span, name.name, [word.text for word in definition.arguments], 0)
            raise Broken
        full = home.full(definition.name.text)
        return name if full == name.name else replace(name, name=full)

    def _field_of_argument(self, name: syntax.Name, bindings: Bindings) -> syntax.Expression | None:
        """`o.x` where the argument `o` is an object; None for every other name."""
        argument, _, field = name.name.partition(".")
        given = bindings.get(argument)
        if not field or given is None:
            return None
        if not is_object(given):
            self._check_no_field(name, given)
            return None
        if isinstance(given, nodes.Field):
            return replace(given, span=name.span, name=f"{given.name}.{field}", field=field)
        self.calls.add_parts(sum(1 for _ in parts_of(given)), name.span)  # they are checked again with each field
        return replace(given, span=name.span, field=syntax.Word(field, name.span))

    def _check_no_field(self, name: syntax.Name, given: syntax.Expression) -> None:
        """Report an argument that is no object where its field is read, and raise Broken; names may begin like it."""
        if name.name in self.outside.signals or name.name.partition(".")[0] in self.imported:
            return
        if not (isinstance(given, syntax.Name) and given.name == BROKEN):
            of = shown(given) if shown(given) in self.outside.lists else next(iter(self.outside.lists), "tracked")
            self.report.no_object(given.span, shown(given), name.name, of)
        raise Broken

    @property
    def broken_names(self) -> Collection[str]:
        """The names in this file of what has no value."""
        return self.definitions.file.broken_lets

    def _member(self, member: syntax.Member, named: syntax.Word, bindings: Bindings) -> syntax.Expression:
        """`x in rare`, with the items of the set that the name stands for."""
        found, home = (None, self) if named.text in bindings else self._found(named)
        if not isinstance(found, syntax.Set):
            if named.text not in self.broken_names:
                what = "an argument" if named.text in bindings else self._what(named.text, found)
                what = "a list of objects" if named.text in self.outside.lists else what
                self.report.no_set(named.span, named.text, what, self._nearest(named.text, syntax.Set))
            raise Broken
        items = tuple(home.item(item) for item in found.items)
        return syntax.Member(member.span, self.expression(member.subject, bindings), items)

    def item(self, item: syntax.Quantity | syntax.Text | syntax.Truth) -> syntax.Expression:
        """An item of a set; the constant that a name stands for may be of any kind."""
        if not isinstance(item, syntax.NamedQuantity):
            return item
        found, _ = self._found(syntax.Word(item.name, item.span))
        return replace(found.value, span=item.span) if isinstance(found, syntax.Param) else self._constant(item, {})

    def _constant(self, name: syntax.NamedQuantity, bindings: Bindings) -> syntax.Quantity:
        """The number that a name stands for where only a constant may stand."""
        bound = bindings.get(name.name)
        if isinstance(bound, syntax.Quantity):
            return bound
        if bound is not None and not isinstance(bound, syntax.Name):
            self.report.no_constant(bound.span, name.name, "not a number", [])
            raise Broken
        meant = name if bound is None else bound  # a param would be bound as its value, so this names none
        found = None if bound is not None else self._found(syntax.Word(name.name, name.span))[0]
        if isinstance(found, syntax.Param) and isinstance(found.value, syntax.Quantity):
            return replace(found.value, span=name.span)
        if meant.name not in self.broken_names and meant.name != BROKEN:
            what = "not a number" if isinstance(found, syntax.Param) else self._what(meant.name, found)
            self.report.no_constant(meant.span, meant.name, what, self._nearest(meant.name, syntax.Param))
        raise Broken

    def _nearest(self, name: str, kind: type[Definition]) -> list[str]:
        """Names of this kind with a similar spelling."""
        known = [own for own, definition in self.definitions.own.items() if isinstance(definition, kind)]
        return get_close_matches(name[:200], known, n=3)

    def _what(self, name: str, found: Definition | None) -> str:
        """What a name is that is not what it should be; empty if it is unknown."""
        if found is not None:
            return f"a {kind_of(found)}"
        return "a signal" if name in self.outside.signals else "an expression" if name in self.calls.names else ""

    def _call(self, call: syntax.Call, bindings: Bindings) -> syntax.Expression:
        name = call.function.text
        if name == "inside" and len(call.arguments) == 1:
            return self._inside(call, call.arguments[0])
        let, home = (None, self) if name in bindings else self._found(call.function)
        # what has no arguments cannot be called: `let rate = rate(x over 1 s)` calls the operator
        if not isinstance(let, syntax.Let) or (not let.arguments and name in self.outside.operators):
            if name in self.broken_names:
                raise Broken
            if name not in self.outside.operators:
                self._unknown(call)
            return self._rebuilt(call, bindings)  # type: ignore[no-any-return]
        words = [word.text for word in let.arguments]
        has_more = any(getattr(call, part) for part in parts(call) if part not in ("function", "arguments"))
        if not words or len(call.arguments) != len(words) or has_more:
            self.report.wrong_let_arguments(call.span, name, words, len(call.arguments))
            raise Broken
        if let.name.text in home.circular:
            raise Broken
        named = zip(let.arguments, call.arguments, strict=True)
        arguments = (home.given(word, self.expression(each, bindings)) for word, each in named)
        full = home.full(let.name.text)
        return syntax.Name(call.span, self.calls.called(call.span, full, let, arguments, home.expression))

    def _of_objects(self, form: nodes.OfObjects, bindings: Bindings) -> syntax.Expression:
        """A form over objects; `any(x in rare)` is a call where the file has such a let."""
        let, _ = self._found(form.function)
        if isinstance(let, syntax.Let) and let.arguments and not (form.children() or form.field):
            subject = syntax.Name(form.binder.span, form.binder.text)
            argument = syntax.Member(form.binder.span.to(form.of.span), subject, (), form.of)
            return self._call(syntax.Call(form.span, form.function, (argument,), None, None), bindings)
        self._check_binder(form.binder, bindings)
        if (given := bindings.get(form.of.text)) is not None:  # what is no list is reported where it is given
            form = replace(form, of=syntax.Word(shown(given), given.span))
        return self._rebuilt(form, bindings)  # type: ignore[no-any-return]

    def _check_binder(self, binder: syntax.Word, bindings: Bindings) -> None:
        """Report the name of an object that something else has, which could not be read beside the object."""
        name, known = binder.text, self.definitions.find(binder.text)
        kind = kind_of(known) if known is not None else "argument" if name in bindings else self.outside.kind_of(name)
        if kind and kind != "measure":
            self.report.taken_name(binder.span, name, kind)
        else:
            self._check_beginning(binder)

    def _check_beginning(self, name: syntax.Word) -> None:
        """Report the name of an object by which other names begin: with it, `lead.distance` would be a field."""
        if name.text in self.imported:
            self.report.taken_name(name.span, name.text, "import")
        elif name.text in self._families:
            self.report.hides_signals(name.span, name.text, self._families[name.text])

    def given(self, name: syntax.Word, argument: syntax.Expression) -> syntax.Expression:
        """What a let of this file is given as the argument of this name."""
        if is_object(argument):
            self._check_beginning(name)
        return argument

    @cached_property
    def _families(self) -> dict[str, str]:
        """By the first part of a dotted signal, such a signal."""
        signals = sorted(self.outside.signals, reverse=True)
        return {signal.partition(".")[0]: signal for signal in signals if "." in signal}

    def _inside(self, call: syntax.Call, fence: syntax.Expression) -> syntax.Expression:
        """`inside(fence)`, with the full name of the fence."""
        if not isinstance(fence, syntax.Name):
            return call
        alias, dot, name = fence.name.partition(".")
        home = self.imported.get(alias, self) if dot else self
        if home is None:
            raise Broken
        known = name if dot else fence.name
        if known not in [each.name.text for each in home.definitions.file.fences]:
            return call
        return replace(call, arguments=(replace(fence, name=home.full(known)),))

    def _unknown(self, call: syntax.Call) -> None:
        """Report a call of what is neither an operator nor a let, if it may be a misspelt let."""
        functions = [let.name.text for let in self.definitions.functions()]
        nearest = get_close_matches(call.function.text[:200], functions, n=3) if functions else []
        if nearest:
            self.report.unknown_function(call.function.span, call.function.text, nearest)
            raise Broken


def _of_list_given(field: nodes.Field, bindings: Bindings) -> nodes.Field:
    """A field of an object, whose list may be an argument."""
    given = bindings.get(field.of)
    return replace(field, of=given.name) if isinstance(given, syntax.Name) else field
