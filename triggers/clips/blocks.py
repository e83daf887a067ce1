"""The records of an MCAP file in order, block by block, as far as they can be read (https://mcap.dev/spec).

A block is the unpacked content of a chunk, or a single record that is in no chunk. Neither indexes nor footer are
needed: a file that was cut off gives everything before the cut, and a chunk that cannot be read costs only itself.
Sizes are checked before anything is unpacked, since the bytes come from anywhere.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from enum import IntEnum
from typing import BinaryIO, NamedTuple

import lz4.frame
import zstandard

from triggers.clips.damage import Remark
from triggers.clips.magic import MAGIC, require_magic

RECORD = struct.Struct("<BQ")
"""The head of every record: opcode, and length of what follows."""
MAX_RECORD_BYTES = 512 * 1024**2
MAX_UNPACKED_RATIO = 100
UNPACKED_BASE_BYTES = 64 * 1024**2
"""All chunks together may unpack to this much, and MAX_UNPACKED_RATIO times the file's size."""
_CHUNK = struct.Struct("<QQQI")
_PIECE_BYTES = 1024**2


class Opcode(IntEnum):
    """The records that matter to a clip (MCAP 1.0, "Records")."""

    FOOTER = 0x02
    SCHEMA = 0x03
    CHANNEL = 0x04
    MESSAGE = 0x05
    CHUNK = 0x06
    METADATA = 0x0C
    DATA_END = 0x0F


_SINGLE = frozenset({Opcode.SCHEMA, Opcode.CHANNEL, Opcode.MESSAGE, Opcode.METADATA})


class _Chunk(NamedTuple):
    """A chunk's head, and its records as they are packed; at the cut they may be fewer than the head says."""

    unpacked_bytes: int
    crc: int
    compression: str
    packed: memoryview


class Blocks:
    """One pass over a file's blocks; `remarks` says afterwards what could not be read. Iterate only once."""

    def __init__(self, file: BinaryIO) -> None:
        """`file` is seekable. Raises Damaged if it does not begin as an MCAP file."""
        self.remarks: list[Remark] = []
        self._file = file
        self._size_bytes = file.seek(0, os.SEEK_END)
        self._unpacked_left = UNPACKED_BASE_BYTES + MAX_UNPACKED_RATIO * self._size_bytes
        self._chunks = 0
        self._data_end: int | None = None
        file.seek(0)
        require_magic(file)

    def __iter__(self) -> Iterator[memoryview]:
        """Every block; within a block all records are whole, except perhaps the last one of a file that was cut."""
        at = len(MAGIC)
        while at < self._size_bytes:
            self._file.seek(at)
            head = self._file.read(RECORD.size)
            if len(head) < RECORD.size:
                self._cut(at)
                return
            opcode, length = RECORD.unpack(head)
            end = at + RECORD.size + length
            if opcode == Opcode.DATA_END and end <= self._size_bytes:
                self._check_end(at, self._file.read(4), end)
                return
            if end > self._size_bytes:
                self._cut(at)
                if opcode == Opcode.CHUNK:
                    yield from self._chunk(at, min(length, self._size_bytes - at), cut=True)
                return
            if opcode == Opcode.CHUNK:
                yield from self._chunk(at, length, cut=False)
            elif opcode in _SINGLE and self._fits(at, length):
                run = self._run(at, RECORD.size + length)
                yield run
                end = at + len(run)
            at = end
            if self._unpacked_left < 0:
                return
        self._cut(at)

    def repeated(self) -> Iterator[memoryview]:
        """The schemas and channels that the summary repeats, each a block; after the pass, and none in a cut file."""
        at = self._data_end
        while at is not None and at + RECORD.size <= self._size_bytes:
            self._file.seek(at)
            opcode, length = RECORD.unpack(self._file.read(RECORD.size))
            end = at + RECORD.size + length
            if opcode == Opcode.FOOTER or end > self._size_bytes or length > MAX_RECORD_BYTES:
                return
            if opcode in (Opcode.SCHEMA, Opcode.CHANNEL):
                self._file.seek(at)
                yield memoryview(self._file.read(RECORD.size + length))
            at = end

    def _run(self, at: int, first_bytes: int) -> memoryview:
        """The record at `at`, and those that follow it as long as they are in no chunk; about _PIECE_BYTES."""
        self._file.seek(at)
        piece = memoryview(self._file.read(max(first_bytes, _PIECE_BYTES)))
        end = 0
        while end + RECORD.size <= len(piece):
            opcode, length = RECORD.unpack_from(piece, end)
            if opcode not in _SINGLE or end + RECORD.size + length > len(piece):
                break
            end += RECORD.size + length
        return piece[:end]

    def _cut(self, at: int) -> None:
        detail = f"the file ends after {at} of {self._size_bytes} bytes, no footer"
        self.remarks.append(Remark("mcap_truncated", detail))

    def _fits(self, at: int, length: int) -> bool:
        if length <= MAX_RECORD_BYTES:
            return True
        limit = f"is larger than {MAX_RECORD_BYTES} bytes"
        self.remarks.append(Remark("mcap_too_large", f"the record at byte {at} {limit}"))
        return False

    def _chunk(self, at: int, length: int, *, cut: bool) -> Iterator[memoryview]:
        """The records of a chunk; of one that was cut off, those that can be unpacked."""
        self._chunks += 1
        if not self._fits(at, length):
            return
        try:
            chunk = _parsed(memoryview(self._file.read(length)))
            if not self._may_unpack(at, chunk):
                return
            data = _unpacked(chunk, cut=cut)
        except (ValueError, RuntimeError, struct.error, zstandard.ZstdError) as error:
            if not cut:
                self.remarks.append(Remark("mcap_chunk_unreadable", f"the chunk at byte {at}: {error}"))
            return
        if not cut and chunk.crc and zlib.crc32(data) != chunk.crc:
            self.remarks.append(Remark("mcap_crc_mismatch", f"the chunk at byte {at} does not have its checksum"))
            return
        yield memoryview(data)

    def _may_unpack(self, at: int, chunk: _Chunk) -> bool:
        self._unpacked_left -= chunk.unpacked_bytes
        if chunk.unpacked_bytes <= MAX_RECORD_BYTES and self._unpacked_left >= 0:
            return True
        self._unpacked_left = -1
        detail = f"the chunk at byte {at} of a file of {self._size_bytes} bytes unpacks to {chunk.unpacked_bytes}"
        self.remarks.append(Remark("mcap_too_large", f"{detail}; it and what follows are left out"))
        return False

    def _check_end(self, at: int, crc: bytes, end: int) -> None:
        """The checksum over everything before the end of data, and what must follow: summary, footer, magic."""
        expected = int.from_bytes(crc, "little") if len(crc) == 4 else 0
        # Chunks have checksums of their own, so that one bad chunk is not told twice.
        if expected and not self._chunks and self._crc_until(at) != expected:
            self.remarks.append(Remark("mcap_crc_mismatch", f"the first {at} bytes do not have their checksum"))
        self._data_end = end
        opcode = None
        while opcode != Opcode.FOOTER and end + RECORD.size <= self._size_bytes:
            self._file.seek(end)
            opcode, length = RECORD.unpack(self._file.read(RECORD.size))
            end += RECORD.size + length
        if opcode != Opcode.FOOTER or end + len(MAGIC) > self._size_bytes:
            self._cut(min(end, self._size_bytes))
            return
        self._file.seek(end)
        extra = self._size_bytes - end - len(MAGIC)
        if self._file.read(len(MAGIC)) != MAGIC or extra:
            detail = f"{extra or len(MAGIC)} bytes after the footer are not the closing magic"
            self.remarks.append(Remark("mcap_trailing_bytes", detail))

    def _crc_until(self, end: int) -> int:
        self._file.seek(0)
        crc = 0
        for start in range(0, end, _PIECE_BYTES):
            crc = zlib.crc32(self._file.read(min(_PIECE_BYTES, end - start)), crc)
        return crc


