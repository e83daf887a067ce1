"""Verification of ID tokens (OpenID Connect Core 1.0, section 3.1.3.7): who the provider says somebody is.

Only asymmetric algorithms are believed: with HS256 whoever knows a public key could sign, and with `none` anybody.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key

from fleet_api.openid.provider import Provider
from triggers.errors import Unauthenticated

KEY_TYPES: Mapping[str, str] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
    **dict.fromkeys(("ES256", "ES384", "ES512"), "EC"),
    **dict.fromkeys(("EdDSA", "Ed25519"), "OKP"),
}
"""The algorithms that are believed, each with the type of its keys."""
SKEW_S = 60
"""How far the provider's clock may be from ours."""
MAX_AGE_S = 600
"""How long ago a token may have been issued: the log-in that it is for has only just begun."""
MAX_TOKEN_CHARACTERS = 64 * 1024
MAX_SUBJECT_CHARACTERS = 255


@dataclass(frozen=True, slots=True)
class VerifiedClaims:
    """The claims of an ID token whose signature, issuer, audience, times and nonce were right."""

    subject: str
    claims: Mapping[str, Any]


def verify(
    id_token: str,
    provider: Provider,
    *,
    client_id: str,
    nonce: str,
    access_token: str | None = None,
    now_s: Callable[[], float] = time.time,
) -> VerifiedClaims:
    """What an ID token says, if it was issued by the provider, to this client, for this log-in, and just now.

    Unauthenticated, saying which rule is broken, for every other; Unreachable when the keys cannot be had.
    """
    if len(id_token) > MAX_TOKEN_CHARACTERS:
        raise _refused(f"it is longer than {MAX_TOKEN_CHARACTERS} characters")
    try:
        header = jws.extract_compact(id_token.encode()).headers()
        algorithm = header.get("alg")
        if not isinstance(algorithm, str) or algorithm not in KEY_TYPES:
            raise _refused(f"its algorithm is {str(algorithm)[:20]!r}, which is not accepted")
        key = _key(provider, algorithm, header.get("kid"))
        decoded = jwt.decode(id_token, key, algorithms=[algorithm])
        _check(decoded, provider.issuer, client_id, nonce, access_token=access_token, now_s=int(now_s()))
    except (JoseError, ValueError, TypeError, OverflowError) as error:
        raise _refused(str(error) or type(error).__name__) from error
    return VerifiedClaims(str(decoded.claims["sub"]), decoded.claims)


def _key(provider: Provider, algorithm: str, kid: object) -> Key:
    """The key that a token names. It may be newer than those that are known."""
    for keys in (provider.keys, provider.keys_again):
        fitting = [
            key for key in keys() if key.key_type == KEY_TYPES[algorithm] and key.get("alg") in (None, algorithm)
        ]
        named = [key for key in fitting if key.get("kid") == kid] if kid is not None else fitting
        if len(named) == 1:
            return named[0]
    raise _refused("it is signed with a key that the provider does not list, or does not say with which of several")


def _check(token: jwt.Token, issuer: str, client_id: str, nonce: str, *, access_token: str | None, now_s: int) -> None:
    """Raise JoseError, naming the claim, unless every claim is right."""
    claims = CodeIDToken(
        token.claims,
        token.header,
        options={
            "iss": {"essential": True, "value": issuer},
            "aud": {"essential": True, "value": client_id},
            "sub": {"essential": True},
        },
        params={"client_id": client_id, "nonce": nonce, "access_token": access_token},
    )
    claims.validate(now=now_s, leeway=SKEW_S)
    if not all(type(claims[name]) in (int, float) for name in ("exp", "iat")):
        raise ValueError("its times are not numbers")
    if claims["iat"] < now_s - MAX_AGE_S - SKEW_S:
        raise ValueError(f"it was issued more than {MAX_AGE_S} s ago")
    subject = claims["sub"]
    if not 0 < len(subject) <= MAX_SUBJECT_CHARACTERS or not (subject.isascii() and subject.isprintable()):
        raise ValueError("its subject is not of 1 to 255 ASCII characters")


def _refused(reason: str) -> Unauthenticated:
    return Unauthenticated(
        f"the provider's ID token is not valid: {reason}",
        remedy="log in again; if that does not help, `longtail doctor` checks the provider",
    )
