"""The limit of the disk: the same records appended to one file per partition, synced after every append."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

_LENGTHS = struct.Struct(">II")


class DiskLog:
    """A folder with one file for each partition of each topic; nothing but bytes in order."""

    name = "file, write and fsync"

    def __init__(self, folder: Path, partitions: int) -> None:
        self._folder = folder
        self._partitions = partitions
        self._descriptors: dict[int, int] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def create(self, topic: str) -> None:
        """Open new files; those of the topic before are closed."""
        self._stack.close()
        for partition in range(self._partitions):
            path = self._path(topic, partition)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            self._stack.callback(os.close, descriptor)
            self._descriptors[partition] = descriptor

    def append(self, topic: str, partition: int, records: Sequence[tuple[bytes, bytes]]) -> None:
        """Write the records one after the other, then sync."""
        for key, value in records:
            piece = b"".join((_LENGTHS.pack(len(key), len(value)), key, value))
            written = os.write(self._descriptors[partition], piece)
            if written != len(piece):
                raise OSError(f"{self._path(topic, partition)}: {written} of {len(piece)} bytes written")
        os.fsync(self._descriptors[partition])

    def stored(self, topic: str) -> Iterator[tuple[bytes, bytes]]:
        """Every record, partition after partition."""
        for partition in range(self._partitions):
            data = self._path(topic, partition).read_bytes()
            at = 0
            while at < len(data):
                key_bytes, value_bytes = _LENGTHS.unpack_from(data, at)
                at += _LENGTHS.size
                yield data[at : at + key_bytes], data[at + key_bytes : at + key_bytes + value_bytes]
                at += key_bytes + value_bytes

    def _path(self, topic: str, partition: int) -> Path:
        return self._folder / f"{topic}.{partition}"
