"""Signed envelopes for trust documents, bundles and lists: Ed25519 signatures (RFC 8032) over exact bytes.

With one signature an envelope is the 4-byte magic `LTS1`, an 8-byte key id, the 64-byte signature, and the payload.
With several it is `LTS2`, a byte with their number, each key id with its signature, and the payload. Each signature
covers a purpose label, so that an assignment list can never pass for a bundle, and the payload's exact bytes; it is the
same in both, so people can sign one after the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from triggers.errors import Misconfigured, Untrusted
from triggers.public_keys import checked_key

MAGIC = b"LTS1"
MAGIC_OF_SEVERAL = b"LTS2"
MAX_SIGNATURES = 16
KEY_ID_BYTES = 8
SIGNATURE_BYTES = 64
HEADER_BYTES = len(MAGIC) + KEY_ID_BYTES + SIGNATURE_BYTES

BUNDLE = "longtail-bundle"
ASSIGNMENTS = "longtail-assignments"
TRUST = "longtail-trust"
_ENTRY_BYTES = KEY_ID_BYTES + SIGNATURE_BYTES


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature, with the id of the key that is said to have made it."""

    key_id: bytes
    signature: bytes


class SigningKey(Protocol):
    """What signs: a private key in memory, or one in hardware that nobody can read."""

    def public_key(self) -> Ed25519PublicKey:
        """Its public half."""

    def sign(self, data: bytes, /) -> bytes:
        """The Ed25519 signature of these bytes."""


def key_id(public_key: Ed25519PublicKey) -> bytes:
    """The first 8 bytes of the SHA-256 of the raw public key. It names the key but proves nothing."""
    return hashlib.sha256(public_key.public_bytes_raw()).digest()[:KEY_ID_BYTES]


def sign(payload: bytes, *, purpose: str, key: SigningKey) -> Signature:
    """The signature of `key` over `payload` for `purpose`. Deterministic, like Ed25519."""
    identity = key_id(key.public_key())
    return Signature(identity, key.sign(_covered(payload, purpose, identity)))


def seal(payload: bytes, *, purpose: str, key: Ed25519PrivateKey) -> bytes:
    """Wrap `payload` in an envelope for `purpose`, signed with `key`. Deterministic, like Ed25519."""
    return envelope_of(payload, [sign(payload, purpose=purpose, key=key)])


def envelope_of(payload: bytes, signatures: Iterable[Signature]) -> bytes:
    """The envelope of a payload with its signatures (1 to MAX_SIGNATURES), in the order of their key ids."""
    ordered = sorted({each.key_id: each for each in signatures}.values(), key=lambda each: each.key_id)
    if not 0 < len(ordered) <= MAX_SIGNATURES:
        raise ValueError(f"an envelope has 1 to {MAX_SIGNATURES} signatures, not {len(ordered)}")
    entries = b"".join(each.key_id + each.signature for each in ordered)
    if len(ordered) == 1:
        return MAGIC + entries + payload
    return MAGIC_OF_SEVERAL + bytes([len(ordered)]) + entries + payload


def parts_of(envelope: bytes, purpose: str) -> tuple[bytes, tuple[Signature, ...]]:
    """Payload and signatures of an envelope, none of them proven. Untrusted if it is not one."""
    start, count = len(MAGIC), 1
    if envelope[:start] == MAGIC_OF_SEVERAL and len(envelope) > start:
        start, count = start + 1, envelope[start]
    elif envelope[:start] != MAGIC:
        raise Untrusted(f"not a signed {purpose}: the header is damaged")
    end = start + count * _ENTRY_BYTES
    if not 0 < count <= MAX_SIGNATURES or len(envelope) < end:
        raise Untrusted(f"not a signed {purpose}: the header is damaged")
    entries = (envelope[at : at + _ENTRY_BYTES] for at in range(start, end, _ENTRY_BYTES))
    signatures = tuple(Signature(entry[:KEY_ID_BYTES], entry[KEY_ID_BYTES:]) for entry in entries)
    if len({each.key_id for each in signatures}) < count:
        raise Untrusted(f"not a signed {purpose}: a key has signed it twice")
    return envelope[end:], signatures


def unseal(envelope: bytes, *, purpose: str, trusted: Mapping[bytes, Ed25519PublicKey], threshold: int = 1) -> bytes:
    """The payload of an envelope.

    Untrusted unless `threshold` of the trusted keys signed exactly these bytes for `purpose`, and no trusted key is
    named by a signature that is not its own.
    """
    payload, signatures = parts_of(envelope, purpose)
    known = [each for each in signatures if each.key_id in trusted]
    if not known:
        names = ", ".join(each.key_id.hex() for each in signatures)
        raise Untrusted(f"the {purpose} is signed by key {names}, which this vehicle does not trust")
    for each in known:
        if not verifies(each, payload, purpose=purpose, key=trusted[each.key_id]):
            raise Untrusted(f"the {purpose} was changed after key {each.key_id.hex()} signed it")
    if len(known) < threshold:
        raise Untrusted(f"the {purpose} is signed by {len(known)} of the {threshold} trusted keys that it needs")
    return payload


def verifies(signature: Signature, payload: bytes, *, purpose: str, key: Ed25519PublicKey) -> bool:
    """Whether `key` made the signature, over exactly this payload and for this purpose."""
    try:
        key.verify(signature.signature, _covered(payload, purpose, signature.key_id))
    except InvalidSignature:
        return False
    return True


def signers_of(envelope: bytes) -> tuple[bytes, ...]:
    """The ids of the keys that an envelope says it is signed with, unproven; none for what is no envelope."""
    try:
        return tuple(each.key_id for each in parts_of(envelope, "envelope")[1])
    except Untrusted:
        return ()


def prefix_of(purpose: str, identity: bytes) -> bytes:
    """What the key of this id signs before the payload, so that no signature serves another purpose."""
    return b"\x1f".join((MAGIC, purpose.encode(), identity, b""))


def _covered(payload: bytes, purpose: str, identity: bytes) -> bytes:
    return prefix_of(purpose, identity) + payload


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
    """A trust store (public keys by key id) from raw 32-byte public keys; ValueError for one that is not safe."""
    keys = (checked_key(raw) for raw in keys_raw)
    return {key_id(key): key for key in keys}
