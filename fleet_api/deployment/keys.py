"""The deployment's signing key: created once, by the process that first needs it, readable only by its owner."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from storage.settings import Settings
from triggers.contracts.signing import load_private_key
from triggers.errors import Misconfigured


def ensure_signing_key(settings: Settings) -> Path:
    """The file of the signing key that the settings name, created if it is missing (PEM, PKCS 8, mode 0600).

    Processes that create it at once end up with one key. Misconfigured when it can be neither read nor written.
    """
    path = settings.effective_signing_key()
    if not path.exists():
        try:
            _write_new(path)
        except OSError as error:
            raise Misconfigured(
                f"cannot create the signing key {path}: {error.strerror or error}",
                remedy="make its directory writable, or set LONGTAIL_SIGNING_KEY",
            ) from error
    load_private_key(path)
    return path


def _write_new(path: Path) -> None:
    """Write a key durably under a temporary name, then link it: the first process wins, and none sees half a key."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(descriptor)
        with suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        temporary.unlink()
