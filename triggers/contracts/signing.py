"""Signed envelopes for bundles and assignment lists: Ed25519 signatures (RFC 8032) over exact bytes.

An envelope is the 4-byte magic `LTS1`, an 8-byte key id, the 64-byte signature, and the payload. The signature
covers a purpose label, so that an assignment list can never pass for a bundle, and the payload's exact bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from triggers.errors import Misconfigured, Untrusted

MAGIC = b"LTS1"
KEY_ID_BYTES = 8
SIGNATURE_BYTES = 64
HEADER_BYTES = len(MAGIC) + KEY_ID_BYTES + SIGNATURE_BYTES

BUNDLE = "longtail-bundle"
ASSIGNMENTS = "longtail-assignments"


def key_id(public_key: Ed25519PublicKey) -> bytes:
    """The first 8 bytes of the SHA-256 of the raw public key. It names the key but proves nothing."""
    return hashlib.sha256(public_key.public_bytes_raw()).digest()[:KEY_ID_BYTES]


def seal(payload: bytes, *, purpose: str, key: Ed25519PrivateKey) -> bytes:
    """Wrap `payload` in an envelope for `purpose`, signed with `key`. Deterministic, like Ed25519."""
    identity = key_id(key.public_key())
    signature = key.sign(_covered(payload, purpose, identity))
    return MAGIC + identity + signature + payload


def unseal(envelope: bytes, *, purpose: str, trusted: Mapping[bytes, Ed25519PublicKey]) -> bytes:
    """The payload of an envelope. Raises Untrusted unless a trusted key signed exactly these bytes for `purpose`."""
    if len(envelope) < HEADER_BYTES or envelope[: len(MAGIC)] != MAGIC:
        raise Untrusted(f"not a signed {purpose}: the header is damaged")
    identity = envelope[len(MAGIC) : len(MAGIC) + KEY_ID_BYTES]
    signature = envelope[len(MAGIC) + KEY_ID_BYTES : HEADER_BYTES]
    payload = envelope[HEADER_BYTES:]
    public_key = trusted.get(identity)
    if public_key is None:
        raise Untrusted(f"the {purpose} is signed by key {identity.hex()}, which this vehicle does not trust")
    try:
        public_key.verify(signature, _covered(payload, purpose, identity))
    except InvalidSignature as error:
        raise Untrusted(f"the {purpose} was changed after key {identity.hex()} signed it") from error
    return payload


def signer_of(envelope: bytes) -> bytes | None:
    """The id of the key that an envelope says it is signed with, unproven; None for what is no envelope."""
    if len(envelope) < HEADER_BYTES or envelope[: len(MAGIC)] != MAGIC:
        return None
    return envelope[len(MAGIC) : len(MAGIC) + KEY_ID_BYTES]


def _covered(payload: bytes, purpose: str, identity: bytes) -> bytes:
    return b"\x1f".join((MAGIC, purpose.encode(), identity, payload))


def load_private_key(path: Path) -> Ed25519PrivateKey:
    """Read an Ed25519 key in PEM (PKCS 8) form. Raises Misconfigured, naming the file, if it is not one."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise Misconfigured(f"cannot read the signing key {path}: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise Misconfigured(f"{path} is not an Ed25519 key", remedy="make one: openssl genpkey -algorithm ed25519")
    return key


def public_keys(*keys_raw: bytes) -> dict[bytes, Ed25519PublicKey]:
    """A trust store (public keys by key id) from raw 32-byte public keys."""
    keys = (Ed25519PublicKey.from_public_bytes(raw) for raw in keys_raw)
    return {key_id(key): key for key in keys}
