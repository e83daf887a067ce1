"""Trust documents for tests: roles of keys, and documents signed by them."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from triggers.contracts.signing import TRUST, envelope_of, sign
from triggers.contracts.trust import RoleKeys, TrustDocument, encoded_key

FAR_NS = 2**62


def role(*keys: Ed25519PrivateKey, threshold: int = 1) -> RoleKeys:
    """A role of these keys."""
    raw = (key.public_key().public_bytes_raw() for key in keys)
    return RoleKeys(keys=tuple(encoded_key(each) for each in raw), threshold=threshold)


def a_document(version: int, *, root: RoleKeys, **changes: Any) -> TrustDocument:
    """A document whose other roles are the root's keys, too, unless they are given."""
    plain = RoleKeys(keys=root.keys)
    values = {"issued_at_ns": 1, "expires_at_ns": FAR_NS, "bundles": plain, "lists": plain, **changes}
    return TrustDocument(version=version, root=root, **values)


def sealed_document(document: TrustDocument, *signers: Ed25519PrivateKey) -> bytes:
    """The envelope of a document, signed by these keys."""
    payload = document.canonical_json()
    return envelope_of(payload, [sign(payload, purpose=TRUST, key=key) for key in signers])
