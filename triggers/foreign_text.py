"""Text from outside, as logs, terminals and messages show it.

Vehicles, people and files choose names and reasons that others read. A control character in one would command the
reader's terminal, a line break would forge a line of a log, and a direction mark would turn what stands around it.
"""

from __future__ import annotations

import re

MAX_NAME_CHARACTERS = 100
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:/-]*")


def escaped(text: str) -> str:
    """The text with escapes for all that is not printable: controls (C0, C1), line breaks, direction marks, halves of
    surrogate pairs, and blanks other than the space.

    >>> print(escaped("a\\x1b[2J b\\n\\u202ec"))
    a\\x1b[2J b\\n\\u202ec
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def escaped_lines(text: str) -> str:
    """The same line by line, for text whose line breaks are its writer's own."""
    return "\n".join(map(escaped, text.split("\n")))


def require_seen(text: str) -> str:
    """The text; ValueError if it would look like another: with a control, a direction mark or a blank but the space.

    The two joiners of letters and emojis may be within it, and not at its ends.
    """
    if not (text[:1] + text[1:-1].translate({0x200C: None, 0x200D: None}) + text[-1:]).isprintable():
        raise ValueError("a character in it is not seen: a control character, or a blank other than the space")
    return text


def foreign_name(name: str) -> str:
    """A name that somebody else chose, as a message shows it: quoted unless it is plain, and cut.

    >>> print(foreign_name("ego.speed"), foreign_name("a b\\x1b"), foreign_name("x" * 200)[-4:])
    ego.speed 'a b\\x1b' xx'…
    """
    if len(name) <= MAX_NAME_CHARACTERS and _PLAIN_NAME.fullmatch(name):
        return name
    return repr(name[:MAX_NAME_CHARACTERS]) + ("…" if len(name) > MAX_NAME_CHARACTERS else "")
