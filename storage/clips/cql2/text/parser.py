"""The parser of CQL2 text: precedence climbing over the tokens, in linear time and with bounded nesting.

It accepts more than has a meaning in a filter (any function), so that what is not supported is refused by name, and not
as a syntax error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from storage.clips.cql2.nodes import Node, Number, PlacedMistake, at, is_number, read_number
from storage.clips.cql2.text.geometry import GEOMETRIES
from storage.clips.cql2.text.lexer import Token, tokens

MAX_DEPTH = 50
OR, AND, COMPARISON, SUM, PRODUCT, POWER = range(1, 7)
_BINARY = {
    "or": OR,
    "and": AND,
    **dict.fromkeys(("=", "<>", "<", "<=", ">", ">=", "like", "between", "in", "is", "not"), COMPARISON),
    **dict.fromkeys(("+", "-"), SUM),
    **dict.fromkeys(("*", "/", "%", "div"), PRODUCT),
    "^": POWER,
}
_CONSTANTS = {"true": True, "false": False, "null": None}
_FUNCTION_WORDS = {*GEOMETRIES, "geometrycollection", "date", "timestamp", "interval", "bbox"}
_EXAMPLE = "compare like campaign = 'x' AND vehicle.model IN ('a', 'b'); texts go in single quotes"


_UNIT = re.compile(r"%|[^\W\d_][\w%*/^.-]*")
_AFTER_PERCENT = ("", "and", "or", "between", ")", ",", "+", "*", "<", ">", "=", "<>", "<=", ">=", "in", "is")
"""What may follow a `%` that is a unit; before an operand it is the remainder of a division."""


def parse(source: str, *, units: bool = False) -> Any:
    """The CQL2 JSON of a text, with a Node for each of its objects; InvalidInput with line and column of a mistake.

    With `units`, as people write filters, a number may be followed by a unit: `80 km/h` is {"quantity": 80, "unit":
    "km/h"}. And `now` is {"now": 0}.
    """
    return _Parser(tokens(source), source if units else None).whole()


def is_reserved(name: str) -> bool:
    """Whether a property's name needs double quotes because it is also a word of the language."""
    return name.lower() in _BINARY or name.lower() in _CONSTANTS or name.lower() in _FUNCTION_WORDS


