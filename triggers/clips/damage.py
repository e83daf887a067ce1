"""The error for a damaged clip file, which a retry cannot fix."""

from __future__ import annotations

from triggers.errors import InvalidInput

MAX_DETAIL_CHARACTERS = 500


class Damaged(InvalidInput):
    """The file violates its format or its manifest. `reason` is a stable code; the message is for people."""

    code = "damaged"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason

    @property
    def description(self) -> str:
        """Reason and detail as the catalog keeps them."""
        return f"{self.reason}: {self.message[:MAX_DETAIL_CHARACTERS]}"
