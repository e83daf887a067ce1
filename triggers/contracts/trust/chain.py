"""Verification of trust documents: the first one, each that follows, and a kept one."""

from __future__ import annotations

from triggers.contracts import signing
from triggers.contracts.trust.document import RoleKeys, TrustDocument
from triggers.errors import Untrusted
from triggers.times import format_time

MAX_TRUST_BYTES = 16 * 1024
"""The largest envelope of a document."""


def open_first(envelope: bytes, anchors: RoleKeys, *, lowest: int = 1) -> TrustDocument:
    """The first document of a reader who was given root keys, which must have signed it. Untrusted otherwise."""
    payload = _payload(envelope, anchors)
    document = TrustDocument.from_json(payload, what="the trust document")
    _payload(envelope, document.root)
    if document.version < lowest:
        raise Untrusted(f"trust document {document.version} is older than {lowest}, which is known")
    return document


def open_step(envelope: bytes, before: TrustDocument) -> TrustDocument:
    """The document after `before`. Untrusted unless it is the next version, and both versions' root keys signed it."""
    payload = _payload(envelope, before.root)
    document = TrustDocument.from_json(payload, what="the trust document")
    if document.version != before.version + 1:
        raise Untrusted(f"trust document {document.version} does not follow {before.version}: a step is missing")
    _payload(envelope, document.root)
    return document


def open_own(envelope: bytes) -> TrustDocument:
    """A document that was verified before and kept: Untrusted if it was damaged since."""
    payload, _ = signing.parts_of(envelope, signing.TRUST)
    document = TrustDocument.from_json(payload, what="the trust document")
    _payload(envelope, document.root)
    return document


def require_in_force(document: TrustDocument, now_ns: int) -> None:
    """Untrusted when the document has expired."""
    if now_ns >= document.expires_at_ns:
        raise Untrusted(
            f"trust document {document.version} expired at {format_time(document.expires_at_ns)}",
            remedy="the holders of the root keys must publish a newer one (docs/keys.md)",
        )


def _payload(envelope: bytes, role: RoleKeys) -> bytes:
    if len(envelope) > MAX_TRUST_BYTES:
        raise Untrusted(f"the trust document has {len(envelope)} bytes, more than {MAX_TRUST_BYTES}")
    return signing.unseal(envelope, purpose=signing.TRUST, trusted=role.trusted, threshold=role.threshold)
