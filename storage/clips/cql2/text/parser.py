"""The parser of CQL2 text: precedence climbing over the tokens, in linear time and with bounded nesting.

It accepts more than has a meaning in a filter (arithmetic, any function), so that what is not supported is refused
by name, and not as a syntax error.
"""

from __future__ import annotations

from collections.abc import Iterator
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
_EXAMPLE = "compare like campaign = 'x' AND vehicle.model IN ('a', 'b'); texts go in single quotes"


def parse(source: str) -> Any:
    """The CQL2 JSON of a text, with a Node for each of its objects; InvalidInput with line and column of a mistake."""
    return _Parser(tokens(source)).whole()


class _Parser:
    """The state of one parse: the next token, and how deep it is nested."""

    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
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

    def _list(self) -> list[Any]:
        self._require("(")
        items = [self._expression(OR)]
        while self._takes(","):
            items.append(self._expression(OR))
        self._require(")")
        return items

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

    def _number(self) -> Number:
        token = self._take()
        with at(Node({}, token.place)):
            number = read_number(token.value)
        if self._next.kind == "name" and self._next.word not in _BINARY:
            raise _unit_after(token, self._next)
        return number

    def _signed(self) -> Any:
        token = self._take()
        signed = self._operand()
        if token.word == "+":
            return signed
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
        if token.word in GEOMETRIES and (self._next.word in ("(", "z")):
            self._takes("z")
            return Node(GEOMETRIES[token.word](self._coordinates()), token.place)
        if self._next.word != "(":
            return Node({"property": token.value}, token.place)
        arguments = self._arguments()
        if token.word in ("date", "timestamp"):
            return Node({token.word: arguments[0] if len(arguments) == 1 else arguments}, token.place)
        if token.word in ("interval", "bbox"):
            return Node({token.word: arguments}, token.place)
        return _operation(token.word, arguments, token)

    def _arguments(self) -> list[Any]:
        if self._tokens[self._position + 1].word == ")":
            self._position += 2
            return []
        return self._list()

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
        f"state the unit of a statistic, like in_unit(ego.speed.max, 'km/h') > {number.value[:30]}",
    )


def _operation(name: str, arguments: list[Any], token: Token) -> Node:
    return Node({"op": name, "args": arguments}, token.place)