class _Parser:
    """The state of one parse: the next token, and how deep it is nested."""

    def __init__(self, found: list[Token], source: str | None) -> None:
        """`source` is the text itself if numbers may have units."""
        self._tokens = found
        self._source = source
        self._position = 0
        self._depth = 0

    def whole(self) -> Any:
        """The one expression that the text consists of."""
        if len(self._tokens) == 1:
            raise PlacedMistake("the filter is empty, which is not CQL2 text", remedy=_EXAMPLE)
        parsed = self._expression(OR)
        if self._next.kind != "end":
            raise self._unexpected("AND, OR or the end")
        return parsed

    @property
    def _next(self) -> Token:
        return self._tokens[self._position]

    def _take(self) -> Token:
        token = self._next
        self._position += token.kind != "end"
        return token

    def _takes(self, word: str) -> bool:
        """Whether the next token is this word, which is then taken."""
        if self._next.word != word:
            return False
        self._take()
        return True

    def _require(self, word: str) -> None:
        if not self._takes(word):
            raise self._unexpected(f"`{word.upper()}`")

    @contextmanager
    def _nested(self) -> Iterator[None]:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise PlacedMistake(
                f"the filter is nested deeper than {MAX_DEPTH} ({self._next.place})", remedy="remove parentheses"
            )
        yield
        self._depth -= 1

    def _expression(self, floor: int) -> Any:
        """Operands joined by operators that bind at least as tightly as `floor`."""
        left = self._operand()
        compared = False
        while (level := _BINARY.get(self._next.word, 0)) >= floor:
            if level == COMPARISON and compared:
                raise self._unexpected("AND, OR or the end, as comparisons cannot be chained")
            compared = level == COMPARISON
            left = self._predicate(left) if compared else self._binary(left, level)
        return left

    def _binary(self, left: Any, level: int) -> Any:
        token = self._take()
        right = self._expression(level + 1)
        if level <= AND and isinstance(left, Node) and left.get("op") == token.word:
            left["args"].append(right)
            return left
        return _operation(token.word, [left, right], token)

    def _predicate(self, left: Any) -> Node:
        """A comparison, or one of LIKE, BETWEEN, IN and IS NULL with their NOT."""
        token = self._take()
        negated = token.word == "not"
        if negated and self._next.word not in ("like", "between", "in"):
            raise self._unexpected("LIKE, BETWEEN or IN after NOT")
        word = self._take().word if negated else token.word
        match word:
            case "like":
                parsed = _operation("like", [left, self._expression(SUM)], token)
            case "between":
                low = self._expression(SUM)
                self._require("and")
                parsed = _operation("between", [left, low, self._expression(SUM)], token)
            case "in":
                parsed = _operation("in", [left, self._list()], token)
            case "is":
                negated = self._takes("not")
                self._require("null")
                parsed = _operation("isNull", [left], token)
            case _:
                parsed = _operation(word, [left, self._expression(SUM)], token)
        return _operation("not", [parsed], token) if negated else parsed

    def _list(self, item: Callable[[], Any] | None = None) -> list[Any]:
        read = item or (lambda: self._expression(OR))
        self._require("(")
        items = [read()]
        while self._takes(","):
            items.append(read())
        self._require(")")
        return items

    def _set(self) -> Any:
        """An argument of a relation of sets: a list in parentheses, which may be empty, or an expression."""
        if self._next.word != "(":
            return self._expression(OR)
        return self._arguments_of()

    def _operand(self) -> Any:
        with self._nested():
            token = self._next
            match token.kind, token.word:
                case "number", _:
                    return self._number()
                case "text", _:
                    return self._take().value
                case "quoted name", _:
                    return Node({"property": self._take().value}, token.place, quoted=True)
                case "sign", "(":
                    return self._parenthesised()
                case "sign", "-" | "+":
                    return self._signed()
                case "name", "not":
                    self._take()
                    return _operation("not", [self._expression(COMPARISON)], token)
                case "name", word if word not in _BINARY:
                    return self._named()
            raise self._unexpected("a property, a value or `(`")

    def _number(self) -> Any:
        token = self._take()
        with at(Node({}, token.place)):
            number = read_number(token.value)
        if self._source is not None and self._is_unit():
            return self._quantity(number, token, self._source)
        if self._next.kind == "name" and self._next.word not in _BINARY:
            raise _unit_after(token, self._next)
        return number

    def _is_unit(self) -> bool:
        if self._next.word == "%":
            return self._tokens[self._position + 1].word in _AFTER_PERCENT and not self._begins_operand(1)
        return self._next.kind == "name" and self._next.word not in _BINARY

    def _begins_operand(self, ahead: int) -> bool:
        return self._tokens[self._position + ahead].kind in ("number", "text", "quoted name")

    def _quantity(self, number: Number, token: Token, source: str) -> Node:
        """The number with the unit that follows it, which ends at a blank or a bracket."""
        match = _UNIT.match(source, self._next.start)
        written = match[0] if match else self._next.value
        end = self._next.start + len(written)
        while self._next.kind != "end" and self._next.start < end:
            self._take()
        return Node({"quantity": number, "unit": written}, token.place)

    def _signed(self) -> Any:
        token = self._take()
        signed = self._operand()
        if token.word == "+":
            return signed
        if isinstance(signed, Node) and "quantity" in signed:
            return Node({**signed, "quantity": -signed["quantity"]}, signed.place)
        return -signed if is_number(signed) else _operation("*", [-1, signed], token)

    def _parenthesised(self) -> Any:
        self._take()
        inner = self._expression(OR)
        if self._next.word == ",":
            raise self._unexpected("`)`; a list goes after IN")
        self._require(")")
        return inner

    def _named(self) -> Any:
        token = self._take()
        if token.word in _CONSTANTS:
            return _CONSTANTS[token.word]
        if token.word in GEOMETRIES and self._next.word in ("(", "z"):
            self._takes("z")
            return Node(GEOMETRIES[token.word](self._coordinates()), token.place)
        if token.word == "geometrycollection" and self._next.word in ("(", "z"):
            self._takes("z")
            with self._nested():
                return Node({"type": "GeometryCollection", "geometries": self._list()}, token.place)
        if self._next.word != "(":
            if self._source is not None and token.word == "now":
                return Node({"now": 0}, token.place)
            return Node({"property": token.value}, token.place)
        arguments = self._arguments_of(self._set if token.word.startswith("a_") else None)
        if token.word in ("date", "timestamp"):
            return Node({token.word: arguments[0] if len(arguments) == 1 else arguments}, token.place)
        if token.word in ("interval", "bbox"):
            return Node({token.word: arguments}, token.place)
        return _operation(token.word, arguments, token)

    def _arguments_of(self, item: Callable[[], Any] | None = None) -> list[Any]:
        if self._tokens[self._position + 1].word == ")":
            self._position += 2
            return []
        with self._nested():
            return self._list(item)

    def _coordinates(self) -> list[Any]:
        """Positions, or lists of positions, in parentheses: `(1 2, 3 4)` and `((1 2, 3 4))`."""
        with self._nested():
            self._require("(")
            items = [self._coordinates() if self._next.word == "(" else self._position_of_numbers()]
            while self._takes(","):
                items.append(self._coordinates() if self._next.word == "(" else self._position_of_numbers())
            self._require(")")
            return items

    def _position_of_numbers(self) -> list[Number]:
        numbers: list[Number] = []
        while self._next.word not in (",", ")"):
            negative = self._takes("-")
            if self._next.kind != "number":
                raise self._unexpected("a number, as in `11.5 48.1`")
            token = self._take()
            with at(Node({}, token.place)):
                number = read_number(token.value)
            numbers.append(-number if negative else number)
        return numbers

    def _unexpected(self, expected: str) -> PlacedMistake:
        """The mistake that the next token is."""
        found, before = self._next, self._tokens[self._position - 1] if self._position else None
        remedy = _EXAMPLE
        if found.word == "=" and before is not None and before.word == "=":
            remedy = "write one = to compare"
        elif found.word == ">" and before is not None and before.word in ("=", "<"):
            remedy = "write >= or <>"
        elif found.kind == "text" and before is not None and before.kind == "text":
            remedy = "a quote within a text is written twice: 'it''s'"
        return PlacedMistake(
            f"the filter is not CQL2 text: expected {expected}, found {found.shown} ({found.place})", remedy=remedy
        )


def _unit_after(number: Token, unit: Token) -> PlacedMistake:
    return PlacedMistake(
        f"the filter is not CQL2 text: expected AND, OR or the end, found {unit.shown} ({unit.place})",
        remedy="numbers have no units in CQL2; "
        f"state the unit of a statistic, like in_unit(ego.speed.max, 'km/h') > {number.value[:30]}, "
        "or let GET /v1/filter translate it",
    )


def _operation(name: str, arguments: list[Any], token: Token) -> Node:
    return Node({"op": name, "args": arguments}, token.place)
