"""The authorization code flow with PKCE (RFC 6749, RFC 7636): its request, and the exchange of the code.

The browser's log-in begins in the API, that of the command line in `longtail login`; both exchange the code in the API.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.client import OAuth2Client

from fleet_api.openid.configuration import OpenId
from fleet_api.openid.fetching import Answer, Fetching
from fleet_api.openid.id_tokens import VerifiedClaims, verify
from fleet_api.openid.provider import Provider
from triggers.errors import Unauthenticated, Unreachable
from triggers.foreign_text import escaped

MAX_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Attempt:
    """The secrets of one log-in: `state` ties the answer to this browser, `nonce` the ID token to this attempt, and
    only whoever has the `verifier` can use the code."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> Attempt:
        """Three random values of 256 bits."""
        return cls(*(secrets.token_urlsafe(32) for _ in range(3)))

    def began(self, state: str) -> bool:
        """Whether this is the attempt that an answer with this state belongs to."""
        return secrets.compare_digest(self.state.encode(), state.encode("utf-8", "replace"))

    def url(self, endpoint: str, *, client_id: str, scopes: str, redirect_uri: str) -> str:
        """Where the browser goes to log in."""
        client = OAuth2Client(None, client_id, scope=scopes, redirect_uri=redirect_uri, code_challenge_method="S256")
        url, _ = client.create_authorization_url(
            endpoint, state=self.state, code_verifier=self.verifier, nonce=self.nonce
        )
        return str(url)


@dataclass(frozen=True, slots=True)
class _Session:
    """The requests of authlib's client, sent within our bounds."""

    fetching: Fetching

    def post(self, url: str, data: dict[str, str], headers: dict[str, str], auth: ClientAuth) -> Answer:
        form = dict(data)
        _, headers, extra = auth.prepare("POST", url, dict(headers), "")
        form |= dict(parse_qsl(extra))
        answer = self.fetching.post(url, form, headers)
        if "error" in answer.document:
            reason = escaped(str(answer.document["error"])[:MAX_SHOWN])
            raise Unauthenticated(f"the provider refused the log-in: {reason}", remedy="log in again")
        return answer


def exchange(
    provider: Provider, settings: OpenId, *, client_id: str, code: str, verifier: str, nonce: str, redirect_uri: str
) -> VerifiedClaims:
    """The claims of the ID token that the provider gives for a code.

    Unauthenticated for a code that it refuses, which it does with each that was used before; Unreachable when it
    does not answer as it should.
    """
    discovery = provider.discovery()
    secret = settings.secret_of(client_id)
    method = _method(discovery.token_endpoint_auth_methods_supported, secret)
    client = OAuth2Client(_Session(provider.fetching), client_id, secret, token_endpoint_auth_method=method)
    try:
        answered: dict[str, Any] = client.fetch_token(
            discovery.token_endpoint, code=code, code_verifier=verifier, redirect_uri=redirect_uri
        )
    except (OAuth2Error, ValueError, TypeError) as error:
        raise _unusable(discovery.token_endpoint, f"its answer is not one of OAuth 2 ({error})") from error
    id_token, access_token = answered.get("id_token"), answered.get("access_token")
    if not isinstance(id_token, str):
        raise _unusable(discovery.token_endpoint, "it gave no ID token, as if the client may not have the scope openid")
    known = access_token if isinstance(access_token, str) else None
    return verify(id_token, provider, client_id=client_id, nonce=nonce, access_token=known)


def _method(supported: list[str], secret: str | None) -> str:
    """How the client proves who it is: by a header if the provider takes it, else in the form."""
    if secret is None:
        return "none"
    return "client_secret_post" if "client_secret_basic" not in supported else "client_secret_basic"


def _unusable(url: str, reason: str) -> Unreachable:
    return Unreachable(
        f"the OpenID provider cannot be used: {url}: {reason}", remedy="correct the client at the provider"
    )
