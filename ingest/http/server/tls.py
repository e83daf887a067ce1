"""TLS of the listeners: certificate, key and client authorities from files, read again when they change."""

from __future__ import annotations

import ipaddress
import logging
import socket
import ssl
from pathlib import Path

from storage.settings import PREFIX, Settings
from triggers.errors import Misconfigured
from triggers.private_files import no_password

_log = logging.getLogger(__name__)

_Stamp = tuple[tuple[int, int, int], ...]


class Tls:
    """The TLS context of a listener. With client authorities, clients without a certificate of theirs are refused."""

    def __init__(self, cert_file: Path, key_file: Path | None = None, client_ca_file: Path | None = None) -> None:
        """Read the files; Misconfigured, naming the settings, if they cannot be used. No `key_file`: in `cert_file`."""
        self._cert_file = cert_file
        self._key_file = key_file or cert_file
        self._client_ca_file = client_ca_file
        self._stamp = self._stamped()
        self.context = self._made()

    @classmethod
    def from_settings(cls, settings: Settings) -> Tls | None:
        """The TLS that the settings describe; None for plain HTTP."""
        if settings.tls_cert_file is None:
            if settings.tls_key_file or settings.tls_client_ca_file:
                raise Misconfigured(
                    "there is a TLS key or client authority, and no certificate", remedy=f"set {PREFIX}TLS_CERT_FILE"
                )
            return None
        return cls(settings.tls_cert_file, settings.tls_key_file, settings.tls_client_ca_file)

    def reload(self) -> bool:
        """Use files that have changed for new connections; True if there were any.

        Files that cannot be used, such as a certificate whose key is not written yet, are tried again at the next call,
        and the former ones stay. A client authority that is gone from its file is trusted until the process restarts.
        """
        try:
            stamp = self._stamped()
            if stamp == self._stamp:
                return False
            self._made()  # a pair that does not fit would spoil the context that is in use
            self._load(self.context)
        except Misconfigured as error:
            _log.warning("the changed TLS files are not used yet: %s", error.message)
            return False
        self._stamp = stamp
        _log.info("the certificate in %s is used from now on", self._cert_file)
        return True

    def _made(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._load(context)
        return context

    def _load(self, context: ssl.SSLContext) -> None:
        try:
            context.load_cert_chain(self._cert_file, self._key_file, password=no_password)
            if self._client_ca_file is not None:
                context.load_verify_locations(self._client_ca_file)
                context.verify_mode = ssl.CERT_REQUIRED
        except (OSError, ValueError) as error:
            raise self._unusable(error) from error

    def _stamped(self) -> _Stamp:
        files = [self._cert_file, self._key_file, *([self._client_ca_file] if self._client_ca_file else [])]
        try:
            states = [file.stat() for file in files]
        except OSError as error:
            raise self._unusable(error) from error
        return tuple((state.st_mtime_ns, state.st_ino, state.st_size) for state in states)

    def _unusable(self, error: Exception) -> Misconfigured:
        return Misconfigured(
            f"the TLS files {self._cert_file}, {self._key_file} cannot be used: {error}",
            remedy=f"correct {PREFIX}TLS_CERT_FILE, {PREFIX}TLS_KEY_FILE or {PREFIX}TLS_CLIENT_CA_FILE (PEM files)",
        )


def require_protected(listener: socket.socket, settings: Settings) -> None:
    """Misconfigured for plain HTTP on an address that other machines reach, unless a proxy is said to be in front."""
    host = str(listener.getsockname()[0])
    is_loopback = ipaddress.ip_address(host.split("%", maxsplit=1)[0]).is_loopback
    if settings.tls_cert_file or settings.behind_proxy or is_loopback:
        return
    listener.close()
    raise Misconfigured(
        f"plain HTTP on {host}, which other machines reach: tokens could be read on the way",
        remedy=f"set {PREFIX}TLS_CERT_FILE and {PREFIX}TLS_KEY_FILE, or listen on 127.0.0.1; where a proxy with TLS is "
        f"the only way to it, set {PREFIX}BEHIND_PROXY=true",
    )
