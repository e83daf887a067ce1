"""Log lines that clients cause, at most so many per second: what is left out is counted and said later."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

LINES_PER_SECOND = 50


class BoundedLines:
    """Writes to a logger, and leaves out what is more than its lines per second."""

    def __init__(
        self,
        logger: logging.Logger,
        *,
        per_second: int = LINES_PER_SECOND,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._logger = logger
        self._per_second = per_second
        self._now_s = monotonic_s
        self._second = -1
        self._written = 0
        self._left_out = 0

    def write(self, level: int, message: str, *values: object) -> None:
        """Log a line, unless this second has its lines already."""
        second = int(self._now_s())
        if second != self._second:
            if self._left_out:
                self._logger.log(level, "%d more lines were left out", self._left_out)
            self._second, self._written, self._left_out = second, 0, 0
        if self._written >= self._per_second:
            self._left_out += 1
            return
        self._written += 1
        self._logger.log(level, message, *values)
