"""The collector of a file's findings, and the phrases that several messages share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from heapq import nsmallest

from triggers.language.text.diagnostics import Diagnostic, Severity, Source, Span, diagnostic_at
from triggers.signals.reserved import RESERVED

BLOCK_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
MAX_DIAGNOSTICS = 200
_OF_CHARACTERS = ("LT101", "LT102")
"""Mistakes of characters: what they were meant as is a guess, so nothing else is reported of the same characters."""


def quoted(names: Iterable[str], word: str = "or") -> str:
    """`a`, `b` or `c`."""
    shown = [f"`{name}`" for name in names]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {word} {shown[-1]}" if shown else ""


def did_you_mean(nearest: Sequence[str]) -> str:
    """A proposal that lists the nearest names; empty if there are none."""
    return f"did you mean {quoted(nearest)}?" if nearest else ""


def name_meant(text: str) -> str:
    """The name that is nearest to a text; empty if nobody can tell.

    >>> [name_meant(text) for text in ("munich", "Cut in", "in", "5")]
    ['munich', 'cut_in', '', '']
    """
    name = re.sub(r"\W+", "_", text.lower(), flags=re.ASCII)
    return name if BLOCK_NAME.fullmatch(name) and name not in RESERVED else ""


def without_quotes(text: str) -> str:
    """The proposal for a name in quotes, with this text between them."""
    return f"names have no quotes: write `{name}`" if (name := name_meant(text)) else "names have no quotes"


@dataclass(frozen=True, slots=True)
class _Finding:
    """What is wrong at a place; it only becomes a diagnostic, which holds its source line, if it is shown."""

    severity: Severity
    message: str
    proposal: str


_Key = tuple[str, Span, str]
"""The code of a finding, its place, and in which use of a `let` with arguments it was found, if in one."""


class Enough(Exception):
    """A file has MAX_DIAGNOSTICS mistakes, so no more of it need be looked at."""


class Collector:
    """Collects the findings of one file. Each code is reported at most once per place and use of it."""

    def __init__(self, source: Source, *, stops: bool = False, alone: bool = False) -> None:
        """With `stops`, the mistake that is the last one to be shown raises Enough.

        `alone`: the text is one condition or expression, beside which nothing can be defined.
        """
        self.source = source
        self.alone = alone
        self._stops = stops
        self.names_compared = 0
        """How many comparisons of names were made so far to propose the nearest ones."""
        self.has_errors = False
        """True if a finding prevents the file from being compiled."""
        self._findings: dict[_Key, _Finding] = {}
        self._errors: set[_Key] = set()
        self._uses: list[tuple[Span, str]] = []
        self.left_out: dict[int, Span] = {}
        """Where the lexer has left out characters that were reported, by the offset after them."""

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """The errors and then the warnings, each in order of place; at most MAX_DIAGNOSTICS of them."""

        def order(key: _Key) -> tuple[bool, int, str]:
            return self._findings[key].severity is not Severity.ERROR, key[1].start, key[0]

        return tuple(self._diagnostic(*key) for key in nsmallest(MAX_DIAGNOSTICS, self._findings, key=order))

    @contextmanager
    def used(self, written: Span, shown: str, use: Span) -> Iterator[None]:
        """What is found meanwhile at a place within `written` also says where that is used, and as what."""
        filename, before = self.source.file_at(use.start)
        where = "" if filename == self.source.file_at(written.start)[0] else f" of {filename}"
        line = self.source.position(use.start)[0] - before
        self._uses.append((written, f", as `{shown}` in line {line}{where}"))
        yield
        self._uses.pop()

    def _in_use(self, span: Span) -> str:
        for written, use in reversed(self._uses):
            if written.start <= span.start and span.end <= written.end:
                return use
        return ""

    def _diagnostic(self, code: str, span: Span, use: str) -> Diagnostic:
        found = self._findings[code, span, use]
        return diagnostic_at(
            self.source, span, code=code, severity=found.severity, message=found.message + use, proposal=found.proposal
        )

    def _error(self, code: str, span: Span, message: str, proposal: str = "") -> None:
        self._add(code, span, _Finding(Severity.ERROR, message, proposal))

    def _warning(self, code: str, span: Span, message: str, proposal: str = "") -> None:
        self._add(code, span, _Finding(Severity.WARNING, message, proposal))

    def _propose(self, code: str, span: Span, proposal: str) -> None:
        """Replace the proposal of what was reported at a place, as more is known of it."""
        key = code, span, ""
        self._findings[key] = replace(self._findings[key], proposal=proposal)

    def _add(self, code: str, span: Span, finding: _Finding) -> None:
        if any((told, span, "") in self._findings for told in _OF_CHARACTERS if told != code):
            return  # whatever else is wrong with these characters follows from that
        self.has_errors = self.has_errors or finding.severity is Severity.ERROR
        key = code, span, self._in_use(span)
        known = self._findings.setdefault(key, finding)
        if finding.severity is Severity.ERROR:
            self._errors.add(key)
            if self._stops and len(self._errors) >= MAX_DIAGNOSTICS:
                raise Enough
        if finding.proposal and not known.proposal:
            self._findings[key] = finding
