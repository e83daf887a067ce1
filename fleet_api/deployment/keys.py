"""The deployment's signing key: created once, by the process that first needs it, readable only by its owner."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from storage.database import Database
from storage.diagnosis.campaigns import running_bundle_starts
from storage.settings import Settings
from triggers.contracts.signing import HEADER_BYTES, load_private_key, signer_of
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


def require_key_not_lost(settings: Settings, database: Database) -> None:
    """Misconfigured when the key's file is gone although campaigns run that were signed with it.

    A new key would be trusted by no vehicle, so it is never made in the place of a lost one without being asked for.
    """
    path = settings.effective_signing_key()
    if path.exists():
        return
    with database.begin() as connection:
        running = running_bundle_starts(connection, HEADER_BYTES)
    if running:
        signer = signer_of(running[0][2])
        raise Misconfigured(
            f"the signing key {path} is gone, but {len(running)} campaigns run that were signed with key "
            f"{signer.hex() if signer else 'unknown'}; vehicles would trust no other",
            remedy=f"restore it from its backup; if it is lost for good, make a new one (openssl genpkey -algorithm "
            f"ed25519 -out {path}), enrol every vehicle again and approve new versions",
        )


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
