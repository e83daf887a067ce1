"""The signer as the API reaches it: over its socket, by connections that are kept open and shared by threads."""

from __future__ import annotations

import queue
import socket
from collections.abc import Sequence
from pathlib import Path

from fleet_api.signing import frames
from fleet_api.signing.socket_path import address_of
from triggers.errors import InvalidInput, Unreachable

_TIMEOUT_S = 10.0
_KEPT = 8


class RemoteSigner:
    """A `ListSigner` in another process. Thread-safe."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: queue.LifoQueue[socket.socket] = queue.LifoQueue(_KEPT)

    def sign(self, payload: bytes, key_ids: Sequence[bytes]) -> bytes:
        """As `ListSigner.sign`; Unreachable if the signer does not answer."""
        return self._answer(frames.request_of(payload, key_ids))

    def bundle_key(self) -> bytes:
        """The public part of the bundle key that the signer holds; empty if it holds none."""
        return self._answer(frames.WHICH_BUNDLE_KEY)

    def sign_bundle(self, payload: bytes) -> bytes:
        """The signature of that key over an unsigned bundle; errors as those of `sign`."""
        return self._answer(frames.SIGN_BUNDLE + payload)

    def sign_report(self, payload: bytes) -> bytes:
        """As `ListSigner.sign_report`; Unreachable if the signer does not answer."""
        return self._answer(frames.SIGN_REPORT + payload)

    def _answer(self, request: bytes) -> bytes:
        try:
            answer = self._ask(request)
        except (OSError, InvalidInput) as error:
            raise Unreachable(
                f"the signer at {self._path} does not answer: {error}",
                remedy="see whether `longtail signer` runs, and its log (LONGTAIL_SIGNER_SOCKET)",
            ) from error
        return frames.envelope_in(answer)

    def _ask(self, request: bytes) -> bytes:
        """The answer over an open connection, else over a new one: the signer may have been replaced meanwhile."""
        while True:
            try:
                connection, is_new = self._idle.get_nowait(), False
            except queue.Empty:
                connection, is_new = self._connect(), True
            try:
                frames.send(connection, request)
                answer = frames.receive(connection)
                if answer is None:
                    raise ConnectionResetError("it closed the connection")
            except (OSError, Unreachable):
                connection.close()
                if is_new:
                    raise
                continue
            self._keep(connection)
            return answer

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(_TIMEOUT_S)
        try:
            with address_of(self._path) as address:
                connection.connect(address)
        except OSError:
            connection.close()
            raise
        return connection

    def _keep(self, connection: socket.socket) -> None:
        try:
            self._idle.put_nowait(connection)
        except queue.Full:
            connection.close()
