"""LT1xx: the text does not have the form of the language."""

from __future__ import annotations

from collections.abc import Sequence

from triggers.language.text.diagnostics import Span
from triggers.language.text.mistakes.collector import Collector, did_you_mean

MEANT = {"&&": "and", "&": "and", "||": "or", "|": "or", "!": "not"}
"""Signs of other languages, and the words for them in this one."""


class FormMistakes(Collector):
    """LT1xx: the text does not have the form of the language."""

    def unexpected_characters(self, span: Span, text: str) -> None:
        """LT101: characters that do not start a token."""
        proposal = f"write `{MEANT[text]}`" if text in MEANT else ""
        if text == ";":
            proposal = "leave it out: a clause ends where the next one begins"
        self._error("LT101", span, f"`{text[:20]}` has no meaning in this language", proposal)

    def unclosed_text(self, span: Span) -> None:
        """LT102: a quoted text without its closing quote."""
        self._error("LT102", span, "this text has no closing quote on its line", 'end it with `"`')

    def expected(self, span: Span, what: str, found: str, proposal: str = "") -> None:
        """LT103: something else was needed here."""
        self._error("LT103", span, f"expected {what}, found {found}", proposal)

    def unclosed_block(self, span: Span, kind: str, name: str) -> None:
        """LT104: a block without its closing brace."""
        self._error("LT104", span, f"{kind} `{name}` is not closed", "end it with `}`")

    def ambiguous_not(self, span: Span) -> None:
        """LT105: `not P for D` can be read in two ways."""
        proposal = "write `(not P) for D` or `not (P for D)`"
        self._error("LT105", span, "`not P for D` can be read in two ways", proposal)

    def chained(self, span: Span, operator: str) -> None:
        """LT106: operators that cannot be chained."""
        proposal = "write `x between a and b`" if operator in ("<", "<=", ">", ">=") else "use parentheses"
        self._error("LT106", span, f"`{operator}` cannot follow another operator of its kind", proposal)

    def too_deep(self, span: Span, limit: int) -> None:
        """LT107: nesting beyond the limit."""
        proposal = "take parts of it out with `let`"
        self._error("LT107", span, f"this expression nests deeper than {limit} levels", proposal)

    def too_deep_lets(self, span: Span, limit: int) -> None:
        """LT107 of lets that are each used before they are defined."""
        message = f"more than {limit} `let`s in a row are used before they are defined"
        self._error("LT107", span, message, "define each `let` above its uses")

    def number_out_of_range(self, span: Span, text: str) -> None:
        """LT108: a number that no float holds."""
        self._error("LT108", span, f"`{text[:40]}` is beyond the range of numbers")

    def duration_without_unit(self, span: Span, text: str) -> None:
        """LT109: a duration is a number with a unit of time."""
        self._error("LT109", span, f"a duration needs a unit of time, but `{text}` has none", f"write `{text} s`")

    def repeated_clause(self, span: Span, word: str) -> None:
        """LT110: a clause given twice."""
        self._error("LT110", span, f"`{word}` is given twice in this block", "keep one of them")

    def unknown_clause(self, span: Span, word: str, block: str, nearest: Sequence[str]) -> None:
        """LT111: a word that does not begin a clause."""
        self._error("LT111", span, f"a {block} has no clause `{word}`", did_you_mean(nearest))

    def no_date(self, span: Span, text: str) -> None:
        """LT112: a date that is in no calendar."""
        self._error("LT112", span, f"`{text}` is not a date", "write it as `2026-12-31`")

    def not_utf8(self, span: Span, byte: int) -> None:
        """LT113: bytes that are not UTF-8."""
        self._error("LT113", span, f"the file is not UTF-8 at byte {byte}", "save it as UTF-8")

    def too_large(self, span: Span, limit: int) -> None:
        """LT114: a file beyond the limit."""
        self._error("LT114", span, f"the file has more than {limit:,} bytes", "split it into several files")

    def assignment_in_condition(self, span: Span) -> None:
        """LT115: `=` where `==` compares."""
        self._error("LT115", span, "`=` does not compare", "write `==`")

    def bad_name(self, span: Span, name: str) -> None:
        """LT116: names of triggers, campaigns, fences and lets are lower-case words."""
        proposal = "write a lower-case letter, then letters, digits and `_`, 64 at most"
        self._error("LT116", span, f"`{name[:80]}` cannot be a name here", proposal)
