"""What `longtail up` tells systemd: that everything is ready, and that it stops (sd_notify(3))."""

from __future__ import annotations

import os
import socket
from contextlib import suppress


def notify_systemd(state: str) -> None:
    """Tell systemd a state such as `READY=1` (sd_notify(3)); does nothing when it is not listening."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address[:1] not in {"/", "@"}:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as notification, suppress(OSError):
        notification.connect(address.replace("@", "\0", 1) if address[0] == "@" else address)
        notification.sendall(state.encode())
