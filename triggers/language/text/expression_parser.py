"""The parser of expressions: precedence climbing over the tokens, with bounded nesting.

Loosest first: `then`/`without ... within` and `since`; `or`; `and`; `not`; `for [tolerating]`; comparisons, `between`,
`in`, `outside`, `from ... to`; `+ -`; `* /`; unary `-`; `x at A`; atoms.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import isfinite
from typing import TypeVar

from triggers.language.text import syntax
from triggers.language.text.characters import GUESSES
from triggers.language.text.diagnostics import Span
from triggers.language.text.expressions.cursor import Panic
from triggers.language.text.expressions.lookahead import form_meant, is_each
from triggers.language.text.expressions.objects import ObjectForms
from triggers.language.text.lexer import NEVER_UNITS, Token, TokenKind
from triggers.language.text.mistakes.form import MAX_NUMBER_CHARACTERS
from triggers.language.text.reporter import Reporter
from triggers.signals.reserved import LIMITS, RESERVED

MAX_NESTING = 100

_MAX_EXPONENT_CHARACTERS = 5
"""A sign and four digits: a number of MAX_NUMBER_CHARACTERS digits with a larger exponent is out of range."""

_SEQUENCE, _OR, _AND, _NOT, _HOLD, _COMPARE, _SUM, _PRODUCT, _AT = range(1, 10)
_POWERS: dict[str, int] = {
    "then": _SEQUENCE, "without": _SEQUENCE, "since": _SEQUENCE, "or": _OR, "and": _AND, "for": _HOLD,
    "between": _COMPARE, "in": _COMPARE, "outside": _COMPARE, "from": _COMPARE, "to": _COMPARE, "+": _SUM, "-": _SUM,
    "*": _PRODUCT, "/": _PRODUCT, "at": _AT,
    **dict.fromkeys(("<", "<=", ">", ">=", "==", "!="), _COMPARE),
}  # fmt: skip
_CHAINABLE = frozenset({_SEQUENCE, _OR, _AND, _SUM, _PRODUCT})
MEASURES = {"time": ("since",), "distance": ("since", "over")}
"""Names that measure something where one of these words follows; elsewhere they name a signal."""
_SINCE_FORMS = frozenset({"min", "max", "sum", "count"})
"""Operators with a form `f(x since A)`, in which `since` is no condition."""
_Node = TypeVar("_Node", bound=syntax.Expression)

_NAMES_WITHOUT_NUMBER = frozenset({"sample", "priority", "budget"})
"""Clauses that triggers have got: after an operator they are names, as before, unless a number follows."""


class ExpressionParser(ObjectForms):
    """Parses expressions, quantities and durations."""

    def __init__(self, tokens: list[Token], reporter: Reporter) -> None:
        super().__init__(tokens, reporter)
        self._nesting = 0
        self._wrapped: set[Span] = set()
        self._begin_forms: set[int] = set()
        """Where the x of a form `f(x since A)` may begin."""
        self.boundary_words: tuple[str, ...] = ()
        """Words that begin a clause when they begin a line; elsewhere they are names."""

    def expression(self, loosest: int = _SEQUENCE) -> syntax.Expression:
        """An expression of operators that bind at least as tightly as `loosest`."""
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            self.report.too_deep(self.next.span, MAX_NESTING)
            raise Panic
        left_is_joined = False
        last_power = _NOT if self.next.is_word("not") else _AT
        left = self._prefix(loosest)
        # an operator that binds tighter than the previous one cannot follow it: `p for 1 s < x`
        while loosest <= (power := self._power()) <= last_power:
            if power == last_power and power not in _CHAINABLE and left_is_joined:
                self.report.chained(self.next.span, self.next.text)
                raise Panic
            operator = self.next
            left = self._infix(left, power)
            if self.report.source.text[operator.span.start : operator.span.end] in GUESSES:
                raise Panic
            last_power, left_is_joined = power, True
        if power >= loosest:
            self.fail("the end of this condition", "put the part before it in parentheses")
        self._nesting -= 1
        return left

    def recover(self) -> None:
        """Forget, after a mistake, what the cursor was within."""
        self._nesting = 0
        self._forget_objects()

    def quantity(self, what: str) -> syntax.Quantity:
        """A number with or without a unit, never negative; or the name of one, as a NamedQuantity."""
        if self._names_constant():
            name = self.take()
            return syntax.NamedQuantity(name.span, Fraction(0), None, name.text, name.text)
        number = self.demand(TokenKind.NUMBER, what)
        return self._quantity(number, number.span, 1)

    def _names_constant(self) -> bool:
        """Whether the next token can be the name of a constant; words of clauses cannot, since a clause ends there."""
        token = self.next
        return token.kind is TokenKind.DOTTED or (
            token.kind is TokenKind.WORD and token.text not in RESERVED and token.text not in NEVER_UNITS
        )

    def begins_block(self) -> bool:
        """Whether the next token begins a block, if it is at the beginning of a line."""
        token = self.next
        if not token.is_word(*syntax.BLOCKS):
            return False
        after = self.tokens[min(self.index + 1, len(self.tokens) - 1)]
        is_name = after.kind is TokenKind.WORD and after.text not in RESERVED and after.text not in NEVER_UNITS
        if token.text in syntax.NAMED_BY_TEXT:
            is_name = after.kind is TokenKind.TEXT
        return token.text not in syntax.NAMES_TOO or (is_name and not after.starts_line)

    def duration(self, example: str = "2 s") -> syntax.Quantity:
        """A number with a unit; the checker decides whether it is a time."""
        result = self.quantity(f"a duration such as `{example}`")
        if result.unit is None and not isinstance(result, syntax.NamedQuantity):
            unit = example.rsplit(maxsplit=1)[-1]
            self.report.duration_without_unit(result.span, result.text, "s" if unit == "ms" else unit)
            raise Panic
        return result

    def _power(self) -> int:
        token = self.next
        if token.kind not in (TokenKind.WORD, TokenKind.MARK) or (
            token.text == "for" and is_each(self.tokens, self.index)
        ):
            return 0
        return _POWERS.get(token.text, 0)

    def _prefix(self, loosest: int) -> syntax.Expression:
        token = self.next
        if token.is_word("not"):
            if loosest > _NOT:
                self.fail("a value", "put the `not` and its condition in parentheses")
            self.take()
            operand = self.expression(_NOT)
            if isinstance(operand, syntax.Hold) and operand.span not in self._wrapped:
                self.report.ambiguous_not(token.span.to(operand.span))
            return self._checked(syntax.Unary(token.span.to(operand.span), "not", operand))
        if token.is_mark("-"):
            self.take()
            if self.next.kind is TokenKind.NUMBER:
                return self._quantity(self.take(), token.span, -1)
            operand = self.expression(_PRODUCT + 1)
            return self._checked(syntax.Unary(token.span.to(operand.span), "-", operand))
        return self._atom()

    def _infix(self, left: syntax.Expression, power: int) -> syntax.Expression:
        token = self.take()
        if power == _SEQUENCE:
            return self._since(left) if token.text == "since" else self._sequence(left, token)
        if power in (_OR, _AND):
            return self._junction(left, token, power)
        if power == _HOLD:
            return self._hold(left)
        if token.text == "between":
            low = self.expression(_SUM)
            self.demand_word("and", "write `x between a and b`" if self.next.is_mark(",") else "")
            high = self.expression(_SUM)
            return self._checked(syntax.Between(left.span.to(high.span), left, low, high))
        if token.text == "in":
            return self._member(left)
        if token.text == "outside":
            colour = self.take_word(*LIMITS) or self.fail("`yellow` or `red`")
            return self._checked(syntax.Outside(left.span.to(colour.span), left, colour.text))
        if token.text in ("from", "to"):
            return self._change(left, token)
        if token.text == "at":
            event = self._atom()
            return self._checked(syntax.At(left.span.to(event.span), left, event))
        right = self.expression(power + 1)
        return self._checked(syntax.Binary(left.span.to(right.span), token.text, left, right))

    def _sequence(self, left: syntax.Expression, token: Token) -> syntax.Expression:
        right = self.expression(_OR)
        after = self.duration("1 s") if token.text == "then" and self.take_word("after") else None
        if not self.next.is_word("within"):
            self.fail(f"`within` and a duration, as in `A {token.text} B within 2 s`")
        self.take()
        within = self.duration()
        return self._checked(syntax.Sequence(left.span.to(within.span), token.text, left, right, within, after))

    def _since(self, left: syntax.Expression) -> syntax.Expression:
        """`and` and `or` beside it need parentheses: `P since Q and R` can be read in two ways."""
        right = self.expression(_OR)
        within = self.duration() if self.take_word("within") else None
        for side in (left, right):
            if isinstance(side, syntax.Junction) and side.span not in self._wrapped:
                in_form = left.span.start in self._begin_forms
                self.report.ambiguous_since(side.span, side.operator, in_form=in_form)
        return self._checked(syntax.Since(left.span.to((within or right).span), left, right, within))

    def _junction(self, first: syntax.Expression, token: Token, power: int) -> syntax.Expression:
        operands = [first]
        while True:
            operand = self.expression(power + 1)
            operands.append(operand)
            if isinstance(operand, syntax.Hold) and operand.span not in self._wrapped:
                self.report.hold_of_last(operand.span, token.text)
            if not self.take_word(token.text):
                break
        span = first.span.to(operands[-1].span)
        return self._checked(syntax.Junction(span, token.text, tuple(operands)))

    def _hold(self, left: syntax.Expression) -> syntax.Expression:
        at_most = self.take_word("at") is not None
        if at_most:
            self.demand_word("most", "write `P for 2 s`: that is at least 2 s" if self.next.is_word("least") else "")
        duration = self.duration("500 ms")
        tolerating = self.duration("200 ms") if self.take_word("tolerating") else None
        end = (tolerating or duration).span
        return self._checked(syntax.Hold(left.span.to(end), left, duration, tolerating, at_most))

    def _member(self, left: syntax.Expression) -> syntax.Expression:
        if self._names_constant():
            token = self.take()
            word = syntax.Word(token.text, token.span)
            return self._checked(syntax.Member(left.span.to(token.span), left, (), word))
        if self.next.kind in (TokenKind.TEXT, TokenKind.NUMBER):
            self.fail("`(`", "put the values in parentheses, as in `x in (1, 2)`")
        if not self.take_mark("("):
            self.fail("`(`", "put the values in parentheses, as in `x in (1, 2)`" if self.next.is_mark("{") else "")
        items = [self.expression(_SUM)]
        while self.take_mark(","):
            items.append(self.expression(_SUM))
        end = self.demand_mark(")").span
        return self._checked(syntax.Member(left.span.to(end), left, tuple(items)))

    def _change(self, changed: syntax.Expression, token: Token) -> syntax.Expression:
        before = self.expression(_SUM) if token.text == "from" else None
        ends = before is None or self.take_word("to") is not None
        after = self.expression(_SUM) if ends else None
        end = after or before or changed
        return self._checked(syntax.Change(changed.span.to(end.span), changed, before, after))

    def _atom(self) -> syntax.Expression:
        token = self.next
        if token.kind is TokenKind.NUMBER:
            return self.quantity("a value")
        if token.kind is TokenKind.TEXT:
            return syntax.Text(self.take().span, token.text[1:-1])
        if token.is_mark("("):
            self.take()
            inner = self.expression()
            end = self.demand_mark(")").span
            wrapped = replace(inner, span=token.span.to(end))
            self._wrapped.add(wrapped.span)
            return wrapped
        if token.is_word("every") and (every := self._every()) is not None:
            return every
        if token.is_word("true", "false"):
            return syntax.Truth(self.take().span, token.text == "true")
        if token.starts_line and self._is_boundary():
            hint = f"`{token.text}` begins a clause or block here; a line cannot begin with a signal of this name"
            self.fail("a signal, a value or `(`", hint)
        if token.kind is TokenKind.DOTTED or (token.kind is TokenKind.WORD and token.text not in RESERVED):
            self.take()
            if token.is_word(*MEASURES) and self.next.is_word(*MEASURES[token.text]):
                return self._measured(token)
            if self.next.is_mark("("):
                return self._call(token)
            return self._field(token) or syntax.Name(token.span, token.text)
        is_power = token.is_mark("*") and self.tokens[self.index - 1].is_mark("*")
        return self.fail("a signal, a value or `(`", "write a power as a product, `x * x`" if is_power else "")

    def _every(self) -> syntax.Every | None:
        """`every D`; None where `every` is a name, since neither a number nor the name of one follows on its line."""
        start = self.take()
        if self.next.kind is TokenKind.NUMBER or self._names_constant_here():
            period = self.duration("10 min")
            return syntax.Every(start.span.to(period.span), period)
        self.index -= 1
        return None

    def _names_constant_here(self) -> bool:
        """Whether the next token can only be the name of a constant, and does not begin a line."""
        is_apart = self.next.starts_line or self.next.is_word("by", "where")
        return not is_apart and not self._power() and self._names_constant()

    def _is_boundary(self) -> bool:
        """Whether a clause or block begins here, if a line does."""
        is_name = self.next.text in syntax.NAMES_TOO and not self.begins_block()
        if self.next.text in _NAMES_WITHOUT_NUMBER:
            is_name = self.tokens[min(self.index + 1, len(self.tokens) - 1)].kind is not TokenKind.NUMBER
        return self.next.is_word(*self.boundary_words) and not is_name

    def _call(self, name: Token) -> syntax.Expression:
        if self.follows_place():
            raise Panic
        if (of_objects := self._of_objects(name)) is not None:
            return self._checked(of_objects)
        self.take()
        self._demand_form(name)
        arguments = []
        if name.text in _SINCE_FORMS:
            self._begin_forms.add(self.next.span.start)
        if not self.next.is_mark(")"):
            arguments.append(self.expression())
            while self.take_mark(","):
                arguments.append(self.expression())
        over = self.duration() if self.take_word("over") else None
        further = []
        while over is not None and self.take_mark(","):
            further.append(self.expression())
        within = self.duration("50 ms") if over is None and self.take_word("within") else None
        since = None
        if name.text in _SINCE_FORMS and len(arguments) == 1 and over is within is None:
            arguments[0], since = self._parted(arguments[0])
        if not self.next.is_mark(")"):
            self.fail("`)`", self._as_of_objects(name))
        end = self.take().span
        word = syntax.Word(name.text, name.span)
        rest = tuple(further)
        return self._checked(syntax.Call(name.span.to(end), word, tuple(arguments), over, within, rest, since))

    def _as_of_objects(self, name: Token) -> str:
        """What to write instead if a form over objects may be meant, which begins with one object and one list."""
        is_name = self.next.kind in (TokenKind.WORD, TokenKind.DOTTED)
        return f"write `{form_meant(name.text)}`" if is_name and form_meant(name.text) else ""

    def _parted(self, argument: syntax.Expression) -> tuple[syntax.Expression, syntax.Expression | None]:
        """The x and the A of `x since A` in a call that has this form."""
        if isinstance(argument, syntax.Since) and argument.within is None and argument.span not in self._wrapped:
            return argument.condition, argument.start
        return argument, None

    def _measured(self, measure: Token) -> syntax.Expression:
        """`time since A`, `distance since A`, `distance over W`; A is one value, or a condition in parentheses."""
        event, over = None, None
        if self.take().text == "since":
            event = self._atom()
        else:
            over = self.duration()
        word = syntax.Word(measure.text, measure.span)
        return self._checked(syntax.Measured(self.spanning(measure.span), word, event, over))

    def _quantity(self, number: Token, start: Span, sign: int) -> syntax.Quantity:
        unit = self.take() if self.next.kind is TokenKind.UNIT else None
        if not _is_held_by_a_double(number.text):
            self.report.number_out_of_range(number.span, number.text)
            raise Panic
        text = ("-" if sign < 0 else "") + number.text
        span = self.spanning(start)
        return syntax.Quantity(span, sign * Fraction(number.text), unit.text if unit else None, text)

    def _checked(self, node: _Node) -> _Node:
        if node.depth > MAX_NESTING:
            self.report.too_deep(node.span, MAX_NESTING)
            raise Panic
        return node


def _is_held_by_a_double(number: str) -> bool:
    """Whether the number is 0, or its double is neither infinite nor 0; its exact value is then small enough, too."""
    mantissa, _, exponent = number.lower().partition("e")
    if len(number) > MAX_NUMBER_CHARACTERS or len(exponent) > _MAX_EXPONENT_CHARACTERS:
        return False
    return isfinite(float(number)) and (float(number) != 0 or not mantissa.strip("0."))
