"""Calls: requests that take time. Each can be cancelled, and tells its progress to a client that has asked for it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from fleet_api.agents.protocol.frames import Output
from fleet_api.agents.protocol.messages import Id, is_id, notification


class Cancelled(Exception):
    """The client does not want the answer any more; never leaves the session."""


@dataclass(frozen=True)
class Call:
    """A request while it is worked on."""

    id: Id
    version: str
    output: Output
    token: object = None
    """What the client knows its progress by; None if it did not ask for it."""
    _cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def is_cancelled(self) -> bool:
        """Whether nobody waits for the answer any more."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """End the call at its next check."""
        self._cancelled.set()

    def check(self) -> None:
        """Raise Cancelled if nobody waits for the answer any more."""
        if self.is_cancelled:
            raise Cancelled

    def tell(self, done: int, total: int, message: str) -> None:
        """Tell how far it is, if the client wants to know; `done` grows from one time to the next."""
        self.check()
        if is_id(self.token):
            params = {"progressToken": self.token, "progress": done, "total": total, "message": message}
            self.output.write(notification("notifications/progress", params))
