"""How much of the time in which a condition was unknown is the fault of signals that were."""

from __future__ import annotations

from collections.abc import Mapping

MENTIONED = 0.005
"""Shares of time below this are not worth a word."""


def unknown_otherwise(share: float, signals: Mapping[str, float]) -> float:
    """The least share of the time in which a condition was unknown though all its signals were known; 0 for a trifle.

    `share` is that in which it was unknown, `signals` by signal that in which both were.

    >>> round(unknown_otherwise(0.5, {"x": 0.1, "y": 0.2}), 3), unknown_otherwise(0.5, {"x": 0.3, "y": 0.3})
    (0.2, 0.0)
    """
    rest = share - sum(signals.values())
    return rest if rest >= MENTIONED else 0.0
