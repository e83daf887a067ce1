"""Atomic replacement of files: a reader sees either the old or the new content, never a part."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from triggers.errors import Misconfigured


def replace_text(path: Path, text: str) -> None:
    """As `replace_bytes`, with text encoded as UTF-8."""
    replace_bytes(path, text.encode())


def replace_bytes(path: Path, data: bytes) -> None:
    """Replace a file, or create it. The mode of an existing file is kept, and a symbolic link to it stays valid.

    Raises Misconfigured if the file or its folder cannot be written.
    """
    target = Path(os.path.realpath(path))  # unlike resolve() leaves a loop of links to open(), which names it
    partial = ""
    try:
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
        descriptor, partial = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        with open(descriptor, "wb") as opened:  # noqa: PTH123 - a descriptor is at hand
            opened.write(data)
            os.fchmod(descriptor, mode if mode is not None else 0o666 & ~_umask())
            opened.flush()
            os.fsync(descriptor)
        Path(partial).replace(target)
    except OSError as error:
        if partial:
            with contextlib.suppress(FileNotFoundError):
                Path(partial).unlink()
        raise Misconfigured(f"{path}: cannot be written ({error.strerror})") from error


def replace_private(path: Path, data: bytes) -> None:
    """Replace a file that only its owner may ever read; Misconfigured if it cannot be written."""
    partial = path.with_name(f".{path.name}.new")
    try:
        with contextlib.suppress(FileNotFoundError):
            partial.unlink()
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise Misconfigured(f"{path}: cannot be written ({error.strerror})", remedy="free space on its disk") from error


def _umask() -> int:
    """The process's mask for new files; reading it needs setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
