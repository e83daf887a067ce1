"""The lexer: from text to tokens. It does not know keywords, since they depend on where a word is.

A unit is recognised only right after a number on the same line, so `20 m / ego.dt` divides and `1/s` after a
number is one token. Characters that start no token are reported and skipped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from enum import StrEnum

from triggers.language.text import characters
from triggers.language.text.diagnostics import Source, Span
from triggers.language.text.reporter import Reporter
from triggers.language.text.syntax import BLOCKS, CLAUSE_WORDS
from triggers.signals.reserved import RESERVED


class TokenKind(StrEnum):
    """Kinds of tokens; a `WORD` has no dot, a `DOTTED` name has dots, a `WILDCARD` ends in `.*`.

    A `FIELD` is the `.x` right after a bracket: `nearest(...).x`.
    """

    WORD = "word"
    DOTTED = "dotted"
    FIELD = "field"
    WILDCARD = "wildcard"
    NUMBER = "number"
    UNIT = "unit"
    DATE = "date"
    TEXT = "text"
    MARK = "mark"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of text; `starts_line`: there is nothing but blanks before it on its line."""

    kind: TokenKind
    text: str
    span: Span
    starts_line: bool

    def is_word(self, *words: str) -> bool:
        """True for one of these words."""
        return self.kind is TokenKind.WORD and self.text in words

    def is_mark(self, *marks: str) -> bool:
        """True for one of these operators or brackets."""
        return self.kind is TokenKind.MARK and self.text in marks

    def shown(self) -> str:
        """How a message names it."""
        return "the end of the file" if self.kind is TokenKind.END else f"`{self.text}`"


NEVER_UNITS = CLAUSE_WORDS | frozenset(BLOCKS) | {
    "after", "and", "at", "before", "between", "cameras", "cellular", "clips", "for", "in", "not", "on", "or", "over",
    "outside", "per", "signals", "since", "then", "to", "tolerating", "total", "up", "wifi", "within", "without",
}  # fmt: skip
"""Words that may follow a number but are never its unit."""
_AFTER_NUMBERS = NEVER_UNITS | {"by", "where"}
"""These, and words that are names wherever a number cannot stand before them."""

_WORD = r"[A-Za-z_]\w*"
# Letters and powers that no unit of ours has belong to the token all the same: it is a misspelt unit then.
_UNIT_LETTERS = "A-Za-zµΩ°\N{GREEK SMALL LETTER MU}\N{OHM SIGN}℃℉\N{FULLWIDTH PERCENT SIGN}⁰¹²³⁴⁵⁶⁷⁸⁹⁻"
_UNIT_FACTOR = rf"(?:%|[{_UNIT_LETTERS}]+(?:\^-?[0-9]+)?)"
_UNIT = re.compile(rf"[ \t]*((?:1/)?{_UNIT_FACTOR}(?:[*/·⋅]{_UNIT_FACTOR}|/100km)*)(?![\w.(])")
_PLACE = re.compile(r"""(?:\[(?:-?\w*(?::-?\w*)*|"[^"\n]*")\]|\.[0-9]+(?!\w))(?:\.\w+)*""", re.ASCII)
"""What follows the name of a list in the way of other languages: `[0].x`, `[1:3]`, `["id"]`, `.0.x`."""
_FIELD = re.compile(rf"(?P<field>\.{_WORD})", re.ASCII)
_TOKEN = re.compile(
    rf"""(?P<blank>[ \t\r\n]+|\#[^\n]*)
    |(?P<wildcard>{_WORD}(?:\.{_WORD})*\.\*)
    |(?P<dotted>{_WORD}(?:\.{_WORD})+)
    |(?P<word>{_WORD})
    |(?P<date>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?![0-9]))
    |(?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
    |(?P<text>"[^"\n]*")
    |(?P<mark><=|>=|==|!=|[<>+\-*/(){{}},=])""",
    re.VERBOSE | re.ASCII,
)


