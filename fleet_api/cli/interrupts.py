"""SIGTERM and SIGHUP for commands that clean up after themselves: both act like Ctrl-C."""

from __future__ import annotations

import signal


def interrupt_on_sigterm() -> None:
    """Let SIGTERM and SIGHUP raise KeyboardInterrupt, so that `finally` blocks run (main thread only)."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as `nohup` asks for
            signal.signal(number, _interrupt)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
