"""Messages between the API and the signer: a 4-byte length, then the bytes.

A request for a list is a byte with the number of key ids, these, and the list's canonical JSON. Three others begin with
a byte that is no such number: the question for the bundle key, and the canonical JSON of a bundle or of a report on an
erasure, to be signed. An answer is a byte, 0 and the envelope (or public key, or signature), or 1 and the message and
remedy of an error as JSON.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence

from triggers.contracts.bundle import MAX_BUNDLE_BYTES
from triggers.contracts.signing import KEY_ID_BYTES
from triggers.errors import InvalidInput, LongtailError, Misconfigured, Unreachable

MAX_FRAME_BYTES = MAX_BUNDLE_BYTES + 1
WHICH_BUNDLE_KEY, SIGN_BUNDLE, SIGN_REPORT = b"\xff", b"\xfe", b"\xfd"
_LENGTH_BYTES = 4
_SIGNED, _REFUSED = b"\0", b"\1"


def send(connection: socket.socket, frame: bytes) -> None:
    """Send one message."""
    connection.sendall(len(frame).to_bytes(_LENGTH_BYTES, "big") + frame)


def receive(connection: socket.socket) -> bytes | None:
    """The next message; None when the other end has closed. InvalidInput if it is too long, Unreachable if cut."""
    head = _exactly(connection, _LENGTH_BYTES)
    if not head:
        return None
    size = int.from_bytes(head, "big")
    if size > MAX_FRAME_BYTES:
        raise InvalidInput(f"a message of {size} bytes is longer than {MAX_FRAME_BYTES}")
    frame = _exactly(connection, size)
    if len(head) < _LENGTH_BYTES or len(frame) < size:
        raise Unreachable("the connection was closed in the middle of a message")
    return frame


def request_of(payload: bytes, key_ids: Sequence[bytes]) -> bytes:
    """The request to sign a list with the first of these keys that the signer has."""
    return bytes([len(key_ids)]) + b"".join(key_ids) + payload


def payload_and_keys(request: bytes) -> tuple[bytes, list[bytes]]:
    """The list and the key ids of a request."""
    end = 1 + (request[0] if request else 0) * KEY_ID_BYTES
    if len(request) < end or not request:
        raise InvalidInput("the request to the signer is cut")
    return request[end:], [request[at : at + KEY_ID_BYTES] for at in range(1, end, KEY_ID_BYTES)]


def signed(envelope: bytes) -> bytes:
    """The answer with an envelope."""
    return _SIGNED + envelope


def refused(error: LongtailError) -> bytes:
    """The answer with an error."""
    return _REFUSED + json.dumps([error.message, error.remedy]).encode()


def envelope_in(answer: bytes) -> bytes:
    """The envelope of an answer; Misconfigured if it has an error instead, since the API asks for nothing unusual."""
    if answer[:1] == _SIGNED:
        return answer[1:]
    message, remedy = json.loads(answer[1:])
    raise Misconfigured(f"the signer refuses: {message}", remedy=remedy)


def _exactly(connection: socket.socket, size: int) -> bytes:
    """`size` bytes, or fewer where the other end has closed."""
    received = bytearray()
    while len(received) < size and (piece := connection.recv(size - len(received))):
        received += piece
    return bytes(received)
