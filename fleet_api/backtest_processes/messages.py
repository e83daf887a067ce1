"""Messages of a process through its pipe: a 4-byte length, then the bytes; whoever reads them never waits for the rest.

The `recv_bytes` of a `Connection` would, so that half a message of a process that is taken over held a thread for ever.
"""

from __future__ import annotations

import os
import time
from multiprocessing.connection import Connection

from triggers.errors import InvalidInput

MAX_BYTES = 64 * 1024**2
"""Of a message."""
MAX_BYTES_IN_ALL = 2 * MAX_BYTES
"""Of all messages of one process: reading them takes the API's own time."""
_LENGTH_BYTES = 4
_AT_ONCE = 1024**2


def write(pipe: Connection, message: bytes) -> None:
    """Write a message, however long it takes until it is read. BrokenPipeError when nobody reads any more."""
    left = memoryview(len(message).to_bytes(_LENGTH_BYTES, "big") + message)
    while left:
        left = left[os.write(pipe.fileno(), left) :]


class Messages:
    """The messages that come through a pipe, whose other end may write anything. Not for several threads at a time."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._read = bytearray()
        self._left = MAX_BYTES_IN_ALL

    def next(self, within_s: float) -> bytes | None:
        """The next message; None when it is not there in whole within this time, however much of it is.

        EOFError at the end, OSError when the pipe fails, InvalidInput for more bytes than a process may send.
        """
        until_s = time.monotonic() + within_s
        while missing := self._missing():
            left_s = until_s - time.monotonic()
            if left_s <= 0 or not self._pipe.poll(left_s):
                return None
            piece = os.read(self._pipe.fileno(), min(missing, _AT_ONCE))
            if not piece:
                raise EOFError
            self._read += piece
            self._left -= len(piece)
        message = bytes(self._read[_LENGTH_BYTES:])
        self._read.clear()
        return message

    def _missing(self) -> int:
        """How many bytes there are still to read of the length, or then of the message: never of the one after it."""
        if len(self._read) < _LENGTH_BYTES:
            return _LENGTH_BYTES - len(self._read)
        size = _LENGTH_BYTES + int.from_bytes(self._read[:_LENGTH_BYTES], "big")
        missing = size - len(self._read)
        if size > MAX_BYTES or missing > self._left:
            raise InvalidInput(
                f"its process says more than {MAX_BYTES} bytes at once, or {MAX_BYTES_IN_ALL} in all",
                remedy="choose fewer or shorter drives",
            )
        return missing
