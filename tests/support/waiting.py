"""Waiting for what other threads and processes do: always for a condition, never past a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable

LEAST_S = 60.0
"""Where every core has many processes waiting, one that needs a moment gets it later than one would think."""
_POLL_S = 0.02


class Deadline:
    """A moment after which a test gives up. Only a test that hangs reaches it, so it may be generous."""

    def __init__(self, within_s: float) -> None:
        self._within_s = within_s
        self._end_s = time.monotonic() + within_s

    def passed(self) -> bool:
        """Whether the moment is over."""
        return time.monotonic() > self._end_s

    def check(self, what: str) -> None:
        """AssertionError, naming `what` has not happened, once the moment is over."""
        assert not self.passed(), f"{what} did not happen within {self._within_s} s"


def let_pass(seconds: float, *, why: str) -> None:
    """Let time pass. Only for what time itself brings about (a lease runs out), where no condition can be asked."""
    assert why
    time.sleep(seconds)


def wait_for(condition: Callable[[], object], *, within_s: float, what: str) -> None:
    """Return as soon as `condition` holds; AssertionError, naming `what`, when it does not in time.

    `within_s` is for what may take longer than LEAST_S; sooner than that nothing is given up.
    """
    deadline = Deadline(max(within_s, LEAST_S))
    while not condition():
        deadline.check(what)
        time.sleep(_POLL_S)