def tokenize(source: Source, reporter: Reporter) -> list[Token]:
    """All tokens of a text, and an END token.

    >>> source = Source("when x > 20 km/h  # fast", "a.trigger")
    >>> [(str(token.kind), token.text) for token in tokenize(source, Reporter(source))]
    [('word', 'when'), ('word', 'x'), ('mark', '>'), ('number', '20'), ('unit', 'km/h'), ('end', '')]
    """
    text, tokens, offset, line_is_empty = source.text, list[Token](), 0, True
    told, quiet, loud = 0, Reporter(source), reporter
    pairs, last_closing = _Pairs(), text.rfind("*/")
    while offset < len(text):
        if text[offset] in "[." and (place := _place_after(text, tokens, offset)) is not None:
            loud.no_places(place)
            told = place.end
        # the rest of what was told, and the other bracket of a pair, follow from that
        reporter = quiet if offset < told or offset in pairs.partners else loud
        pairs.pass_by(text, offset)
        if text[offset] == "/" and (end := characters.foreign_comment(text, offset, last_closing)) is not None:
            reporter.foreign_comment(Span(offset, offset + 2))
            line_is_empty = line_is_empty or "\n" in text[offset:end]
            offset = end
            continue
        odd = _odd(text, offset, reporter, tokens, has_clocks=offset >= pairs.asked_to)
        if odd:
            tokens += [replace(odd[0], starts_line=line_is_empty), *odd[1:]]
            offset, line_is_empty = tokens[-1].span.end, False
            continue
        match = _TOKEN.match(text, offset) or _field_after(text, tokens, offset)
        if match is None:
            repaired, offset = _repair(text, offset, reporter)
            if repaired is not None:
                tokens.append(replace(repaired, starts_line=line_is_empty))
                line_is_empty = False
            continue
        start, offset = offset, match.end()
        if match.lastgroup == "blank":
            line_is_empty = line_is_empty or "\n" in match[0]
            continue
        kind = TokenKind(match.lastgroup or "mark")
        tokens.append(Token(kind, match[0], Span(start, offset), line_is_empty))
        line_is_empty = False
        unit = _unit_after(text, tokens[-1])
        if unit is not None:
            tokens.append(unit)
            offset = unit.span.end
    tokens.append(Token(TokenKind.END, "", Span(len(text), len(text)), line_is_empty))
    return tokens


@dataclass(slots=True)
class _Pairs:
    """The `]` and `:` that belong to a `[` or `?` before them, found once for each line that has one."""

    partners: set[int] = field(default_factory=set)
    asked_to: int = 0
    """The end of the latest line with a `?` so far."""
    _end: int = 0

    def pass_by(self, text: str, offset: int) -> None:
        """Look at the character at this place, which may begin a pair."""
        if text[offset] in "[?" and offset >= self._end:
            self.partners, self._end = characters.partners(text, offset)
        if text[offset] == "?":
            self.asked_to = self._end


def _place_after(text: str, tokens: list[Token], offset: int) -> Span | None:
    """A place in a list or array right after a name, none of which this language has; `offset` is at a `[` or `.`."""
    if not tokens or tokens[-1].kind not in (TokenKind.WORD, TokenKind.DOTTED):
        return None
    is_tight = tokens[-1].span.end == offset and tokens[-1].text not in RESERVED
    match = _PLACE.match(text, offset) if is_tight else None
    return None if match is None else Span(*match.span())


def _field_after(text: str, tokens: list[Token], offset: int) -> re.Match[str] | None:
    """The `.x` right after a closing bracket."""
    is_tight = bool(tokens) and tokens[-1].is_mark(")") and tokens[-1].span.end == offset
    return _FIELD.match(text, offset) if is_tight else None


def _unit_after(text: str, token: Token) -> Token | None:
    """The unit right after a number."""
    unit = _UNIT.match(text, token.span.end) if token.kind is TokenKind.NUMBER else None
    if unit is None or unit[1] in _AFTER_NUMBERS:
        return None
    return Token(TokenKind.UNIT, unit[1], Span(unit.start(1), unit.end()), starts_line=False)


