"""The carrying of `on_change` signals over a gap of the recording, in which nobody could tell them again.

A segment knows nothing of the one before it, so on a vehicle the host tells every signal that is sent on change again
when a recording continues after a gap. A recorded drive only has what was sent: its latest samples are repeated in the
first row after the gap, unless that row has new ones. Backtests and replays read drives this way, so both give the
fires that a vehicle gives.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

import numpy as np

from triggers.drives.batches import Batch
from triggers.drives.columns import Numbers
from triggers.drives.times import Times


def carried(batches: Iterable[Batch], on_change: Collection[str], max_gap_ns: int) -> Iterator[Batch]:
    """The batches with the latest samples of these signals repeated in the first row of each later segment."""
    if not on_change:
        yield from batches
        return
    latest = dict.fromkeys(on_change, math.nan)
    last_ns: int | None = None
    for batch in batches:
        starts = _segment_starts(batch, last_ns, max_gap_ns)
        columns = dict(batch.columns)
        for signal in on_change:
            numbers = columns[signal]
            if len(starts):
                numbers = columns[signal] = _repeated(numbers, starts, latest[signal], len(batch))
            if numbers is not None:
                latest[signal] = _latest(numbers, latest[signal])
        last_ns = int(batch.t_ns[-1])
        yield replace(batch, columns=columns) if len(starts) else batch


def _segment_starts(batch: Batch, last_ns: int | None, max_gap_ns: int) -> Times:
    """The rows that continue the recording after a gap; not the first row of all."""
    starts = np.empty(0, np.int64)
    if batch.longest_step_ns > max_gap_ns:
        starts = np.flatnonzero(batch.steps_ns > max_gap_ns) + 1  # times ascend
    is_first_after_gap = last_ns is not None and int(batch.t_ns[0]) - last_ns > max_gap_ns
    return np.append(0, starts) if is_first_after_gap else starts


def _repeated(numbers: Numbers | None, starts: Times, latest: float, rows: int) -> Numbers | None:
    """The numbers with the latest sample before each of the rows `starts` that has none; `latest`: before all rows."""
    if numbers is None:
        if math.isnan(latest):
            return None
        numbers = np.full(rows, np.nan)
    missing = starts[np.isnan(numbers[starts])]
    if not len(missing):
        return numbers
    sampled = np.flatnonzero(~np.isnan(numbers))
    before = np.searchsorted(sampled, missing)
    earlier = np.concatenate(([latest], numbers[sampled]))
    numbers = numbers.copy()
    numbers[missing] = earlier[before]
    return numbers


def _latest(numbers: Numbers, before: float) -> float:
    """The last sample, searched from the back; `before` if there is none."""
    end, step = len(numbers), 1024
    while end > 0:
        first = max(0, end - step)
        sampled = np.flatnonzero(~np.isnan(numbers[first:end]))
        if len(sampled):
            return float(numbers[first + sampled[-1]])
        end, step = first, 8 * step
    return before
