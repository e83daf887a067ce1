"""Recordings of one trigger: fires whose capture windows touch are one recording, as the vehicle's recorder merges."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from triggers.contracts.campaign import CaptureWindow
from triggers.contracts.clip import MAX_FIRES
from triggers.drives.times import Times


class OwnRecordings:
    """Which fires of a trigger join the recording of the fire before, if no other trigger records anything.

    A fire joins if its window touches the recording and both together are no longer than the longest span of the
    fleet's vehicles and have no more than MAX_FIRES fires (`Recorder` has the rule; a property test compares both).
    """

    def __init__(self, capture: CaptureWindow, max_span_ns: int) -> None:
        self._before_ns, self._after_ns = capture.before_ns, capture.after_ns
        self._max_span_ns = max_span_ns
        self._start_ns = self._end_ns = -1
        self._fires = 0

    def joined(self, fires_ns: Times) -> NDArray[np.bool_]:
        """For each of the next fires (ascending) whether it joins the recording of the one before."""
        joined = np.zeros(len(fires_ns), np.bool_)
        starts_ns, ends_ns = np.maximum(0, fires_ns - self._before_ns), fires_ns + self._after_ns
        touching = starts_ns[1:] <= ends_ns[:-1]
        if not touching.any() and (self._fires == 0 or int(starts_ns[0]) > self._end_ns):
            self._start_ns, self._end_ns, self._fires = int(starts_ns[-1]), int(ends_ns[-1]), 1
            return joined
        for index, (start_ns, end_ns) in enumerate(zip(starts_ns.tolist(), ends_ns.tolist(), strict=True)):
            joined[index] = self._joins(start_ns, end_ns)
        return joined

    def _joins(self, start_ns: int, end_ns: int) -> bool:
        fits = end_ns - self._start_ns <= self._max_span_ns and self._fires < MAX_FIRES
        if self._fires and start_ns <= self._end_ns and fits:
            self._end_ns, self._fires = end_ns, self._fires + 1
            return True
        self._start_ns, self._end_ns, self._fires = start_ns, end_ns, 1
        return False
