"""What an object store promises; the contract suite in tests/storage/objects holds every implementation to it.

Keys are relative POSIX paths of `[A-Za-z0-9._=-]` segments, at most 900 bytes, never `.` or `..`. Callers never use
a key and another below it (`a` and `a/b`): Amazon's S3 and the directory hold both, S3 servers that keep files refuse.
An object is whole or not there: no reader ever sees a part of one. Writes are durable on return.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from triggers.errors import Conflict, InvalidInput, NotFound, Unreachable

MAX_KEY_BYTES = 900
ATTEMPTS = 3
"""Of a request to a server: as many silent ones end within a minute, pauses included, and their callers try again."""
LEFTOVER_AGE_S = 86400
"""An unfinished write that has made no progress for this long belongs to a process that died."""
MAX_SEGMENT_BYTES = 200
MIN_PART_BYTES = 5 * 1024**2
MAX_PART_BYTES = 5 * 1024**3
MAX_PARTS = 10_000
"""The limits of S3's multipart uploads; every store holds its callers to them."""
MAX_LINK_S = 7 * 86400
"""The longest life of a link (S3's limit for presigned URLs)."""
_SEGMENT = re.compile(r"[A-Za-z0-9._=-]+")


class ObjectNotFound(NotFound):
    """No object has this key."""

    code = "object_not_found"


class ObjectExists(Conflict):
    """A conditional write found an object under its key; that object was left as it is."""

    code = "object_exists"


class ObjectUnreadable(Unreachable):
    """The store has this object and works, but cannot read it: its disk has lost the bytes, or it is archived."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """Key and size of a stored object."""

    key: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ObjectTier:
    """The storage class of an object; if it is archived, whether it is being restored, or until when it can be read."""

    storage_class: str
    is_restoring: bool = False
    restored_until: datetime | None = None


class ObjectTiers(Protocol):
    """Storage classes of objects. Every method raises ObjectNotFound without the object, and what the store raises."""

    def move(self, key: str, storage_class: str) -> bool:
        """Give an object a storage class, in place; False if it had it. A repetition does no harm."""
        ...

    def tier(self, key: str) -> ObjectTier:
        """The storage class that an object has."""
        ...

    def restore(self, key: str, *, days: int) -> None:
        """Ask that an archived object can be read for some days, hours from now; a repetition does no harm."""
        ...


class ObjectStore(Protocol):
    """Objects by key. Every method raises Unreachable when the store does not answer, and those that read an object
    ObjectUnreadable when this one alone cannot be read."""

    @property
    def tiers(self) -> ObjectTiers | None:
        """The storage classes of its objects; None for a store that has none."""
        ...

    def put(self, key: str, data: bytes, *, if_absent: bool = False) -> ObjectInfo:
        """Write an object, replacing another; with `if_absent` raise ObjectExists instead of replacing."""
        ...

    def put_parts(self, key: str, parts: Iterable[bytes], *, if_absent: bool = False) -> ObjectInfo:
        """Write an object from parts as they come, holding few of them in memory.

        At most MAX_PARTS parts, each MIN_PART_BYTES (the last may be smaller) to MAX_PART_BYTES; InvalidInput
        otherwise. When `parts` raises, nothing is left.
        """
        ...

    def get(self, key: str, *, start: int = 0, length: int | None = None) -> bytes:
        """Bytes `[start, start + length)` (clipped to the object), or ObjectNotFound."""
        ...

    def stream(self, key: str, *, chunk_bytes: int = 1024**2) -> Iterator[bytes]:
        """The object's bytes in chunks; ObjectNotFound is raised before the first chunk."""
        ...

    def stat(self, key: str) -> ObjectInfo:
        """Size of an object, or ObjectNotFound."""
        ...

    def list(self, prefix: str = "", *, after: str = "", limit: int = 1000) -> list[ObjectInfo]:
        """At most `limit` objects whose key starts with `prefix` and sorts (by bytes) after `after`, in order."""
        ...

    def delete(self, key: str) -> None:
        """Remove an object; nothing happens when it is not there."""
        ...

    def link(self, key: str, *, expires_s: int) -> str:
        """A URL that reads the object without credentials until it expires (in `expires_s`, at most MAX_LINK_S)."""
        ...

    def remove_leftovers(self, *, older_than_s: float = LEFTOVER_AGE_S) -> int:
        """Remove what writers that died left unfinished; returns how many.

        `older_than_s` must be longer than the longest write that may still be under way.
        """
        ...

    def check(self) -> str:
        """One line on which store is used and how; Unreachable or Misconfigured when it cannot work."""
        ...


def checked_parts(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The parts as they come; InvalidInput at the first that breaks the limits of `put_parts`."""
    last_was_small = False
    for number, part in enumerate(parts, start=1):
        if last_was_small:
            raise InvalidInput(f"part {number - 1} of an object is under {MIN_PART_BYTES} bytes, and not its last")
        if len(part) > MAX_PART_BYTES or number > MAX_PARTS:
            raise InvalidInput(f"part {number} of an object ({len(part)} bytes) is over the limits of size or count")
        last_was_small = len(part) < MIN_PART_BYTES
        yield part


def checked_range(start: int, length: int | None) -> None:
    """InvalidInput for a negative start or length of a range of bytes."""
    if start < 0 or (length is not None and length < 0):
        raise InvalidInput(f"not a range of bytes: start {start}, length {length}")


def checked_key(key: str) -> str:
    """`key`, or InvalidInput when it breaks the naming rules."""
    segments = key.split("/")
    if len(key.encode()) > MAX_KEY_BYTES:
        raise InvalidInput(f"the object key is longer than {MAX_KEY_BYTES} bytes: {key[:60]!r}...")
    for segment in segments:
        if not _SEGMENT.fullmatch(segment) or segment in {".", ".."} or len(segment) > MAX_SEGMENT_BYTES:
            raise InvalidInput(f"not an object key: {key!r} (segment {segment[:60]!r})")
    return key


def check_link_life(expires_s: int) -> None:
    """InvalidInput for a time, in seconds, that a link cannot be valid for."""
    if not 1 <= expires_s <= MAX_LINK_S:
        raise InvalidInput(f"a link can be valid for 1 to {MAX_LINK_S} s, not {expires_s}")
