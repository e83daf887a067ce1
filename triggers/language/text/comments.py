"""Comments and blank lines around tokens, which the formatter must keep.

A comment after a token on the same line is its `trailing` comment; comments on their own lines are `leading` comments
of the token that follows. Some comments are moved past a joint (`and`, a comma, a brace), so that lines can break where
they should; the order of comments never changes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from triggers.language.text.lexer import Token

_BLANKS = " \t\r"


@dataclass(slots=True)
class Comment:
    """A comment on its own line; `blank_above`: there is an empty line above it."""

    text: str
    blank_above: bool = False


@dataclass(slots=True)
class Piece:
    """A token with its comments; `begins`: a block or clause begins with it.

    `blank_above`: there is an empty line right above it (below its leading comments).
    """

    token: Token
    begins: bool = False
    blank_above: bool = False
    leading: list[Comment] = field(default_factory=list)
    trailing: str = ""

    @property
    def text(self) -> str:
        """The token as the author wrote it."""
        return self.token.text


def attach(text: str, tokens: list[Token]) -> list[Piece]:
    """The tokens of a text without mistakes, with the comments and blank lines between them."""
    pieces: list[Piece] = []
    offset = 0
    for token in tokens:
        piece = Piece(token)
        lines = [line.strip(_BLANKS) for line in text[offset : token.span.start].split("\n")]
        if pieces:
            pieces[-1].trailing = lines.pop(0)
        own_lines = lines if token is tokens[-1] else lines[:-1]
        for line in own_lines:
            if line:
                piece.leading.append(Comment(line, piece.blank_above))
            piece.blank_above = not line
        pieces.append(piece)
        offset = token.span.end
    return pieces


def texts_of(pieces: list[Piece]) -> list[str]:
    """All comments, in the order of the text."""
    return [
        text
        for piece in pieces
        for text in [*(comment.text for comment in piece.leading), *([piece.trailing] if piece.trailing else [])]
    ]


def move_before(joint: Piece, before: Piece, after: Piece) -> None:
    """Move the comments between a joint and what follows it to between the joint and what precedes it."""
    if joint.trailing and not (before.trailing or joint.leading):
        before.trailing = joint.trailing
    elif joint.trailing:
        joint.leading.append(Comment(joint.trailing))
    joint.trailing = ""
    joint.leading += after.leading
    after.leading = []


def move_after(joint: Piece, before: Piece, after: Piece) -> None:
    """Move the comments between a joint and what precedes it to between the joint and what follows it."""
    if not (before.trailing or joint.leading):
        return
    pushed = [*joint.leading, *([Comment(joint.trailing)] if joint.trailing else [])]
    joint.trailing, before.trailing, joint.leading = before.trailing, "", []
    after.leading = pushed + after.leading


def drop(joint: Piece, before: Piece, after: Piece) -> None:
    """Give the comments of a joint that is removed to its neighbours."""
    move_after(joint, before, after)
    if joint.trailing:
        before.trailing = joint.trailing
