"""Rules for trust documents, as pure functions: which document may be published next."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from triggers.contracts import signing
from triggers.contracts.trust import RoleKeys, TrustDocument, encoded_key, open_first, open_own, open_step
from triggers.errors import Conflict, InvalidInput, Untrusted
from triggers.times import NS_PER_S

LEAST_LEFT_NS = 86_400 * NS_PER_S
"""How long a document must still be valid when it is published."""


def next_document(
    envelope: bytes, newest: TrustDocument | None, *, now_ns: int, known_key: Ed25519PublicKey | None
) -> TrustDocument:
    """The document of an envelope, if it may be published after `newest`.

    `known_key` is what vehicles trust that were enrolled before there was a document; the first one must have it as a
    root key, or they could not follow. Untrusted, InvalidInput or Conflict, with the reason, for any other.
    """
    if newest is not None:
        document = open_step(envelope, newest)
    elif known_key is None:
        document = open_own(envelope)
    else:
        document = open_first(envelope, RoleKeys(keys=(encoded_key(known_key.public_bytes_raw()),)))
    if newest is None and document.version != 1:
        raise Conflict(f"the first trust document has version 1, not {document.version}")
    if document.expires_at_ns < now_ns + LEAST_LEFT_NS:
        raise InvalidInput("the trust document expires within a day", remedy="make it again with a later expiry")
    return document


def check_can_sign(sealed_list: bytes, document: TrustDocument) -> None:
    """Conflict unless a list that the deployment has just signed passes by this document."""
    try:
        signing.unseal(sealed_list, purpose=signing.ASSIGNMENTS, trusted=document.lists.trusted)
    except Untrusted as error:
        raise Conflict(
            f"by this document vehicles would refuse the lists of this deployment: {error.message}",
            remedy="add the list key that the signer has (`longtail trust rotate-list-key` makes one)",
        ) from error
