"""Diagnostics: what is wrong in a trigger file, where, and what to write instead.

A `Diagnostic` has a stable code, `file:line:column`, the source line with the span marked, a message in the
author's terms and often a proposal. Lines and columns count from 1, columns in characters.
`Reporter` (module `reporter`) has one method per mistake.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from triggers.language.text.characters import columns, visible

MAX_SHOWN_CHARACTERS = 160
MAX_LINE_CHARACTERS = 10_000
"""Of a source line in JSON: 200 findings in one line of a megabyte would be 200 megabytes."""


class Severity(StrEnum):
    """An error prevents a file from being compiled; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open range of character offsets in a source text."""

    start: int
    end: int

    def to(self, other: Span) -> Span:
        """The range from this one's start to the other's end."""
        return Span(self.start, max(self.end, other.end))


@dataclass(frozen=True, slots=True)
class SourcePart:
    """A part of a text that is the text of another file, from its first character to after its last one."""

    start: int
    end: int
    filename: str


class Source:
    """A source text, with the line and column of each offset; `parts` of it may be the texts of other files."""

    def __init__(self, text: str, filename: str, parts: Sequence[SourcePart] = ()) -> None:
        self.text = text
        self.filename = filename
        self.parts = parts
        self._latest_line = 0, ""
        self._line_starts = [0, *(i + 1 for i, character in enumerate(text) if character == "\n")]

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of a character offset, both from 1."""
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def file_at(self, offset: int) -> tuple[str, int]:
        """The file that a character is from, and how many lines are before that file's first one."""
        for part in self.parts:
            if part.start <= offset <= part.end:
                return part.filename, self.position(part.start)[0] - 1
        return self.filename, 0

    def line(self, number: int) -> str:
        """The text of a line, without its end."""
        if self._latest_line[0] != number:  # many findings in one long line share its text
            start = self._line_starts[number - 1]
            end = self.text.find("\n", start)
            self._latest_line = number, self.text[start : len(self.text) if end < 0 else end].rstrip("\r")
        return self._latest_line[1]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding, at a place in a file."""

    code: str
    severity: Severity
    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    message: str
    proposal: str
    source_line: str

    def render(self) -> str:
        """The finding as text: place, message, the source line with carets under the span, and the proposal."""
        place = f"{visible(self.file)}:{self.line}:{self.column}"
        parts = [f"{place}: {self.severity}: {visible(self.message)} [{self.code}]"]
        if self.source_line.strip():
            parts += _marked_line(self)
        if self.proposal:
            parts.append(f"    help: {visible(self.proposal)}")
        return "\n".join(parts)

    def to_json(self) -> dict[str, Any]:
        """The finding as JSON values, for tools."""
        return {
            "code": self.code,
            "severity": str(self.severity),
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "end_line": self.end_line,
            "end_column": self.end_column,
            "message": self.message,
            "proposal": self.proposal,
            "source_line": self.source_line[:MAX_LINE_CHARACTERS],
        }


def _marked_line(diagnostic: Diagnostic) -> list[str]:
    """The source line and a line of carets; a long line is cut to the part around the span, with dots at the cuts."""
    line = diagnostic.source_line
    first = diagnostic.column - 1
    last = diagnostic.end_column - 1 if diagnostic.end_line == diagnostic.line else len(line)
    cut = max(0, first - MAX_SHOWN_CHARACTERS // 2) if len(line) > MAX_SHOWN_CHARACTERS else 0
    cut = min(cut, max(0, len(line) - MAX_SHOWN_CHARACTERS))
    end = min(len(line), cut + MAX_SHOWN_CHARACTERS)
    before, after = "..." if cut else "", "..." if end < len(line) else ""
    blanks = "".join("\t" if c == "\t" else " " * columns(c) for c in visible(before + line[cut:first]))
    carets = "^" * max(1, columns(visible(line[first : min(last, end)])))
    return [f"    {before}{visible(line[cut:end])}{after}", f"    {blanks}{carets}"]


def render_all(diagnostics: Iterable[Diagnostic]) -> str:
    """All findings as one text, separated by blank lines."""
    return "\n\n".join(diagnostic.render() for diagnostic in diagnostics)


def diagnostic_at(
    source: Source, span: Span, *, code: str, severity: Severity, message: str, proposal: str
) -> Diagnostic:
    """A finding with its place in the source text."""
    line, column = source.position(min(span.start, len(source.text)))
    end_line, end_column = source.position(min(max(span.end, span.start), len(source.text)))
    filename, before = source.file_at(min(span.start, len(source.text)))
    text, line, end_line = source.line(line), line - before, end_line - before
    return Diagnostic(code, severity, filename, line, column, end_line, end_column, message, proposal, text)