def _parsed(body: memoryview) -> _Chunk:
    """A chunk record: times, unpacked size, checksum, compression, packed records. ValueError if it is too short."""
    _, _, unpacked_bytes, crc = _CHUNK.unpack_from(body)
    (name_bytes,) = struct.unpack_from("<I", body, _CHUNK.size)
    at = _CHUNK.size + 4 + name_bytes
    if at + 8 > len(body):
        raise ValueError("its head is cut off")
    compression = bytes(body[at - name_bytes : at]).decode()
    (packed_bytes,) = struct.unpack_from("<Q", body, at)
    return _Chunk(unpacked_bytes, crc, compression, body[at + 8 : at + 8 + packed_bytes])


def _unpacked(chunk: _Chunk, *, cut: bool) -> bytes | memoryview:
    """The records of a chunk, never more than it declares. ValueError when they are not what it declares."""
    size = chunk.unpacked_bytes
    if chunk.compression == "zstd":
        data = _from_zstd(chunk.packed, size)
    elif chunk.compression == "lz4":
        data = lz4.frame.LZ4FrameDecompressor().decompress(chunk.packed, max_length=size + 1)
    elif chunk.compression == "":
        return chunk.packed
    else:
        raise ValueError(f"the compression {chunk.compression[:20]!r} is not supported (zstd, lz4 or none)")
    if not cut and len(data) != size:
        raise ValueError(f"it declares {size} bytes, but has {len(data)}")
    return data[:size]


def _from_zstd(packed: memoryview, size: int) -> bytes:
    """At most `size` bytes of a zstd frame, or what its whole blocks give."""
    pieces: list[bytes] = []
    left = size + 1
    with zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=False) as reader:
        while left > 0:
            try:
                piece = reader.read(min(left, _PIECE_BYTES))
            except zstandard.ZstdError:
                if not pieces:
                    raise
                break
            if not piece:
                break
            pieces.append(piece)
            left -= len(piece)
    return b"".join(pieces)
