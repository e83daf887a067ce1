"""What the log promises; the contract suite in tests/ingest/log holds every implementation to it.

A topic has numbered partitions; a partition is a sequence of records with rising offsets (gaps allowed).
Appends are durable on return and ordered within a partition. Consumers of a group share a topic's partitions,
each partition going to one member at a time; they restart at the committed offset, so a record may be
delivered again, and none is skipped. Offsets are committed after the effects of the records before them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from triggers.errors import Conflict, InvalidInput

MAX_RECORD_BYTES = 1024**2
"""The largest size of a record's key and value together."""
MAX_PARTITIONS = 1024
_NAME = re.compile(r"[A-Za-z0-9._-]{1,200}")

CELLS_TOPIC = "longtail.cells"


class NotOwner(Conflict):
    """The partition was given to another member of the group; what was read from it may be processed there."""

    code = "not_owner"


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One record as read back."""

    partition: int
    offset: int
    key: bytes
    value: bytes


PartitionsCallback = Callable[[Sequence[int]], None]


class LogConsumer(Protocol):
    """A group member's reader of one topic. Not thread-safe; `poll` must be called within the lease."""

    def poll(self, *, max_records: int, timeout_s: float) -> list[LogRecord]:
        """The next records of the partitions held, at most `max_records`, waiting up to `timeout_s` for the first.

        May call `on_revoked` before partitions leave (commit in there is still allowed unless they are lost
        already) and `on_assigned` when partitions come. Keeps the lease alive. Records of paused partitions
        are not returned. NotOwner when another process joined the group as the same member: close this one.
        """
        ...

    def commit(self, next_offsets: Mapping[int, int]) -> None:
        """Store, by partition, the offset to restart at.

        NotOwner, with nothing stored, when one of the partitions is no longer held.
        """
        ...

    def pause(self, partitions: Sequence[int]) -> None:
        """Stop returning records of these partitions, and keep them. NotOwner when one is not held."""
        ...

    def resume(self, partitions: Sequence[int]) -> None:
        """Return records of these partitions again, from where they stopped. NotOwner when one is not held."""
        ...

    def seek(self, partition: int, offset: int) -> None:
        """Continue a held partition at `offset` (records dropped by retention are skipped), or NotOwner."""
        ...

    def assignment(self) -> frozenset[int]:
        """The partitions held now."""
        ...

    def close(self) -> None:
        """Call `on_revoked` for all partitions, then leave the group."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Log(Protocol):
    """Topics of partitioned records. Thread-safe. Methods raise Unreachable when the log does not answer."""

    def ensure_topic(self, topic: str, *, partitions: int, retention_s: int) -> None:
        """Create the topic, or add partitions to it and set its retention; never takes a partition away."""
        ...

    def partitions(self, topic: str) -> int:
        """How many partitions the topic has; NotFound when there is no such topic."""
        ...

    def append(self, topic: str, partition: int, records: Sequence[tuple[bytes, bytes]]) -> list[int]:
        """Append (key, value) pairs in order; returns their offsets once they are durable.

        InvalidInput when a record is larger than MAX_RECORD_BYTES, NotFound when there is no such partition; nothing
        is appended in either case. After Unreachable any of the records may be in the log: append all of them again.
        """
        ...

    def consumer(
        self,
        topic: str,
        *,
        group: str,
        member: str,
        on_assigned: PartitionsCallback | None = None,
        on_revoked: PartitionsCallback | None = None,
    ) -> LogConsumer:
        """Join `group`, at the first poll, as `member` (a static name: after a crash it gets its partitions back).

        NotFound when there is no such topic.
        """
        ...

    def end_offsets(self, topic: str) -> dict[int, int]:
        """By partition, the offset that the next record will have or exceed."""
        ...

    def committed_offsets(self, topic: str, group: str) -> dict[int, int]:
        """By partition, the committed offset of the group (0 where nothing was committed)."""
        ...

    def enforce_retention(self) -> int:
        """Drop what is older than its topic's retention; returns how many segments were dropped."""
        ...

    def check(self) -> str:
        """One line on which log is used and how; Unreachable or Misconfigured when it cannot work."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...


def checked_name(kind: str, name: str) -> str:
    """The name of a topic, group or member (`kind`), or InvalidInput when it breaks the rules that all logs share."""
    if not _NAME.fullmatch(name):
        raise InvalidInput(f"not a name of a {kind}: {name[:60]!r}", remedy="use 1 to 200 of A-Z a-z 0-9 . _ -")
    return name


def checked_records(records: Sequence[tuple[bytes, bytes]]) -> None:
    """InvalidInput when one of the records to append is too large."""
    for number, (key, value) in enumerate(records):
        if len(key) + len(value) > MAX_RECORD_BYTES:
            raise InvalidInput(
                f"record {number} of an append has {len(key) + len(value)} bytes, the log takes {MAX_RECORD_BYTES}"
            )


def check_offsets(offsets: Mapping[int, int]) -> None:
    """InvalidInput when an offset, given by partition, cannot be one."""
    for partition, offset in offsets.items():
        if offset < 0:
            raise InvalidInput(f"invalid offset for partition {partition}: {offset}")


def check_max_records(max_records: int) -> None:
    """InvalidInput when a poll may not return any record."""
    if max_records < 1:
        raise InvalidInput(f"max_records is {max_records}, but must be at least 1")
