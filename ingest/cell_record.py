"""A cell as a record of the log: a fixed header (upload, index, writer epoch), then the cell's bytes.

Layout, big-endian: `LTC1`, 16 bytes upload id, uint32 cell index, uint64 writer epoch, payload. The record's key
is the upload id, so that all cells of an upload keep their order.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from triggers.contracts.clip import CELL_BYTES
from triggers.errors import InvalidInput

_HEADER = struct.Struct(">4s16sIQ")
_MAGIC = b"LTC1"

PROBE = (b"", b"")
"""Key and value of a record that only shows whether records get through; readers pass over it."""


@dataclass(frozen=True, slots=True)
class CellRecord:
    """One cell of an upload. `upload_id` is 32 hex digits; `payload` is at most CELL_BYTES long."""

    upload_id: str
    index: int
    writer_epoch: int
    payload: bytes

    def encode(self) -> tuple[bytes, bytes]:
        """Key and value of the record."""
        identity = bytes.fromhex(self.upload_id)
        return identity, _HEADER.pack(_MAGIC, identity, self.index, self.writer_epoch) + self.payload

    @classmethod
    def decode(cls, value: bytes) -> CellRecord:
        """Read a record's value; InvalidInput when it is not a cell."""
        if len(value) < _HEADER.size or len(value) > _HEADER.size + CELL_BYTES:
            raise InvalidInput(f"a log record of {len(value)} bytes is not a cell")
        magic, identity, index, epoch = _HEADER.unpack_from(value)
        if magic != _MAGIC:
            raise InvalidInput(f"a log record starts with {magic!r} instead of {_MAGIC!r}")
        return cls(identity.hex(), index, epoch, value[_HEADER.size :])
