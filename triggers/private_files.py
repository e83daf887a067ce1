"""Files and folders that only their owner can open, whatever the umask is and whoever made them before."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def private_folder(path: Path) -> None:
    """Make a folder (and those above it) unless it is there, and close it to all but its owner.

    One of somebody else stays as it is. Raises OSError if it cannot be made.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(PermissionError):
        path.chmod(0o700)


def private_file(path: Path) -> None:
    """Make an empty file unless it is there, and close it to all but its owner, likewise."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    with suppress(PermissionError):
        path.chmod(0o600)
