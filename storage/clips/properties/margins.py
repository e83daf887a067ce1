"""Bounds that are kept wider than what is known, so that most of the clips that come next need no change of them."""

from __future__ import annotations

from triggers.times import NS_PER_S

MARGIN_NS = 3600 * NS_PER_S


def widened(first: str, last: str) -> tuple[str, str]:
    """SQL of the columns `first` and `last`, in ns, moved apart by `:margin` each, within 64 bits."""
    return (
        f"greatest({first}::numeric - :margin, -9223372036854775808)::bigint",
        f"least({last}::numeric + :margin, 9223372036854775807)::bigint",
    )
