"""Envelopes of bundles: the signatures of people, and the deployment's own where its key is trusted for bundles."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fleet_api.signing.chain import TrustChain
from triggers.contracts.signing import BUNDLE, Signature, envelope_of, key_id, sign, verifies
from triggers.errors import Conflict, Untrusted


def sealed_bundle(
    what: str, payload: bytes, kept: Sequence[Signature], chain: TrustChain, own_key: Ed25519PrivateKey | None
) -> bytes:
    """The envelope of an unsigned bundle, as vehicles must get it; `what` names it in errors.

    Conflict while fewer keys have signed than the trust document asks for.
    """
    signatures = trusted_signatures(payload, kept, chain, own_key)
    needed = chain.newest.bundles.threshold if chain.newest else 1
    if len(signatures) < needed:
        raise Conflict(
            f"{what} is signed by {len(signatures)} of the {needed} bundle keys that vehicles ask for",
            remedy="its holders sign it: `longtail campaign sign NAME --key FILE --version N`, see docs/keys.md",
        )
    return envelope_of(payload, signatures)


def trusted_signatures(
    payload: bytes, kept: Sequence[Signature], chain: TrustChain, own_key: Ed25519PrivateKey | None
) -> list[Signature]:
    """Those of the kept signatures that vehicles trust, and the deployment's own if they trust that."""
    if chain.newest is None:
        return [] if own_key is None else [sign(payload, purpose=BUNDLE, key=own_key)]
    trusted = chain.newest.bundles.trusted
    valid = {
        each.key_id: each
        for each in kept
        if each.key_id in trusted and verifies(each, payload, purpose=BUNDLE, key=trusted[each.key_id])
    }
    if own_key is not None and (own := key_id(own_key.public_key())) in trusted:
        valid[own] = sign(payload, purpose=BUNDLE, key=own_key)
    return list(valid.values())


def check_signature(signature: Signature, payload: bytes, chain: TrustChain) -> None:
    """Untrusted unless a key that vehicles trust for bundles has made the signature, over exactly this bundle."""
    trusted = chain.newest.bundles.trusted if chain.newest else {}
    key = trusted.get(signature.key_id)
    if key is None:
        raise Untrusted(
            f"key {signature.key_id.hex()} is no bundle key of trust document {chain.version}",
            remedy="sign with one of its keys (`longtail trust show`), or have the key added (docs/keys.md)",
        )
    if not verifies(signature, payload, purpose=BUNDLE, key=key):
        raise Untrusted(
            f"the signature of key {signature.key_id.hex()} is over another bundle",
            remedy="look at the version again, then sign what it is now",
        )
