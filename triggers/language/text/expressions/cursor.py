"""The cursor of parsers: a position in the tokens, and what is reported where another token was expected."""

from __future__ import annotations

from typing import NoReturn

from triggers.language.text.diagnostics import Span
from triggers.language.text.expressions.lookahead import FORMS_OF_OBJECTS, SAID_BEFORE_LISTS, form_meant, is_each
from triggers.language.text.lexer import Token, TokenKind
from triggers.language.text.mistakes.instead import INSTEAD
from triggers.language.text.reporter import Reporter
from triggers.signals.unit_spellings import meant_unit

_IN_EXPRESSION = ("the next clause", "a signal, a value", "the end of this condition")
"""What is expected within or after an expression."""
_NAMES = (TokenKind.WORD, TokenKind.DOTTED)
_AFTER_A_LIST = 4
"""How many tokens after its first one `every o in tracked` is over."""
_CALLED = ("abs", "age", "changed", "fall", "floor", "inside", "missing", "prev", "rise", "sign", "sqrt", "wrap")
"""Operators on one value, which other languages have without parentheses."""
_QUOTE = '"'
_GROUP = len("000")
_VALUES = (TokenKind.DOTTED, TokenKind.NUMBER, TokenKind.UNIT)
"""After a token of these kinds, `=` is clearly meant as a comparison."""


class Panic(Exception):
    """Raised after a mistake was reported; the caller continues at the next clause or block."""


class Cursor:
    """A position in the tokens, with methods to look at, take and demand the next one."""

    def __init__(self, tokens: list[Token], reporter: Reporter) -> None:
        self.tokens = tokens
        self.report = reporter
        self.index = 0
        self.braces = 0
        """Braces that were taken and are still open."""
        self.in_expression = True
        """Whether an expression is parsed, so that a mistake may be a word that other languages have in theirs."""

    @property
    def next(self) -> Token:
        """The token that comes next; END at the end."""
        return self.tokens[self.index]

    def take(self) -> Token:
        """Take the next token and move past it."""
        token = self.next
        if token.kind is not TokenKind.END:
            self.index += 1
            self.braces += token.is_mark("{") - token.is_mark("}")
        return token

    def take_word(self, *words: str) -> Token | None:
        """The next token if it is one of these words."""
        return self.take() if self.next.is_word(*words) else None

    def take_mark(self, *marks: str) -> Token | None:
        """The next token if it is one of these operators or brackets."""
        return self.take() if self.next.is_mark(*marks) else None

    def demand_word(self, word: str, proposal: str = "") -> Token:
        """The next token, which must be this word."""
        return self.take() if self.next.is_word(word) else self.fail(f"`{word}`", proposal)

    def demand_mark(self, mark: str) -> Token:
        """The next token, which must be this operator or bracket."""
        return self.take() if self.next.is_mark(mark) else self.fail(f"`{mark}`")

    def demand(self, kind: TokenKind, what: str) -> Token:
        """The next token, which must be of this kind."""
        return self.take() if self.next.kind is kind else self.fail(what)

    def fail(self, what: str, proposal: str = "") -> NoReturn:
        """Report that something else was expected here."""
        before = self.tokens[self.index - 1]
        if self.follows_place():
            raise Panic
        if self.next.is_mark("=") and before.kind in _VALUES:
            self.report.assignment_in_condition(self.next.span)
        elif before.kind is TokenKind.NUMBER and self.next.kind is TokenKind.WORD and meant_unit(self.next.text):
            self.report.unknown_unit(self.next.span, self.next.text, [meant_unit(self.next.text) or ""])
        else:
            proposal = self._decimal_comma(before) or proposal
            proposal = proposal or self._of_objects_instead(before)
            if self.in_expression and what.startswith(_IN_EXPRESSION):
                proposal = proposal or self._other_language(before)
            self.report.expected(self.next.span, what, self.next.shown(), proposal)
        raise Panic

    def follows_place(self) -> bool:
        """Whether a place in a list comes next, `[0]` or `.0` right after a name, which the lexer has reported."""
        before, start = self.tokens[self.index - 1], self.next.span.start
        is_tight = self.index > 0 and before.kind in _NAMES and before.span.end == start
        return is_tight and self.report.source.text[start : start + 1] in ("[", ".")

    def _of_objects_instead(self, before: Token) -> str:
        """What to write for objects of a list that are looked at in the way of another language."""
        after = self.tokens[min(self.index + 1, len(self.tokens) - 1)]
        if self.next.kind is TokenKind.FIELD:
            return f"objects have no places: choose one, as in `{FORMS_OF_OBJECTS['nearest']}`"
        if is_each(self.tokens, self.index):
            return f"write `{FORMS_OF_OBJECTS['min']}`, or `any` of them: `{FORMS_OF_OBJECTS['any']}`"
        said = ""
        if self.index >= _AFTER_A_LIST and self.tokens[self.index - 2].is_word("in"):  # `every o in tracked o.x < 5 m`
            said = self.tokens[self.index - _AFTER_A_LIST].text
        elif after.is_word("in") or (before.is_word(*SAID_BEFORE_LISTS) and self.next.kind in _NAMES):
            said = before.text
        elif self.next.is_word("for"):  # `for all o in tracked`
            said = after.text
        elif self.next.is_word("where"):
            said = "any"
        return f"write `{form}`" if (form := form_meant(said)) else ""

    def _other_language(self, before: Token) -> str:
        """What to write instead of a word that other languages have within expressions."""
        if self.next.is_mark("="):
            return "write `==` to compare"
        after = self.tokens[min(self.index + 1, len(self.tokens) - 1)]
        if self.next.is_word("not") and after.is_word("in", "between", "outside"):
            return f"put `not` before all of it: `not (x {after.text} ...)`"
        if self.next.is_word("over"):
            return "write `P for 2 s`; `over` stands within an operator, as in `max(x over 2 s)`"
        if before.is_word("NOT", "Not"):
            return "write `not`: words of the language are in lower case"
        if before.is_word(*_CALLED) and self.next.kind in (*_NAMES, TokenKind.TEXT):
            return f"put it in parentheses: `{before.text}({self.next.text.strip(_QUOTE)})`"
        word = before.text if before.is_word("if") else self.next.text
        return INSTEAD.get(word.lower(), "")

    def _decimal_comma(self, before: Token) -> str:
        """The proposal for `1,5`, `1.000,5` and `1,000.5`; empty for two numbers, such as `48.06,11.36`."""
        after = self.tokens[min(self.index + 1, len(self.tokens) - 1)]
        is_comma = before.kind is after.kind is TokenKind.NUMBER and self.next.is_mark(",")
        is_tight = before.span.end == self.next.span.start and self.next.span.end == after.span.start
        if not (is_comma and is_tight):
            return ""
        whole, _, fraction = before.text.partition(".")
        first, _, rest = after.text.partition(".")
        if fraction and rest:
            return ""
        if fraction:
            point = f"write a decimal point, and nothing between thousands: `{whole}{fraction}.{first}`"
            return point if len(fraction) == _GROUP else ""
        is_group = len(first) == _GROUP and whole != "0"
        if rest:
            return f"write nothing between thousands: `{whole}{after.text}`" if is_group else ""
        point = f"write a decimal point: `{whole}.{first}`"
        return f"{point}, or nothing between thousands: `{whole}{first}`" if is_group else point

    def spanning(self, start: Span) -> Span:
        """The span from a start to the end of the token taken last."""
        return start.to(self.tokens[max(0, self.index - 1)].span)
