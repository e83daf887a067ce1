"""The page that the formatter writes on: lines, indentation, and pieces with their comments and blanks."""

from __future__ import annotations

from triggers.language.text.comments import Piece
from triggers.language.text.lexer import Token, TokenKind
from triggers.signals.reserved import RESERVED

WIDTH = 100
"""Columns of a line, not counting its comment."""
INDENT = 4
_INFIXES = frozenset({"at", "by", "since", "where"})
"""Operators after an operand; elsewhere names."""
_TRUTHS = frozenset({"true", "false"})


def blank_before(pieces: list[Piece], index: int) -> bool:
    """Whether there is a blank between a token and the one before it on the same line."""
    token, before = pieces[index].token, pieces[index - 1].token
    if (
        token.kind is TokenKind.FIELD
        or token.is_mark(")", ",")
        or before.is_mark("(")
        or is_unary_minus(pieces, index - 1)
    ):
        return False
    if token.is_mark("}") and before.is_mark("{"):
        return False
    is_name = before.kind in (TokenKind.WORD, TokenKind.DOTTED)
    return not (token.is_mark("(") and is_name and _is_operand(pieces, index - 1))


def is_unary_minus(pieces: list[Piece], index: int) -> bool:
    """True for a minus that begins an operand."""
    if not pieces[index].token.is_mark("-"):
        return False
    before = pieces[index - 1].token
    if before.kind is TokenKind.MARK:
        return not before.is_mark(")")
    return _is_name(before) and not _is_operand(pieces, index - 1)


def _is_name(token: Token) -> bool:
    return token.kind is TokenKind.WORD


def _is_operand(pieces: list[Piece], index: int) -> bool:
    """True for a word that names something; false for `and`, `in`, ... and for the word that begins a clause."""
    piece = pieces[index]
    if piece.text in _INFIXES and not piece.begins and index > 0 and ends_operand(pieces, index - 1):
        return False
    return piece.text not in RESERVED and not piece.begins


def ends_operand(pieces: list[Piece], index: int) -> bool:
    """Whether an operator can follow this piece; a word or a sign after another operator begins an operand."""
    token = pieces[index].token
    if token.kind is TokenKind.WORD:
        return token.text in _TRUTHS or _is_operand(pieces, index)
    return token.is_mark(")") or token.kind is not TokenKind.MARK


class SourcePage:
    """Lines under construction; `pieces` are those of the whole file, referred to by their index."""

    def __init__(self, pieces: list[Piece]) -> None:
        self.pieces = pieces
        self.lines: list[str] = []
        self.indent = 0
        self._current = ""
        self._comment_stands = False
        self._blanks = [index > 0 and blank_before(pieces, index) for index in range(len(pieces))]
        self._widths = [0]
        self._comments = [0]
        self._leading = [len(piece.leading) for piece in pieces]
        for piece, blank in zip(pieces, self._blanks, strict=True):
            self._widths.append(self._widths[-1] + len(piece.text) + blank)
            self._comments.append(self._comments[-1] + len(piece.leading) + bool(piece.trailing))

    def width(self, low: int, high: int) -> int:
        """Columns of the pieces from `low` to before `high` on one line."""
        return self._widths[high] - self._widths[low]

    def has_comment_within(self, low: int, high: int) -> bool:
        """True if there is a comment between two of these pieces."""
        count = self._comments[high] - self._comments[low]
        return count > self._leading[low] + bool(self.pieces[high - 1].trailing)

    def fits(self, low: int, high: int, indent: int) -> bool:
        """Whether the pieces fit on this line (or on a new one at `indent`, if a comment ended this one)."""
        if self.has_comment_within(low, high):
            return False
        column = indent if self._comment_stands else self.indent + len(self._current)
        return column + self.width(low, high) <= WIDTH

    def new_line(self, indent: int) -> None:
        """End the line, if it is not empty."""
        if self._current:
            self.lines.append(" " * self.indent + self._current)
        self._current, self._comment_stands, self.indent = "", False, indent

    def empty_line(self) -> None:
        """Write one empty line, however often it is requested; none at the top."""
        self.new_line(self.indent)
        if self.lines and self.lines[-1]:
            self.lines.append("")

    def comment(self, text: str) -> None:
        """Write a comment on its own line."""
        self.new_line(self.indent)
        self._current, self._comment_stands = text, True

    def put(self, index: int, continuation: int) -> None:
        """Write a piece with its comments; if one of them ends the line, continue at the indent `continuation`."""
        piece = self.pieces[index]
        if not self._current:
            continuation = self.indent
        for comment in piece.leading:
            self.new_line(continuation)
            self.comment(comment.text)
        if self._comment_stands:
            self.new_line(continuation)
        blank = " " if self._current and self._blanks[index] else ""
        self._current += blank + piece.text
        if piece.trailing:
            self._current += f"  {piece.trailing}"
            self._comment_stands = True

    def run(self, low: int, high: int, continuation: int) -> None:
        """Write pieces one after the other."""
        for index in range(low, high):
            self.put(index, continuation)

    def finished(self) -> str:
        """The text of all lines."""
        self.new_line(0)
        while self.lines and not self.lines[-1]:
            self.lines.pop()
        return "".join(f"{line}\n" for line in self.lines)
