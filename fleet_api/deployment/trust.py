"""The first trust documents of a deployment, made by the process that starts it, and where their keys lie."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fleet_api.deployment.keys import create_key, ensure_signing_key
from fleet_api.signing.chain import read_chain
from fleet_api.signing.list_keys import ListKeys
from fleet_api.trust.publishing import publish
from storage.audit import at_the_machine
from storage.database import Database
from storage.settings import Settings
from triggers.contracts.signing import TRUST, envelope_of, load_private_key, sign
from triggers.contracts.trust import RoleKeys, TrustDocument, encoded_key
from triggers.times import NS_PER_S

VALIDITY_NS = 10 * 365 * 86_400 * NS_PER_S
"""How long the first documents are valid: nobody renews them while the root key lies on this machine."""


def root_key_of(settings: Settings) -> Path:
    """Where the first root key is made; it belongs somewhere offline."""
    return settings.require_data_dir() / "keys" / "root.pem"


def list_key_of(settings: Settings) -> Path:
    """Where the first list key is made."""
    return (settings.effective_list_keys() or settings.require_data_dir() / "keys") / "list.pem"


def ensure_trust(settings: Settings, database: Database, report: Callable[[str], None]) -> None:
    """Publish a first trust document unless there is one; makes the keys that are missing.

    A deployment from before trust documents has vehicles that trust its signing key alone. Its version 1 names that key
    for everything, and version 2 puts a new root key above it; it stays the key of bundles and lists.
    """
    with database.begin() as connection:
        if read_chain(connection).newest is not None:
            return
    existed = settings.effective_signing_key().exists()
    signing_key = load_private_key(ensure_signing_key(settings))
    root = create_key(root_key_of(settings))
    list_key = signing_key if existed else create_key(list_key_of(settings))
    first_root = signing_key if existed else root
    documents = [_document(1, first_root, signing_key, list_key)]
    if existed:
        documents.append(_document(2, root, signing_key, list_key))
    signers = {1: [first_root], 2: [first_root, root]}
    keys = ListKeys(settings)
    with database.begin() as connection:
        if read_chain(connection).newest is not None:  # another process was first
            return
        for document in documents:
            payload = document.canonical_json()
            envelope = envelope_of(
                payload, [sign(payload, purpose=TRUST, key=key) for key in signers[document.version]]
            )
            publish(connection, envelope, by=at_the_machine(), signer=keys, own_key=signing_key, known_key=None)
    report(
        f"made the root key {root_key_of(settings)}: vehicles trust what it signs. Move it to a medium that is kept "
        "offline, and keep a copy; nothing here needs it until keys change (docs/keys.md)"
    )


def _document(
    version: int, root: Ed25519PrivateKey, bundles: Ed25519PrivateKey, lists: Ed25519PrivateKey
) -> TrustDocument:
    now_ns = time.time_ns()
    return TrustDocument(
        version=version,
        issued_at_ns=now_ns,
        expires_at_ns=now_ns + VALIDITY_NS,
        root=_role(root),
        bundles=_role(bundles),
        lists=_role(lists),
    )


def _role(key: Ed25519PrivateKey) -> RoleKeys:
    return RoleKeys(keys=(encoded_key(key.public_key().public_bytes_raw()),))
