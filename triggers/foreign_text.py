"""Text from outside, as logs, terminals and messages show it.

Vehicles, people and files choose names and reasons that others read. A control character in one would command the
reader's terminal, a line break would forge a line of a log, and a direction mark would turn what stands around it.
"""

from __future__ import annotations

import re
import unicodedata

MAX_NAME_CHARACTERS = 100
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:/-]*")
_JOINERS = "\u200c\u200d"
_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]+\U000e007f")
"""A flag of a region, as Scotland's: its letters are of a kind that is not seen elsewhere (UTS #51, ED-14a)."""
_NEVER_SEEN = re.compile("[\u2065\ufff0-\ufff8\U000e0000-\U000e0fff]")
"""Those among the code points without a character that no later Unicode shows (Default_Ignorable_Code_Point)."""
_NOT_SEEN = {
    "Cc": "a control character",
    "Cf": "a formatting character",
    "Co": "a character of private use",
    "Cs": "half of a surrogate pair",
    "Zl": "a line break",
    "Zp": "a line break",
    "Zs": "a blank other than the space",
}
"""By category. A code point that this Python's Unicode has no character for (Cn) may be the emoji of a newer one."""


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
    """The text; ValueError, with the place, if it would look like another: with a control, a direction mark or a blank
    but the space.

    The two joiners of letters and emojis may be within it, and not at its ends; the letters of a flag in their flag.

    >>> require_seen("a\\u200bb")
    Traceback (most recent call last):
    ValueError: character 2 in it is not seen: U+200B is a formatting character
    """
    in_flags = {place for flag in _FLAG.finditer(text) for place in range(*flag.span())}
    joined = {place for place in range(1, len(text) - 1) if text[place] in _JOINERS}
    for place, character in enumerate(text):
        what = _not_seen(character)
        if what is not None and place not in in_flags | joined:
            raise ValueError(f"character {place + 1} in it is not seen: U+{ord(character):04X} is {what}")
    return text


def _not_seen(character: str) -> str | None:
    if character == " ":
        return None
    if unicodedata.category(character) == "Cn" and _NEVER_SEEN.fullmatch(character):
        return "not a character"
    return _NOT_SEEN.get(unicodedata.category(character))


def foreign_name(name: str) -> str:
    """A name that somebody else chose, as a message shows it: quoted unless it is plain, and cut.

    >>> print(foreign_name("ego.speed"), foreign_name("a b\\x1b"), foreign_name("x" * 200)[-4:])
    ego.speed 'a b\\x1b' xx'…
    """
    if len(name) <= MAX_NAME_CHARACTERS and _PLAIN_NAME.fullmatch(name):
        return name
    return repr(name[:MAX_NAME_CHARACTERS]) + ("…" if len(name) > MAX_NAME_CHARACTERS else "")
