"""Frames of the protocol: one JSON document per line, of bounded length, read and written as bytes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any, BinaryIO, NoReturn

MAX_FRAME_BYTES = 16 * 1024**2
"""Of a line that arrives: a trigger file of 1 MB and a signal catalog, with all that JSON may escape in them."""
_PIECE_BYTES = 1024**2


class BadFrame(Exception):
    """A line that is no JSON document as the protocol has them; the message says why."""


def frames(stream: BinaryIO) -> Iterator[bytes | BadFrame]:
    """The lines of a stream without their ends, empty ones left out; BadFrame for each that is too long."""
    while line := stream.readline(MAX_FRAME_BYTES + 1):
        if len(line) > MAX_FRAME_BYTES:
            while line and not line.endswith(b"\n"):
                line = stream.readline(_PIECE_BYTES)
            yield BadFrame(f"a message of more than {MAX_FRAME_BYTES} bytes")
        elif stripped := line.strip():
            yield stripped


def document_of(frame: bytes) -> Any:
    """The JSON document in a line; BadFrame if it is none."""
    try:
        return json.loads(frame.decode("utf-8"), parse_constant=_refuse)
    except RecursionError as error:
        raise BadFrame("JSON that is nested too deeply") from error
    except ValueError as error:  # of JSON, of UTF-8, and of integers with thousands of digits
        raise BadFrame(f"not JSON in UTF-8 ({error})") from error


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


class Output:
    """Where messages are written, whole ones, by any thread. Once the reader has gone, they are dropped."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._is_gone = False

    def write(self, message: object) -> None:
        """Write a message in one line."""
        data = encoded(message) + b"\n"
        with self._lock:
            if self._is_gone:
                return
            try:
                self._stream.write(data)
                self._stream.flush()
            except (OSError, ValueError):  # ValueError: the stream is closed
                self._is_gone = True


def encoded(message: object) -> bytes:
    """A message as JSON in ASCII, so that halves of surrogate pairs in foreign text cannot spoil it."""
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode("ascii")
