"""The formatter of trigger files: it keeps the meaning and every comment, and formatting twice gives the same result.

Blocks and clauses begin lines, indented by 4 columns per level; lines of code end at column 100 if possible. Numbers,
units, names and text stay as the author wrote them, and clauses in the author's order. The result is parsed again and
compared with the original before it is returned.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from triggers.errors import LongtailError
from triggers.language.text import syntax
from triggers.language.text.clauses import CAMPAIGN_CLAUSES, TRIGGER_CLAUSES, Form, Part
from triggers.language.text.comments import Piece, attach, drop, texts_of
from triggers.language.text.diagnostics import Diagnostic, Source
from triggers.language.text.expression_layout import ExpressionLayout, gather_comments, matching_brackets
from triggers.language.text.page import INDENT, SourcePage
from triggers.language.text.parser import Layout, parse_with_layout
from triggers.language.text.reporter import Reporter
from triggers.language.text.source_file import decoded

_FORMS = {word: clause.form for clauses in (TRIGGER_CLAUSES, CAMPAIGN_CLAUSES) for word, clause in clauses.items()}


@dataclass(frozen=True, slots=True)
class Formatted:
    """The formatted text; None if the file has syntax errors, which are in `diagnostics`."""

    text: str | None
    diagnostics: tuple[Diagnostic, ...] = ()


def format_bytes(data: bytes, *, filename: str) -> Formatted:
    """Format a file's bytes; bytes that are not UTF-8, or too many bytes, are diagnostics."""
    source, diagnostics = decoded(data, filename)
    return Formatted(None, diagnostics) if diagnostics else format_source(source, filename=filename)


def format_source(source: str, *, filename: str) -> Formatted:
    """Format a file's text.

    >>> print(format_source("trigger t{when(x>1)and p # both", filename="a.trigger").diagnostics[0].message)
    trigger `t` is not closed
    >>> print(format_source("trigger t{when(x>1)and p # both\\n}", filename="a.trigger").text, end="")
    trigger t {
        when (x > 1) and p  # both
    }
    """
    file, layout, report = _parsed(source, filename)
    if report.has_errors:
        return Formatted(None, tuple(d for d in report.diagnostics if d.severity == "error"))
    text = _Formatter(source, layout).file()
    _demand_same(source, text, file, layout, filename)
    return Formatted(text)


def _parsed(source: str, filename: str) -> tuple[syntax.File, Layout, Reporter]:
    report = Reporter(Source(source, filename))
    return *parse_with_layout(report.source, report), report


def _demand_same(source: str, text: str, file: syntax.File, layout: Layout, filename: str) -> None:
    """Refuse a result with another meaning or a lost comment: that would be a bug, but it must not destroy a file."""
    again, new_layout, _ = _parsed(text, filename)
    comments = [Counter(texts_of(attach(t, part.tokens))) for t, part in ((source, layout), (text, new_layout))]
    if again != file or comments[0] != comments[1]:
        raise LongtailError(f"{filename}: formatting would change the file's meaning", remedy="please report this file")


