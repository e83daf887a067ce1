"""The signal that the kernel sends to a child when its parent dies (Linux only; elsewhere nothing happens).

The parent is the *thread* that started the child, and the kernel clears the signal when the child changes its user. A
parent that died before the call goes unnoticed: compare `os.getppid()` afterwards where that matters.
"""

from __future__ import annotations

import ctypes
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def signal_on_parents_death(number: signal.Signals) -> None:
    """Let the kernel send this process the signal `number` when its parent dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(number))
