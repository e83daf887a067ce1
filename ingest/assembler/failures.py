"""Counts of unexpected failures per upload: an error that keeps recurring may cost its own clip, but no other.

Errors that no clip is to blame for (an outage, a wrong setting, an untrusted peer) are not counted. The counts outlive
a restart of the assembler's loop, so that an error that ends the loop is counted as well.
"""

from __future__ import annotations

from collections import OrderedDict

from triggers.errors import Misconfigured, Overloaded, Unreachable, Untrusted

MAX_FAILURES = 3
"""An upload is given up after this many unexpected failures, and set aside after as many more while giving it up."""
ASSEMBLER_ERROR = "assembler_error"
"""The dead letter's reason for a clip that kept failing unexpectedly."""
NOT_COUNTED = (Unreachable, Overloaded, Misconfigured, Untrusted)
"""Errors of the deployment: no clip is to blame for them."""
_REMEMBERED = 10_000


class Failures:
    """How often each upload failed unexpectedly since it was last settled, for the latest 10,000. Not thread-safe."""

    def __init__(self) -> None:
        self._counts: OrderedDict[str, int] = OrderedDict()

    def note(self, upload_id: str) -> int:
        """Count one more failure of an upload; returns how many there are now."""
        count = self._counts.pop(upload_id, 0) + 1
        self._counts[upload_id] = count
        while len(self._counts) > _REMEMBERED:
            self._counts.popitem(last=False)
        return count

    def of(self, upload_id: str) -> int:
        """How many failures of an upload were counted."""
        return self._counts.get(upload_id, 0)

    def forget(self, upload_id: str) -> None:
        """Forget the failures of an upload that was settled."""
        self._counts.pop(upload_id, None)


def described(error: Exception) -> str:
    """An error for a dead letter: its type and its message."""
    return f"{type(error).__name__}: {error}"
