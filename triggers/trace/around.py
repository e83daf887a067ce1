"""The ticks of a trace around a moment, kept while the trace is read."""

from __future__ import annotations

from triggers.trace.run import TraceBlock, joined


class Around:
    """The tick at a moment, in ns, and up to `count` ticks before and after it.

    The tick at the moment is the last one that is not after it, or the first of all where there is none.
    """

    def __init__(self, parts: int, at_ns: int, count: int) -> None:
        self._at_ns, self._count = at_ns, count
        self._until, self._after = joined([], parts), joined([], parts)

    def take(self, block: TraceBlock) -> None:
        """Keep what is near the moment of some ticks; they come in order of time."""
        parts, kept = len(block.values), self._count + 1
        until = int(block.t_ns.searchsorted(self._at_ns, side="right"))
        self._until = joined([self._until, block.cut(max(until - kept, 0), until)], parts)
        self._until = self._until.cut(max(len(self._until.t_ns) - kept, 0), len(self._until.t_ns))
        self._after = joined([self._after, block.cut(until, until + kept - len(self._after.t_ns))], parts)

    def ticks(self, count: int) -> TraceBlock:
        """The tick at the moment and those around it, at most so many on either side; empty if none has come."""
        at = max(len(self._until.t_ns) - 1, 0)
        both = joined([self._until, self._after], len(self._until.values))
        return both.cut(max(at - count, 0), min(at + count + 1, len(both.t_ns)))
