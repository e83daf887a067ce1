"""Translates the operating system's errors about the store's directory into errors that name the setting."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.objects.contract import ObjectUnreadable
from triggers.errors import LongtailError, Misconfigured, Unreachable

_REMEDIES = {
    errno.EACCES: "give this process's user write access",
    errno.EPERM: "use a file system with hard links that this process's user may write to",
    errno.EROFS: "use a directory that is mounted for writing",
    errno.EOPNOTSUPP: "use a file system with hard links",
    errno.ENOENT: "create it",
    errno.ENOTDIR: "use a directory",
    errno.ENAMETOOLONG: "use a shorter path",
}
"""What is wrong with the setting itself; trying again would not help."""
_FULL = {errno.ENOSPC, errno.EDQUOT}
_UNREADABLE = {errno.EIO, errno.EISDIR, errno.EBADMSG, getattr(errno, "EUCLEAN", errno.EIO)}
"""What file systems answer where a file's bytes, or its entry, are damaged."""


@contextmanager
def reaching(root: Path) -> Iterator[None]:
    """Turns OSErrors of operations on the store at `root` into Misconfigured or Unreachable."""
    try:
        yield
    except OSError as error:
        raise _translated(root, error) from error


@contextmanager
def reading(root: Path, key: str) -> Iterator[None]:
    """Turns OSErrors of reading one object into ObjectUnreadable, where they tell nothing of the others."""
    try:
        yield
    except OSError as error:
        if error.errno not in _UNREADABLE:
            raise
        raise ObjectUnreadable(
            f"the object {key!r} of {_named(root)} cannot be read ({error.strerror or error})",
            remedy="check the disk of LONGTAIL_OBJECTS_URL, and put the object there again from a backup",
        ) from error


def _named(root: Path) -> str:
    return f"the object store's directory {root}"


def _translated(root: Path, error: OSError) -> LongtailError:
    reason = error.strerror or str(error)
    where = _named(root)
    if error.errno in _FULL:
        return Unreachable(f"{where} is full ({reason})", remedy="free space, or move it (LONGTAIL_OBJECTS_URL)")
    if error.errno in _REMEDIES:
        at = f" at {error.filename}" if error.filename else ""
        return Misconfigured(
            f"{where} cannot be used ({reason}{at})",
            remedy=f"{_REMEDIES[error.errno]}, or set LONGTAIL_OBJECTS_URL to another directory",
        )
    return Unreachable(f"{where} does not answer ({reason})", remedy="check the disk of LONGTAIL_OBJECTS_URL")
