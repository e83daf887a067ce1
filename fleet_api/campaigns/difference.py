"""The unified difference of two texts, made in a time that does not depend on how they were chosen."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence

MAX_COMPARED_LINES = 500
"""How many lines of each text are compared line by line. `difflib` takes the product of both, and more for texts that
were made for it: beyond this, all that lies between the equal beginnings and ends is shown as replaced."""
CONTEXT_LINES = 3


def unified(old: str, new: str, *, old_name: str, new_name: str) -> str:
    """The difference as `diff -u` writes it; empty for equal texts.

    >>> print(unified("a\\nb", "a\\nc", old_name="version 1", new_name="version 2"))
    --- version 1
    +++ version 2
    @@ -1,2 +1,2 @@
     a
    -b
    +c
    """
    if old == new:
        return ""
    return "\n".join(_lines(old.split("\n"), new.split("\n"), old_name, new_name))


def _lines(old: Sequence[str], new: Sequence[str], old_name: str, new_name: str) -> Iterator[str]:
    before = _equal(old, new)
    after = _equal(old[before:][::-1], new[before:][::-1])
    changed_old, changed_new = len(old) - before - after, len(new) - before - after
    if max(changed_old, changed_new) <= MAX_COMPARED_LINES:
        # Far from the change nothing is shown, so only its surroundings are given to difflib.
        first, last = max(0, before - CONTEXT_LINES), max(0, after - CONTEXT_LINES)
        pieces = difflib.unified_diff(
            old[first : len(old) - last], new[first : len(new) - last], old_name, new_name, n=CONTEXT_LINES, lineterm=""
        )
        yield from (_moved(line, first) for line in pieces)
        return
    yield f"--- {old_name}"
    yield f"+++ {new_name}"
    yield f"@@ -{before + 1},{changed_old} +{before + 1},{changed_new} @@ lines between equal beginnings and ends"
    yield from (f"-{line}" for line in old[before : len(old) - after])
    yield from (f"+{line}" for line in new[before : len(new) - after])


def _equal(old: Sequence[str], new: Sequence[str]) -> int:
    """How many lines are equal at the beginning."""
    pairs = zip(old, new, strict=False)
    return next((number for number, (line, other) in enumerate(pairs) if line != other), min(len(old), len(new)))


def _moved(line: str, by: int) -> str:
    """A line of the difference; the head of a hunk with line numbers that are `by` higher."""
    if not line.startswith("@@"):
        return line
    return re.sub(r"([-+])(\d+)", lambda found: f"{found[1]}{int(found[2]) + by}", line)
