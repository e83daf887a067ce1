"""The lexer of CQL2 text: from characters to tokens, in one pass."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from storage.clips.cql2.nodes import PlacedMistake
from storage.jsonb import unstorable_at

Kind = Literal["number", "text", "quoted name", "name", "sign", "end"]

_TOKEN = re.compile(
    r"(?P<blank>\s+)"
    r"|(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)"
    r"|'(?P<text>[^']*(?:''[^']*)*)'"
    r'|"(?P<quoted>[^"]*(?:""[^"]*)*)"'
    r"|(?P<name>[^\W\d]\w*(?:[.:]\w+)*)"
    r"|(?P<sign><>|<=|>=|[=<>(),+\-*/%^])",
    re.ASCII,
)
_NAME = re.compile(r"[^\W\d]\w*(?:[.:]\w+)*")
_KINDS: dict[str, Kind] = {"number": "number", "text": "text", "quoted": "quoted name", "name": "name", "sign": "sign"}
_HINTS = {
    "'": "close the text with a second single quote; a quote within it is written twice",
    '"': "close the name with a second double quote; texts go in single quotes",
    "!": "write <> for `is not equal to`",
    "&": "write AND",
    "|": "write OR",
    "[": "lists go in parentheses: x IN ('a', 'b')",
    "`": "names need no quotes, and texts go in single quotes",
    "\u00b0": "write degrees as deg, and degrees Celsius as degC",
    ";": "a filter is one condition; join several with AND or OR",
}
_HINTS.update(dict.fromkeys("\u2018\u2019\u201c\u201d\u00b4", "texts go in straight single quotes: '"))


@dataclass(frozen=True)
class Token:
    """A token: `value` is what it stands for, without quotes; `place` is `line 1, column 5`, `start` its index."""

    kind: Kind
    value: str
    place: str
    start: int

    @property
    def word(self) -> str:
        """A name in lower case, as keywords are compared; of a sign, itself; empty for any other token."""
        return self.value.lower() if self.kind in ("name", "sign") else ""

    @property
    def shown(self) -> str:
        """The token as messages show it."""
        quotes = {"text": "'", "quoted name": '"'}.get(self.kind, "")
        return "the end" if self.kind == "end" else f"{quotes}{self.value[:60]}{quotes}"


def tokens(source: str) -> list[Token]:
    """The tokens of a text, with one of the kind `end` after them; InvalidInput for a character that begins none."""
    _require_storable(source)
    found: list[Token] = []
    position = 0
    places = _Places(source)
    while position < len(source):
        match = _TOKEN.match(source, position)
        if match is None or match.lastgroup is None or match.lastgroup == "name":
            match = _NAME.match(source, position) or match  # names may have letters of any script
        if match is None:
            raise _no_token(source[position], places.of(position))
        kind = match.lastgroup or "name"
        if kind != "blank":
            value = match[kind] if match.lastgroup else match[0]
            found.append(Token(_KINDS[kind], _unquoted(kind, value), places.of(position), position))
        position = match.end()
    return [*found, Token("end", "", places.of(len(source)), len(source))]


def _require_storable(source: str) -> None:
    wrong = unstorable_at(source)
    if wrong is not None:
        place = _Places(source).of(wrong)
        raise PlacedMistake(
            f"the filter holds U+0000 or half a surrogate pair ({place})", remedy="remove the character"
        )


class _Places:
    """Lines and columns of a text, for positions that only grow."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._line = 1
        self._line_start = 0
        self._seen = 0

    def of(self, position: int) -> str:
        """Line and column of a position, both from 1."""
        self._line += self._source.count("\n", self._seen, position)
        newline = self._source.rfind("\n", self._seen, position)
        self._line_start = newline + 1 if newline >= 0 else self._line_start
        self._seen = position
        return f"line {self._line}, column {position - self._line_start + 1}"


def _unquoted(kind: str, value: str) -> str:
    return {"text": value.replace("''", "'"), "quoted": value.replace('""', '"')}.get(kind, value)


def _no_token(character: str, place: str) -> PlacedMistake:
    what = "an unclosed quote" if character in "'\"" else f"the unexpected character {character!r}"
    return PlacedMistake(
        f"the filter is not CQL2 text: {what} ({place})",
        remedy=_HINTS.get(character, "compare like campaign = 'x' AND vehicle.model IN ('a', 'b')"),
    )