class _Formatter:
    """Formats one file on a page."""

    def __init__(self, source: str, layout: Layout) -> None:
        parts = {layout.tokens[index].span.start: part for index, part in layout.parts.items()}
        self.pieces = pieces = _without_last_commas(attach(source, layout.tokens))
        self.parts = {index: part for index, piece in enumerate(pieces) if (part := parts.get(piece.token.span.start))}
        for index in self.parts:
            pieces[index].begins = True
        gather_comments(pieces)
        self.closing = matching_brackets(pieces)
        self.page = SourcePage(pieces)
        self.expressions = ExpressionLayout(self.page, self.closing)

    def file(self) -> str:
        """The whole text."""
        ends = self._ends(0, len(self.pieces) - 1, Part.BLOCK)
        follows_block = False
        for start, end in ends:
            is_block = self.pieces[start].text in ("trigger", "campaign", "file", "}")
            if follows_block or is_block:
                self.page.empty_line()
            self._begin(start, 0, after_something=start > 0)
            self._block(start, end)
            follows_block = is_block
        self._comments_above(len(self.pieces) - 1, 0, after_something=bool(ends))
        return self.page.finished()

    def _ends(self, low: int, high: int, part: Part) -> list[tuple[int, int]]:
        """The beginnings and ends of the parts of one kind between two pieces."""
        starts = [index for index in range(low, high) if self.parts.get(index) is part]
        return list(zip(starts, [*starts[1:], high], strict=True)) if starts else []

    def _begin(self, index: int, indent: int, *, after_something: bool) -> None:
        """Begin a line for a part, below its comments and the author's empty line."""
        self._comments_above(index, indent, after_something=after_something)
        piece = self.pieces[index]
        if piece.blank_above and (after_something or piece.leading):
            self.page.empty_line()
        self.page.new_line(indent)
        piece.leading = []

    def _comments_above(self, index: int, indent: int, *, after_something: bool) -> None:
        for comment in self.pieces[index].leading:
            if comment.blank_above and after_something:
                self.page.empty_line()
            self.page.new_line(indent)
            self.page.comment(comment.text)
            after_something = True

    # blocks

    def _block(self, start: int, end: int) -> None:
        word = self.pieces[start].text
        if word == "let":
            value = next(i for i in range(start, end) if self.pieces[i].token.is_mark("=")) + 1
            self.page.run(start, value, INDENT)
            self.expressions.expression(value, end, INDENT)
        elif word in ("language", "param", "import", "file", "}"):
            self.page.run(start, end, INDENT)
        elif word == "set":
            self._fence(start, end, start + 4)
        elif word == "fence":
            self._fence(start, end, start + 3)
        else:
            self._clauses(start, start + 2)
        self.page.new_line(0)

    def _fence(self, start: int, end: int, items: int) -> None:
        """Write a fence or a set on one line if it fits, else with one of the items in its brackets per line."""
        if self.page.fits(start, end, INDENT):
            self.page.run(start, end, INDENT)
            return
        self.page.run(start, items, INDENT)
        self.expressions.items(items, end - 1, INDENT)
        self._close(end - 1, INDENT)

    def _clauses(self, start: int, opening: int) -> None:
        closing = self.closing[opening]
        self.page.run(start, opening + 1, INDENT)
        for clause, end in self._ends(opening, closing, Part.CLAUSE):
            self._begin(clause, INDENT, after_something=clause > opening + 1)
            self._clause(clause, end)
        self._close(closing, INDENT)

    def _close(self, closing: int, indent: int) -> None:
        """Write the closing brace on its own line, below its comments, which are indented by `indent`."""
        is_empty = self.pieces[closing - 1].token.is_mark("{")
        self._comments_above(closing, indent, after_something=not is_empty)
        self.pieces[closing].leading = []
        self.page.new_line(indent - INDENT)
        self.page.put(closing, indent)

    # clauses

    def _clause(self, start: int, end: int) -> None:
        word, indent = self.pieces[start].text, 2 * INDENT
        if _FORMS[word] is Form.EXPRESSION:
            self.page.put(start, indent)
            self.expressions.expression(start + 1, end, indent)
        elif _FORMS[word] is Form.LIST:
            self._list(start, end, indent)
        else:
            bodies = [index for index in range(start, end) if self.pieces[index].token.is_mark("{")]
            self.page.run(start, bodies[0] + 1 if bodies else end, indent)
            for opening in bodies:
                self._capture_body(opening)

    def _capture_body(self, opening: int) -> None:
        closing = self.closing[opening]
        for line, end in self._ends(opening, closing, Part.LINE):
            self._begin(line, 2 * INDENT, after_something=line > opening + 1)
            self._list(line, end, 3 * INDENT)
        self._close(closing, 2 * INDENT)

    def _list(self, start: int, end: int, indent: int) -> None:
        """Write a word and the items after it on one line if they fit, else with one item per line."""
        if self.page.fits(start, end, indent):
            self.page.run(start, end, indent)
            return
        self.page.put(start, indent)
        self.expressions.items(start + 1, end, indent)


def _without_last_commas(pieces: list[Piece]) -> list[Piece]:
    """All pieces except for commas before a closing brace."""
    result: list[Piece] = []
    for index, piece in enumerate(pieces):
        if piece.token.is_mark(",") and pieces[index + 1].token.is_mark("}"):
            drop(piece, result[-1], pieces[index + 1])
        else:
            result.append(piece)
    return result
