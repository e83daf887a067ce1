"""Key files of a deployment: created once, by the process that first needs them, readable only by their owner."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from storage.campaigns.signatures import sealed_versions, signatures_of
from storage.database import Database
from storage.settings import Settings
from triggers.contracts.signing import load_private_key, signers_of
from triggers.errors import Misconfigured


def ensure_signing_key(settings: Settings) -> Path:
    """The file of the signing key that the settings name, created if it is missing (PEM, PKCS 8, mode 0600).

    Processes that create it at once end up with one key. Misconfigured when it can be neither read nor written.
    """
    path = settings.effective_signing_key()
    create_key(path)
    return path


def create_key(path: Path) -> Ed25519PrivateKey:
    """The key of a file, created if it is missing; Misconfigured when it can be neither read nor written."""
    if not path.exists():
        try:
            _write_new(path)
        except OSError as error:
            raise Misconfigured(
                f"cannot create the key {path}: {error.strerror or error}",
                remedy="make its directory writable, or set LONGTAIL_SIGNING_KEY",
            ) from error
    return load_private_key(path)


def share_with_folder(path: Path) -> None:
    """Let the signer read a new list key that root has made: it is in the group that may look into the folder."""
    group = path.parent.stat().st_gid
    if os.geteuid() == 0 and group != 0:
        os.chown(path, -1, group, follow_symlinks=False)
        path.chmod(0o640)


def require_key_not_lost(settings: Settings, database: Database) -> None:
    """Misconfigured when the key's file is gone although vehicles trust nothing without it.

    A new key would be trusted by no vehicle, so it is never made in the place of a lost one without being asked for.
    """
    path = settings.effective_signing_key()
    if path.exists():
        return
    with database.begin() as connection:
        sealed = sealed_versions(connection)
        peoples = {
            (campaign, version, each)
            for campaign, version, _ in sealed
            for each, _ in signatures_of(connection, campaign, version)
        }
    own = {
        each.hex()
        for campaign, version, bundle in sealed
        for each in signers_of(bundle)
        if (campaign, version, each) not in peoples
    }
    if own:
        raise Misconfigured(
            f"the signing key {path} is gone, but {len(sealed)} campaigns run that were signed with key "
            f"{', '.join(sorted(own))}; vehicles would trust no other",
            remedy="restore it from its backup; if it is lost for good, replace it as docs/keys.md says",
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
