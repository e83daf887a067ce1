"""LT1xx: syntax errors."""

from __future__ import annotations

from collections.abc import Sequence

from triggers.language.text.characters import named, remedy
from triggers.language.text.diagnostics import Span
from triggers.language.text.mistakes.collector import Collector, did_you_mean
from triggers.signals.reserved import RESERVED

MAX_NUMBER_CHARACTERS = 1100
"""Enough for the exact decimal value of every double."""
_ITEMS_FOLLOW = frozenset({"budget", "cameras", "collect", "compare", "rollout", "signals", "tags", "upload"})
_FAR = 40
"""Characters before a bracket that are looked at for the word of its clause."""


def _before_items(text: str) -> bool:
    """Whether a text ends in a word that items follow, with or without a colon."""
    words = text.rstrip(" \t:").split()
    return bool(words) and words[-1] in _ITEMS_FOLLOW


class FormMistakes(Collector):
    """LT1xx: syntax errors."""

    def unexpected_characters(self, span: Span, text: str, *, are_left_out: bool = False) -> None:
        """LT101: characters that do not start a token."""
        proposal = remedy(text)
        if text == "[" and _before_items(self.source.text[max(0, span.start - _FAR) : span.start]):
            proposal = "leave the brackets out: the items of a clause stand between commas"
        self._error("LT101", span, f"{named(text)} has no meaning in this language", proposal)
        if are_left_out:  # no token stands for them, and a mistake right after them may only follow: see `expected`
            self.left_out[span.end] = span

    def foreign_comment(self, span: Span) -> None:
        """LT101 for the beginning of a comment in another language."""
        written = self.source.text[span.start : span.end]
        message = f"`{written}` has no meaning in this language"
        self._error("LT101", span, message, "a comment begins with `#` and ends with its line")

    def foreign_quotes(self, span: Span, text: str) -> None:
        """LT101 for a text in quotes of another kind."""
        message = "these quotes have no meaning in this language"
        self._error("LT101", span, message, f'write it in double quotes: `"{text[:40]}"`')

    def other_form(self, span: Span, written: str, proposal: str, *, is_unfinished: bool = False) -> None:
        """LT101 for a number or an operator in the form of another language.

        `is_unfinished`: it is read as less than was written, so what is missing right after it is no further mistake.
        """
        self._error("LT101", span, f"`{written}` has no meaning in this language", proposal)
        if is_unfinished:
            self.left_out[span.end] = span

    def no_places(self, span: Span) -> None:
        """LT101 for a place in a list, by its number or a key."""
        written = self.source.text[span.start : span.end]
        proposal = "lists have no places: choose an object, as in `nearest(o in tracked by o.x).v`"
        message = f"`{written[:40]}` has no meaning in this language"
        self._error("LT101", span, message, f"{proposal}; `prev(x)` is the value of a signal before its latest one")

    def foreign_name(self, span: Span, text: str) -> None:
        """LT101 for a name with letters that no name can have."""
        proposal = "names have the letters a to z and A to Z, digits, `_` and dots"
        self._error("LT101", span, f"`{text[:40]}` cannot be a name", proposal)

    def unclosed_text(self, span: Span) -> None:
        """LT102: a quoted text without its closing quote."""
        self._error("LT102", span, "this quoted text is not closed on its line", 'end it with `"`')

    def expected(self, span: Span, what: str, found: str, proposal: str = "") -> None:
        """LT103: something else was expected here."""
        if self.alone and found == "the end of the file":
            found = "the end of the text"
        word = found.strip("`")
        if word.lower() in RESERVED and word != word.lower():
            proposal = f"write `{word.lower()}`: words of the language are in lower case"
        left_out = self.left_out.get(self._end_before(span.start))
        if left_out is None:
            self._error("LT103", span, f"expected {what}, found {found}", proposal)
        elif proposal:  # the mistake follows from that one, but knows more of what was meant
            self._propose("LT101", left_out, proposal)

    def _end_before(self, offset: int) -> int:
        """Where what is before this place ends, without the blanks between."""
        while offset > 0 and self.source.text[offset - 1] in " \t\r\n":
            offset -= 1
        return offset

    def unclosed_block(self, span: Span, kind: str, name: str, follows: str = "") -> None:
        """LT104: a block without its closing brace."""
        proposal = (
            f"end it with `}}` before `{follows}`, as no block stands in another" if follows else "end it with `}`"
        )
        self._error("LT104", span, f"{kind} `{name}` is not closed", proposal)

    def ambiguous_not(self, span: Span) -> None:
        """LT105: `not P for D`, or `P since Q and R`, can be read in two ways."""
        proposal = "write `(not P) for D` or `not (P for D)`"
        self._error("LT105", span, "`not P for D` can be read in two ways", proposal)

    def ambiguous_since(self, span: Span, operator: str, *, in_form: bool = False) -> None:
        """LT105 for `and` or `or` beside `since`; `in_form`: in a call such as `max(x since A)`."""
        message = f"`since` beside `{operator}` can be read in two ways"
        proposal = "put this in parentheses"
        if not in_form:  # whose `since` cannot stand in parentheses
            proposal = f"{proposal}, or the `since` alone: `(P since Q) {operator} R`"
        self._error("LT105", span, message, proposal)

    def chained(self, span: Span, operator: str) -> None:
        """LT106: operators that cannot be chained."""
        proposal = "write `x between a and b`" if operator in ("<", "<=", ">", ">=") else "use parentheses"
        self._error("LT106", span, f"`{operator}` cannot follow another operator of its kind", proposal)

    def too_deep(self, span: Span, limit: int) -> None:
        """LT107: nesting beyond the limit."""
        proposal = "shorten it" if self.alone else "move parts of it into a `let`"
        self._error("LT107", span, f"this expression nests deeper than {limit} levels", proposal)

    def too_deep_lets(self, span: Span, limit: int) -> None:
        """LT107 for a chain of lets, each used before it is defined."""
        message = f"more than {limit} `let`s in a row are used before they are defined"
        self._error("LT107", span, message, "define each `let` above its uses")

    def too_long_derivation(self, span: Span, limit: int) -> None:
        """LT107 for a chain of derived signals."""
        self._error("LT107", span, f"more than {limit} derived signals are computed from one another")

    def number_out_of_range(self, span: Span, text: str) -> None:
        """LT108: a number that a double cannot hold."""
        shown = text if len(text) <= 40 else f"{text[:36]}..."
        proposal = f"numbers have at most {MAX_NUMBER_CHARACTERS} characters and are 0, or between 5e-324 and 1.797e308"
        self._error("LT108", span, f"`{shown}` is outside the supported range of numbers", proposal)

    def inexact_integer(self, span: Span, number: int, below: int, above: int) -> None:
        """LT108 for a whole number that would be rounded to another one."""
        message = f"no number equals {number}: numbers are 64-bit floats, and this one would be rounded"
        proposal = f"the nearest numbers are {below} and {above}; carry an id of this size as a text signal"
        self._error("LT108", span, message, proposal)

    def duration_without_unit(self, span: Span, text: str, unit: str) -> None:
        """LT109: a duration without a unit of time."""
        self._error("LT109", span, f"a duration needs a unit of time, but `{text}` has none", f"write `{text} {unit}`")

    def repeated_clause(self, span: Span, word: str) -> None:
        """LT110: a clause given twice."""
        self._error("LT110", span, f"`{word}` is given twice in this block", "keep one of them")

    def unknown_clause(self, span: Span, word: str, block: str, nearest: Sequence[str]) -> None:
        """LT111: a word that does not begin a clause."""
        self._error("LT111", span, f"a {block} has no clause `{word}`", did_you_mean(nearest))

    def no_date(self, span: Span, text: str) -> None:
        """LT112: a date that does not exist."""
        self._error("LT112", span, f"`{text}` is not a date", "write it as `2026-12-31`")

    def not_utf8(self, span: Span, byte: int) -> None:
        """LT113: bytes that are not UTF-8."""
        self._error("LT113", span, f"the file is not valid UTF-8 at byte {byte}", "save it as UTF-8")

    def too_large(self, span: Span, limit: int) -> None:
        """LT114: a file that is too large."""
        what, proposal = ("condition", "shorten it") if self.alone else ("file", "split it into several files")
        self._error("LT114", span, f"the {what} has more than {limit:,} bytes", proposal)

    def assignment_in_condition(self, span: Span) -> None:
        """LT115: `=` used as a comparison."""
        self._error("LT115", span, "`=` is not a comparison", "write `==`")

    def bad_name(self, span: Span, name: str) -> None:
        """LT116: an invalid name of a trigger, campaign, fence or let."""
        proposal = "begin with a lower-case letter, then use lower-case letters, digits and `_`; at most 64 characters"
        self._error("LT116", span, f"`{name[:80]}` is not a valid name", proposal)

    def reserved_name(self, span: Span, name: str) -> None:
        """LT116 for a word of the language, which no expression could read."""
        self._error("LT116", span, f"`{name}` is a word of the language, so no expression can use it", "choose another")

    def unknown_version(self, span: Span, written: str, latest: int) -> None:
        """LT117: a version of the language that does not exist, or that only an imported file says."""
        self._error("LT117", span, f"there is no version {written[:20]} of the language", f"write `language {latest}`")

    def version_of_import_alone(self, span: Span, path: str, version: int) -> None:
        """LT117 for a header in an imported file, but none in the file that imports it, whose words would differ."""
        message = f"`{path}` says `language {version}`, and the file that imports it does not"
        self._error("LT117", span, message, f"begin that file with `language {version}`, too")
