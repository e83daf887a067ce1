"""Words of triggers that a signal catalog knows: those that cannot name a signal, and the colours of limits."""

from __future__ import annotations

RESERVED = frozenset({
    "then", "without", "or", "and", "for", "between", "in", "over", "within", "tolerating", "not", "true", "false",
})  # fmt: skip
"""Words that never name anything in an expression; as a part of a dotted name they are fine (`active.in`)."""

LIMITS = ("yellow", "red")
"""The colours of limits, the worse one last."""
