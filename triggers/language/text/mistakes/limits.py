"""LT5xx: files and programs that exceed a limit."""

from __future__ import annotations

from triggers.language.text.diagnostics import Span
from triggers.language.text.mistakes.collector import Collector


class LimitMistakes(Collector):
    """LT5xx: files and programs that exceed a limit."""

    def too_many(self, span: Span, what: str, count: int, limit: int, whose: str = "a program") -> None:
        """LT501: too many triggers, campaigns, sub-expressions, signals or window entries."""
        self._error("LT501", span, f"{count:,} {what} are too many: {whose} may have at most {limit:,}")

    def too_much_state(self, span: Span, whose: str, needed: int, limit: int, most: str) -> None:
        """LT502: more state than the signal catalog's `limits` allow."""
        message = f"{whose} needs {needed:,} bytes of state, but the limit is {limit:,}; {most} of them"
        proposal = "shorten the window or delay, lower the `rate` of its signals in the catalog, or split the campaign"
        self._error("LT502", span, message, proposal)

    def too_many_operations(self, span: Span, whose: str, needed: int, limit: int, most: str) -> None:
        """LT503: more operations per tick than the signal catalog's `limits` allow."""
        message = f"{whose} needs {needed:,} operations per tick, but the limit is {limit:,}; {most} of them"
        proposal = "split the campaign, or raise `limits` in the signal catalog if the vehicles can afford it"
        self._error("LT503", span, message, proposal)

    def too_much_memory(self, span: Span, whose: str, needed: int, limit: int) -> None:
        """LT504: a program that needs more memory than a module may have."""
        message = f"{whose} needs {needed:,} bytes of memory, but a module may have at most {limit:,}"
        self._error("LT504", span, message, "shorten its windows, count fewer events, or split it")
