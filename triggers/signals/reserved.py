"""The words of the trigger language that cannot name a signal, because an expression could not read it."""

from __future__ import annotations

RESERVED = frozenset({
    "then", "without", "or", "and", "for", "between", "in", "over", "within", "tolerating", "not", "true", "false",
})  # fmt: skip
"""Words that never name anything in an expression; as a part of a dotted name they are fine (`active.in`)."""
