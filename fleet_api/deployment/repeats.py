"""Repeated warnings and errors in a log: the first of a kind are written, the rest counted: no outage fills it."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable

WINDOW_S = 60.0
WRITTEN = 10
"""How many lines of one kind are written in each window."""
KINDS = 1000
"""How many kinds are remembered; with more, counting begins again."""
_DIGITS = re.compile("[0-9]+")

Kind = tuple[str, int, str]


class FewRepeats(logging.Filter):
    """Leaves out records beyond WRITTEN of a kind in a window; the next one written says how many were left out.

    A kind is a logger, a level and a message before its values are filled in (where it is nothing but a value: that,
    whatever numbers it has). Records below WARNING all pass.
    """

    def __init__(self, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now_s = monotonic_s
        self._lock = threading.Lock()
        self._seen: dict[Kind, tuple[float, int]] = {}
        """By kind, when its window began, and how many records came in it."""

    @property
    def kinds(self) -> int:
        """How many kinds are remembered."""
        return len(self._seen)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written."""
        if record.levelno < logging.WARNING:
            return True
        text = str(record.msg)
        kind = (record.name, record.levelno, _DIGITS.sub("", record.getMessage()) if text == "%s" else text)
        now_s = self._now_s()
        with self._lock:
            began_s, count = self._seen.get(kind, (now_s, 0))
            if kind not in self._seen and len(self._seen) >= KINDS:
                self._seen.clear()
            if now_s - began_s < WINDOW_S:
                self._seen[kind] = (began_s, count + 1)
                return count < WRITTEN
            self._seen[kind] = (now_s, 1)
        if count > WRITTEN:
            record.msg = f"{record.getMessage()} (and {count - WRITTEN} more like the earlier ones, left out)"
            record.args = ()
        return True
