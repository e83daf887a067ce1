"""The layout of expressions: on one line if it fits, else broken at the loosest operator, else in parentheses."""

from __future__ import annotations

from itertools import pairwise

from triggers.language.text.comments import Piece, move_after, move_before
from triggers.language.text.expression_parser import MEASURES
from triggers.language.text.expressions.lookahead import is_each
from triggers.language.text.lexer import TokenKind
from triggers.language.text.page import INDENT, WIDTH, SourcePage, ends_operand
from triggers.language.text.syntax import BLOCKS, CLAUSE_WORDS

_EACH = "for each"
"""The `for` of `min(o.x for o in tracked)`, which is looser than that of `P for 300 ms`."""
_JOINTS = ((_EACH, "by", "where"), ("then", "without", "since"), ("or",), ("and",))
"""Operators to break at, loosest first."""
_TIGHT_JOINTS = (
    ("within", "over", "after"), ("for", "tolerating"),
    ("<", "<=", ">", ">=", "==", "!=", "between", "in", "outside", "from", "to"), ("+", "-"), ("*", "/"), ("at",),
)  # fmt: skip
"""Those to break at if breaking parentheses would not be enough."""
_KEYWORDS_AT_LINE_START = CLAUSE_WORDS | frozenset(BLOCKS)
_SHORTEST_GROUP = 24
"""Parentheses with no more columns than this are not worth breaking."""


def matching_brackets(pieces: list[Piece]) -> dict[int, int]:
    """The index of the closing bracket or brace for each opening one."""
    result, opened = dict[int, int](), list[int]()
    for index, piece in enumerate(pieces):
        if piece.token.is_mark("(", "{"):
            opened.append(index)
        elif piece.token.is_mark(")", "}"):
            result[opened.pop()] = index
    return result


def may_begin_line(piece: Piece) -> bool:
    """False for a name that would be parsed as the beginning of a clause there."""
    return piece.token.kind is not TokenKind.WORD or piece.text not in _KEYWORDS_AT_LINE_START


def gather_comments(pieces: list[Piece]) -> None:
    """Move comments past joints, commas and opening braces, to where lines can break."""
    for index in range(1, len(pieces) - 1):
        before, joint, after = pieces[index - 1 : index + 2]
        if joint.token.is_word("and", "or", "then", "without", "since") and _joins(pieces, index):
            move_before(joint, before, after)
        elif (joint.token.is_mark(",") and may_begin_line(after)) or joint.token.is_mark("{"):
            move_after(joint, before, after)


def _joins(pieces: list[Piece], index: int) -> bool:
    """Whether the word is an operator here, and neither a name nor the `since` of a measure."""
    before, joint, after = pieces[index - 1 : index + 2]
    begins = joint.begins or before.begins or after.begins
    return not begins and ends_operand(pieces, index - 1) and not _belongs_to_measure(pieces, index)


def _belongs_to_measure(pieces: list[Piece], index: int) -> bool:
    """Whether this is the `since` or `over` of `time since A`, `distance since A` or `distance over W`."""
    before = pieces[index - 1].token
    return before.is_word(*MEASURES) and pieces[index].token.is_word(*MEASURES[before.text])


class ExpressionLayout:
    """Writes expressions and lists on a page."""

    def __init__(self, page: SourcePage, closing: dict[int, int]) -> None:
        self.page = page
        self.closing = closing

    def expression(self, low: int, high: int, indent: int) -> None:
        """Write the pieces from `low` to before `high`; lines after the first are indented by `indent`."""
        page = self.page
        if page.fits(low, high, indent):
            page.run(low, high, indent)
            return
        joints = self._joints(low, high, _JOINTS)
        opening = None if joints else self._group(low, high)
        if not joints and (opening is None or not self._fits_around(low, opening, high, indent)):
            joints = self._joints(low, high, _TIGHT_JOINTS)
        if not joints:
            self._without_joint(low, opening, high, indent)
            return
        self.expression(low, joints[0], indent + INDENT)
        for joint, end in pairwise([*joints, high]):
            page.new_line(indent)
            page.put(joint, indent)
            self.expression(joint + 1, end, indent + INDENT)

    def items(self, low: int, high: int, indent: int) -> None:
        """Write the items between commas, one per line at `indent`; the range may be empty."""
        ranges = self._split(low, high)
        nested = indent if len(ranges) == 1 else indent + INDENT
        for start, end in ranges:
            self.page.new_line(indent)
            self.expression(start, end, nested)
            if end < high:  # its comma
                self.page.put(end, nested)

    def _joints(self, low: int, high: int, levels: tuple[tuple[str, ...], ...]) -> list[int]:
        """The loosest joints outside of brackets; the `and` of a `between` and the sign of a number are not joints."""
        indexes: dict[str, list[int]] = {}
        between = False
        index = low
        while index < high:
            token = self.page.pieces[index].token
            if token.is_word("and") and between:
                between = False
            elif index > low and self._is_joint(index):
                between = between or token.is_word("between")
                indexes.setdefault(_EACH if self._is_each(index) else token.text, []).append(index)
            index = self.closing.get(index, index) + 1
        for words in levels:
            places = sorted(index for word in words for index in indexes.get(word, []))
            if places:
                return places
        return []

    def _is_joint(self, index: int) -> bool:
        """Whether an operator stands here; a word or a sign after another operator begins an operand."""
        pieces = self.page.pieces
        is_operator = pieces[index].token.kind in (TokenKind.WORD, TokenKind.MARK) and ends_operand(pieces, index - 1)
        return is_operator and not _belongs_to_measure(pieces, index)

    def _is_each(self, index: int) -> bool:
        return is_each([piece.token for piece in self.page.pieces[index : index + 3]], 0)

    def _fits_around(self, low: int, opening: int, high: int, indent: int) -> bool:
        """Whether what stands before and after these brackets fits on lines, so that breaking them is enough."""
        closing = self.closing[opening]
        if self.page.has_comment_within(low, high):
            return True
        return self.page.fits(low, opening + 1, indent) and self.page.width(closing, high) + self.page.indent <= WIDTH

    def _without_joint(self, low: int, opening: int | None, high: int, indent: int) -> None:
        page = self.page
        if opening is None:
            page.run(low, high, indent)
            return
        closing = self.closing[opening]
        page.run(low, opening + 1, indent)
        outer = page.indent
        self.items(opening + 1, closing, outer + INDENT)
        page.new_line(outer)
        page.put(closing, outer)
        if closing + 1 < high:
            self.expression(closing + 1, high, indent)

    def _group(self, low: int, high: int) -> int | None:
        """The bracket to break: the first with a comment in it, else the widest."""
        page, widest, index = self.page, None, low
        width = _SHORTEST_GROUP
        while index < high:
            closing = self.closing.get(index, index)
            if closing > index + 1 and self._can_be_split(index + 1, closing):
                if page.has_comment_within(index, closing + 1):
                    return index
                if page.width(index, closing) > width:
                    widest, width = index, page.width(index, closing)
            index = closing + 1
        return widest

    def _can_be_split(self, low: int, high: int) -> bool:
        return all(may_begin_line(self.page.pieces[start]) for start, _ in self._split(low, high))

    def _split(self, low: int, high: int) -> list[tuple[int, int]]:
        """The ranges between commas outside of brackets."""
        result, start, index = [], low, low
        while index < high:
            if self.page.pieces[index].token.is_mark(","):
                result.append((start, index))
                start = index + 1
            index = self.closing.get(index, index) + 1
        return [*result, (start, high)] if low < high else []
