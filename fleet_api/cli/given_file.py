"""Files that the user names, read whole if they are not too large."""

from __future__ import annotations

from pathlib import Path

from triggers.errors import InvalidInput


def read_limited(path: Path, max_bytes: int, *, remedy: str = "") -> bytes:
    """A file's bytes; InvalidInput, with the reason, if it cannot be read or has more than `max_bytes`."""
    try:
        with path.open("rb") as opened:
            data = opened.read(max_bytes + 1)
    except OSError as error:
        raise InvalidInput(f"{path}: cannot be read ({error.strerror})", remedy=remedy) from error
    if len(data) > max_bytes:
        raise InvalidInput(f"{path}: the file has more than {max_bytes} bytes", remedy=remedy)
    return data
