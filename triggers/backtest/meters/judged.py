"""For how long a condition was true, false and unknown in the windows of known events, while a drive is read.

Batches are cut where windows begin and end, and what the programs have weighed so far is read there. A row counts until
the next one, so a window is known to a row's accuracy. One that is shorter than the step between two rows is judged by
that step: it reaches to the next row, which adds nothing before the first row and in a gap between segments. Windows
include both of their ends, and so do segments: where no step follows, a window with a row in it is judged by what holds
at that row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from triggers.backtest.evidence.known_events import EventSpans
from triggers.backtest.result import DriveWeights, JudgedWindow
from triggers.drives.batches import Batch
from triggers.language.watched import Weight

Weights = Mapping[str, DriveWeights]
_INSTANT_NS = 1
"""What an instant weighs for whose condition nothing else was weighed."""


@dataclass(frozen=True, slots=True)
class _Window:
    """One event's window of a trigger; `number` is that of the event."""

    trigger: str
    number: int
    begins_ns: int


class WindowJudge:
    """Weighs conditions in the windows of a drive's events."""

    def __init__(self, spans: Mapping[str, EventSpans], weights: Callable[[int], Weights]) -> None:
        """`weights` gives what was weighed so far, if what holds at the latest row lasts so many ns longer."""
        self._weights = weights
        self._ending: dict[int, list[_Window]] = {}
        self._pending: dict[int, int] = {}
        """By the time at which windows begin, how many of them have not ended."""
        for trigger, events in spans.items():
            for number, (begins, ends) in enumerate(
                zip(events.from_ns.tolist(), events.until_ns.tolist(), strict=True)
            ):
                self._ending.setdefault(ends, []).append(_Window(trigger, number, begins))
                self._pending[begins] = self._pending.get(begins, 0) + 1
        self._cuts = sorted(self._ending.keys() | self._pending.keys())
        self._next = 0
        self._began: dict[int, Weights] = {}
        self._found: dict[str, list[JudgedWindow]] = {
            trigger: [JudgedWindow()] * len(events) for trigger, events in spans.items()
        }
        self._latest_ns: int | None = None
        """The time of the latest row that has run."""
        self._too_short: list[tuple[_Window, DriveWeights | None]] = []
        """Windows that have ended without anything weighed in them, with what was weighed before them."""

    def parts(self, batch: Batch) -> Iterator[Batch]:
        """The batch in parts that end where a window begins or ends; run each before asking for the next."""
        at = 0
        while self._next < len(self._cuts) and self._cuts[self._next] < batch.t_ns[-1]:
            end = int(np.searchsorted(batch.t_ns, self._cuts[self._next], side="right"))
            for part in self._until(end, at):
                yield batch.part(part)
                self._after_rows(batch, part)
            at = end
            self._note()
        for part in self._until(len(batch), at):
            yield batch.part(part) if len(batch) > part.stop - part.start else batch
            self._after_rows(batch, part)

    def _until(self, end: int, at: int) -> Iterator[slice]:
        """The rows from `at` to `end`, the first of them alone if windows wait for it."""
        if self._too_short and at < end:
            yield slice(at, at + 1)
            at += 1
        if at < end:
            yield slice(at, end)

    def _after_rows(self, batch: Batch, rows: slice) -> None:
        """Rows have run: windows that were too short reach to the first of them."""
        self._latest_ns = int(batch.t_ns[rows.stop - 1])
        if self._too_short:
            weights = self._weights(0)
            for window, before in self._too_short:
                self._note_found(window, _between(before, weights.get(window.trigger)))
            self._too_short.clear()

    def _note_found(self, window: _Window, found: JudgedWindow) -> None:
        """Note what was weighed in a window, if anything was."""
        if found.condition.total_ns:
            self._found[window.trigger][window.number] = found

    def finish(self) -> dict[str, tuple[JudgedWindow, ...]]:
        """By trigger, what was weighed in the window of each of its events, after the last row."""
        while self._next < len(self._cuts):
            self._note()
        return {trigger: tuple(windows) for trigger, windows in self._found.items()}

    def _note(self) -> None:
        """Read the weights at the next cut, for windows that begin or end there."""
        cut = self._cuts[self._next]
        self._next += 1
        weights = {} if self._latest_ns is None else self._weights(0)
        if cut in self._pending:
            self._began[cut] = weights
        for window in self._ending.get(cut, ()):
            before = self._began[window.begins_ns].get(window.trigger)
            found = _between(before, weights.get(window.trigger))
            self._note_found(window, found)
            if not found.condition.total_ns:
                self._too_short.append((window, before))
                if self._latest_ns is not None and window.begins_ns <= self._latest_ns:
                    longer = self._weights(_INSTANT_NS)
                    self._note_found(window, _between(weights.get(window.trigger), longer.get(window.trigger)))
            self._pending[window.begins_ns] -= 1
            if not self._pending[window.begins_ns]:
                del self._began[window.begins_ns]


def _between(before: DriveWeights | None, after: DriveWeights | None) -> JudgedWindow:
    """What was weighed between two readings; the signal is that which was unknown longest with the condition."""
    if after is None:
        return JudgedWindow()
    first = before.condition if before is not None else Weight()
    earlier = before.unknown_with_ns if before is not None else {}
    unknown = {name: ns - earlier.get(name, 0) for name, ns in after.unknown_with_ns.items()}
    longest = max(unknown, key=lambda name: unknown[name], default=None)
    return JudgedWindow(
        Weight(
            after.condition.unknown_ns - first.unknown_ns,
            after.condition.false_ns - first.false_ns,
            after.condition.true_ns - first.true_ns,
        ),
        longest if longest is not None and unknown[longest] > 0 else None,
    )
