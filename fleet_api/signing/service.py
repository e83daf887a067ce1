"""The signer: a process that holds the deployment's keys, and signs only bundles, reports, and lists within bounds."""

from __future__ import annotations

import logging
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fleet_api.signing import frames
from fleet_api.signing.bundle_key import sign_bundle
from fleet_api.signing.list_keys import ListSigner
from triggers.errors import LongtailError, Misconfigured

MAX_CONNECTIONS = 256
_IDLE_S = 600.0
_log = logging.getLogger(__name__)


class SignerService:
    """Serves a listening Unix socket until it is stopped; a thread for each connection, of which the API has a few.

    The socket stays open: whoever passed it on gives it to the next signer, which takes the connections that wait.
    """

    def __init__(self, keys: ListSigner, listener: socket.socket, bundle_key: Ed25519PrivateKey | None = None) -> None:
        self._keys = keys
        self._bundle_key = bundle_key
        self._listener = listener
        self._free = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._stopped, self._stop = socket.socketpair()
        listener.setblocking(False)

    def serve(self) -> None:
        """Serve until `stop`."""
        while True:
            self._free.acquire()
            ready, _, _ = select.select([self._listener, self._stopped], [], [])
            if self._stopped in ready:
                return
            try:
                connection, _ = self._listener.accept()
            except OSError:  # its client did not wait for it
                self._free.release()
                continue
            threading.Thread(target=self._serve_one, args=(connection,), name="signer", daemon=True).start()

    def stop(self) -> None:
        """End `serve`, also while it waits, and all connections."""
        with self._lock:
            self._stop.close()
            for each in self._open:
                with suppress(OSError):  # it is closed already
                    each.shutdown(socket.SHUT_RDWR)

    def _serve_one(self, connection: socket.socket) -> None:
        try:
            with self._known(connection):
                connection.settimeout(_IDLE_S)
                while (request := frames.receive(connection)) is not None:
                    frames.send(connection, self._answer(request))
        except (OSError, LongtailError) as error:
            _log.info("a connection ended: %s", error)
        finally:
            self._free.release()

    @contextmanager
    def _known(self, connection: socket.socket) -> Iterator[None]:
        with self._lock:
            self._open.add(connection)
        try:
            with connection:
                yield
        finally:
            with self._lock:
                self._open.discard(connection)

    def _answer(self, request: bytes) -> bytes:
        try:
            if request[:1] == frames.WHICH_BUNDLE_KEY:
                key = self._bundle_key
                return frames.signed(b"" if key is None else key.public_key().public_bytes_raw())
            if request[:1] == frames.SIGN_BUNDLE:
                return frames.signed(self._signature(request[1:]))
            if request[:1] == frames.SIGN_REPORT:
                return frames.signed(self._keys.sign_report(request[1:]))
            payload, key_ids = frames.payload_and_keys(request)
            return frames.signed(self._keys.sign(payload, key_ids))
        except LongtailError as error:
            _log.warning("not signed: %s", error)
            return frames.refused(error)

    def _signature(self, bundle: bytes) -> bytes:
        if self._bundle_key is None:
            remedy = "give it LONGTAIL_SIGNING_KEY, or have people sign bundles"
            raise Misconfigured("it has no bundle key", remedy=remedy)
        return sign_bundle(bundle, self._bundle_key)
