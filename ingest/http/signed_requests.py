"""Signed requests of vehicles at API and gateway: the time, the nonce, and the signature by the vehicle's key."""

from __future__ import annotations

import time
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ingest.http.prefix import prefix_of
from ingest.nonces import Nonces
from triggers.errors import Unauthenticated
from triggers.public_keys import checked_key
from triggers.request_signature import SignedRequest


def verify(
    request: SignedRequest,
    key: bytes | None,
    nonces: Nonces,
    *,
    path: str,
    public_url: str,
) -> str:
    """The id of the vehicle that signed the request; Unauthenticated when none did, for this time and place."""
    if key is None:
        raise Unauthenticated(
            "no vehicle with this id has a key, or it was revoked", remedy="enrol the vehicle with a one-time code"
        )
    try:
        known = checked_key(key)
    except ValueError as error:  # from a release that accepted any
        raise Unauthenticated(f"the vehicle's key: {error}", remedy="enrol it again, with a new key") from error
    check_signature(request, known, path=path, public_url=public_url)
    # Last: nobody else can use up a vehicle's nonces, or the room for them.
    nonces.use(request.vehicle_id, request.nonce)
    return request.vehicle_id


def check_signature(request: SignedRequest, key: Ed25519PublicKey, *, path: str, public_url: str) -> None:
    """Unauthenticated unless the owner of `key` has signed the request, for this time and place.

    Whether it came before is not checked: a request counts once its nonce is used.
    """
    request.check_time(time.time())
    prefix = prefix_of(public_url)
    paths = (path, prefix + path) if prefix and not path.startswith(f"{prefix}/") else (path,)
    request.verify(key, paths=paths)


def is_signed(headers: Mapping[str, str]) -> bool:
    """Whether a request says that it is signed; one with a bearer token is not looked at further."""
    return "signature-input" in headers and "authorization" not in headers