def _odd(text: str, offset: int, reporter: Reporter, before: list[Token], *, has_clocks: bool) -> list[Token]:
    """A name, constant or comparison in a form that other languages have, reported; none if there is none here.

    `has_clocks`: `10:30` is a time of day here, not two values after a `?`.
    """
    first = text[offset]
    if first in "=!<":
        mark = characters.miswritten(text, offset)
        if mark is not None:
            span = Span(offset, offset + len(mark))
            reporter.other_form(span, mark, f"write `{characters.MISWRITTEN[mark]}`")
            return [Token(TokenKind.MARK, characters.MISWRITTEN[mark], span, starts_line=False)]
    elif first in "0123456789.":
        constant = characters.loose_constant(text, offset)
        if constant is not None and (has_clocks or not constant.is_clock):
            span = Span(offset, offset + len(constant.written))
            is_of_date = constant.is_clock and bool(before) and before[-1].kind is TokenKind.DATE
            proposal = "leave the time out" if is_of_date else f"write {constant.meant}"
            reporter.other_form(span, constant.written, proposal, is_unfinished=constant.is_clock)
            return _written_here(text, span, constant.read)
    elif first.isalpha() or first == "_":
        word = characters.foreign_word(text, offset)
        if word is not None:
            span = Span(offset, offset + len(word))
            reporter.foreign_name(span, word)
            return [Token(TokenKind.DOTTED if "." in word else TokenKind.WORD, word, span, starts_line=False)]
    return []


def _written_here(text: str, span: Span, constant: str) -> list[Token]:
    """The token of a constant in the place of what was written instead, and the unit after that."""
    match = _TOKEN.match(constant)
    if match is None:
        return []
    token = Token(TokenKind(match.lastgroup or "mark"), match[0], span, starts_line=False)
    unit = _unit_after(text, token)
    return [token] if unit is None else [token, unit]


def _repair(text: str, offset: int, reporter: Reporter) -> tuple[Token | None, int]:
    """Report characters that do not start a token; returns the token that was clearly meant, and where to continue.

    A run of such characters is one mistake.
    """
    if text[offset] == '"':
        end = text.find("\n", offset)
        end = len(text) if end < 0 else end
        span = Span(offset, end)
        reporter.unclosed_text(span)
        return Token(TokenKind.TEXT, text[offset:end] + '"', span, starts_line=False), end
    quoted = characters.foreign_quotes(text, offset)
    if quoted is not None:
        span = Span(offset, quoted[1])
        reporter.foreign_quotes(span, quoted[0])
        return Token(TokenKind.TEXT, f'"{quoted[0]}"', span, starts_line=False), quoted[1]
    end = _end_of_run(text, offset)
    span = Span(offset, end)
    meant = _meant(text[offset:end], span)
    reporter.unexpected_characters(span, text[offset:end], are_left_out=meant is None)
    return meant, end


def _end_of_run(text: str, offset: int) -> int:
    """Where the characters end that are one mistake: those like the first one that start no token either."""
    if characters.mark_meant(text[offset]) is not None:
        return offset + 1
    end = offset + 1
    hidden = characters.is_invisible(text[offset])
    while end < len(text) and text[end] != '"' and _TOKEN.match(text, end) is None:
        if characters.is_invisible(text[end]) is not hidden or characters.mark_meant(text[end]) is not None:
            break
        end += 1
    return end


def _meant(text: str, span: Span) -> Token | None:
    """The token that was meant, or that may have been, so that what follows can be parsed."""
    word = characters.WORDS_MEANT.get(text) or characters.GUESSES.get(text)
    word = word or (characters.mark_meant(text) if len(text) == 1 else None)
    if word is None:
        return None
    return Token(TokenKind.WORD if word.isalpha() else TokenKind.MARK, word, span, starts_line=False)
