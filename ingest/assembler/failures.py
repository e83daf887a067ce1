"""Unexpected failures by upload: an error that repeats itself may cost its own clip, never those of others.

What no clip is to blame for (an outage, a wrong setting, a peer that is not trusted) is not counted. The process
keeps one count for all lives of its assembler loop, so that an error that ends the loop is counted as well.
"""

from __future__ import annotations

from collections import OrderedDict

from triggers.errors import Misconfigured, Overloaded, Unreachable, Untrusted

MAX_FAILURES = 3
"""As many unexpected failures of an upload give it up, and as many more of giving it up set it aside."""
ASSEMBLER_ERROR = "assembler_error"
"""Reason of the dead letter of a clip that failed unexpectedly again and again."""
NOT_COUNTED = (Unreachable, Overloaded, Misconfigured, Untrusted)
"""Errors of the deployment: no clip is to blame for them."""
_REMEMBERED = 10_000


class Failures:
    """How often each upload failed unexpectedly since it was last settled; the latest 10 000. Not thread-safe."""

    def __init__(self) -> None:
        self._counts: OrderedDict[str, int] = OrderedDict()

    def note(self, upload_id: str) -> int:
        """Count one more; returns how many there are now."""
        count = self._counts.pop(upload_id, 0) + 1
        self._counts[upload_id] = count
        while len(self._counts) > _REMEMBERED:
            self._counts.popitem(last=False)
        return count

    def of(self, upload_id: str) -> int:
        """How many there were."""
        return self._counts.get(upload_id, 0)

    def forget(self, upload_id: str) -> None:
        """The upload was settled."""
        self._counts.pop(upload_id, None)


def described(error: Exception) -> str:
    """An error for a dead letter: its type and its message."""
    return f"{type(error).__name__}: {error}"
