"""A real OpenID provider for the tests: authlib's authorization server over TLS, with keys that it rotates.

Whoever comes to its log-in page is logged in at once, as the person that the test has named. What a hostile or broken
provider would do is a knob: other keys in the token, other claims, another discovery document.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9207.parameter import IssuerParameter
from authlib.oidc.core import OpenIDCode, UserInfo
from flask import Flask, Response, request
from joserfc import jws, jwt
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey
from werkzeug.serving import make_server

from tests.support.servers.certificates import write_server_certificate

CLIENT_ID = "longtail"
SECRET = "secret of the client"
COMMAND_LINE = "longtail-command-line"
Key = RSAKey | ECKey | OKPKey
Claims = dict[str, Any]
ALGORITHMS: Mapping[str, Callable[[], Key]] = {
    "RS256": lambda: RSAKey.generate_key(2048, auto_kid=True),
    "ES256": lambda: ECKey.generate_key("P-256", auto_kid=True),
    "EdDSA": lambda: OKPKey.generate_key("Ed25519", auto_kid=True),
}


@dataclass
class Client(ClientMixin):
    """A client that the provider knows: with a secret and one redirect URI, or public and on loopback."""

    client_id: str
    redirect_uri: str = ""
    secret: str = ""
    methods: tuple[str, ...] = ("client_secret_basic",)

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self.redirect_uri or (not self.secret and redirect_uri.startswith("http://127.0.0.1:"))

    def check_client_secret(self, client_secret: str) -> bool:
        return secrets.compare_digest(self.secret, client_secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in self.methods

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass
class Code(AuthorizationCodeMixin):
    """A code that was issued, until it is used."""

    code: str
    client_id: str
    redirect_uri: str
    scope: str
    nonce: str
    person: Claims
    code_challenge: str
    code_challenge_method: str

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str:
        return self.nonce

    def get_auth_time(self) -> int:
        return int(time.time())

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


@dataclass
class OpenIdProvider:
    """The provider's state, which a test may change at any time."""

    ca_file: Path
    issuer: str = ""
    person: Claims = field(default_factory=dict)
    """The claims of who is logged in at the provider: `sub`, `preferred_username`, `groups`, and so on."""
    clients: dict[str, Client] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    algorithm: str = "RS256"
    keys: list[Key] = field(default_factory=list)
    """The newest signs."""
    listed_keys: Callable[[], Any] | None = None
    discovery: Claims = field(default_factory=dict)
    """Changes of the discovery document."""
    answers: dict[str, Callable[[], Response]] = field(default_factory=dict)
    """By path, what to answer instead."""
    claims: Claims = field(default_factory=dict)
    """Changes of the ID token's claims; None takes one out."""
    forge: Callable[[Claims], str] | None = None
    """Makes the ID token in place of the provider's key."""
    asked: list[str] = field(default_factory=list)
    """The paths of all requests."""

    def rotate(self, *, keep: bool = False) -> None:
        """Sign with a new key; the former one is listed no more, unless `keep`."""
        self.keys = [*(self.keys if keep else []), ALGORITHMS[self.algorithm]()]

    def jwks(self) -> Any:
        """The listed keys."""
        return self.listed_keys() if self.listed_keys else KeySet(list(self.keys)).as_dict(private=False)

    def described(self) -> Claims:
        """The discovery document."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "end_session_endpoint": f"{self.issuer}/logout",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [self.algorithm],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "none"],
            "authorization_response_iss_parameter_supported": True,
            **self.discovery,
        }


def _openid(provider: OpenIdProvider) -> OpenIDCode:
    class Tokens(OpenIDCode):  # type: ignore[misc]
        """ID tokens of this provider."""

        def exists_nonce(self, nonce: str, request: Any) -> bool:
            return any(code.nonce == nonce for code in provider.codes.values())

        def get_client_algorithm(self, client: Client) -> str:
            return provider.algorithm

        def get_encode_header(self, client: Client) -> Claims:
            return {"alg": provider.algorithm, "kid": provider.keys[-1].kid}

        def resolve_client_private_key(self, client: Client) -> Key:
            return provider.keys[-1]

        def get_client_claims(self, client: Client) -> Claims:
            return {"iss": provider.issuer, "aud": [client.client_id]}

        def generate_user_info(self, user: Claims, scope: str) -> UserInfo:
            return UserInfo(user)

    return Tokens(require_nonce=True)


def _grant(provider: OpenIdProvider) -> type[AuthorizationCodeGrant]:
    class Grant(AuthorizationCodeGrant):  # type: ignore[misc]
        """Codes that work once."""

        TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post", "none"]

        def save_authorization_code(self, code: str, request: Any) -> None:
            sent = request.payload.data
            provider.codes[code] = Code(
                code=code,
                client_id=request.client.client_id,
                redirect_uri=sent["redirect_uri"],
                scope=request.scope,
                nonce=sent.get("nonce", ""),
                person=dict(request.user),
                code_challenge=sent.get("code_challenge", ""),
                code_challenge_method=sent.get("code_challenge_method", ""),
            )

        def query_authorization_code(self, code: str, client: Client) -> Code | None:
            known = provider.codes.get(code)
            return known if known and known.client_id == client.client_id else None

        def delete_authorization_code(self, authorization_code: Code) -> None:
            del provider.codes[authorization_code.code]

        def authenticate_user(self, authorization_code: Code) -> Claims:
            return authorization_code.person

    return Grant


def _application(provider: OpenIdProvider) -> Flask:
    app = Flask("provider")
    app.config["OAUTH2_SCOPES_SUPPORTED"] = ["openid", "profile", "email"]
    server = AuthorizationServer(app, query_client=provider.clients.get, save_token=lambda token, request: None)
    server.register_grant(_grant(provider), [CodeChallenge(required=True), _openid(provider)])

    class Issuer(IssuerParameter):  # type: ignore[misc]
        def get_issuer(self) -> str:
            return provider.issuer

    server.register_extension(Issuer())

    @app.before_request
    def instead() -> Response | None:
        provider.asked.append(request.path)
        answer = provider.answers.get(request.path)
        return None if answer is None else answer()

    @app.get("/.well-known/openid-configuration")
    def discovery() -> Claims:
        return provider.described()

    @app.get("/keys")
    def keys() -> Any:
        return provider.jwks()

    @app.get("/authorize")
    def authorize() -> Any:
        grant = server.get_consent_grant(end_user=provider.person)
        return server.create_authorization_response(grant_user=provider.person, grant=grant)

    @app.post("/token")
    def token() -> Any:
        response = server.create_token_response()
        return _changed(provider, response)

    return app


def _changed(provider: OpenIdProvider, response: Response) -> Response:
    """The token response with another ID token, if the test wants one."""
    if response.status_code != 200 or not (provider.claims or provider.forge):
        return response
    document = json.loads(response.get_data())
    signed = document["id_token"]
    claims = {**json.loads(jws.extract_compact(signed.encode()).payload or b""), **provider.claims}
    claims = {name: value for name, value in claims.items() if value is not None}
    header = {"alg": provider.algorithm, "kid": provider.keys[-1].kid}
    ours = jwt.encode(header, claims, provider.keys[-1], [provider.algorithm])
    document["id_token"] = provider.forge(claims) if provider.forge else ours
    response.set_data(json.dumps(document))
    return response


@contextmanager
def running_provider(folder: Path, *, redirect_uri: str, algorithm: str = "RS256") -> Iterator[OpenIdProvider]:
    """A provider that runs until the end of the context, and knows a client with a secret and one for command lines."""
    ca_file, server_file = folder / "provider-ca.pem", folder / "provider.pem"
    write_server_certificate(ca_file, server_file)
    provider = OpenIdProvider(ca_file, algorithm=algorithm)
    provider.rotate()
    provider.clients[CLIENT_ID] = Client(CLIENT_ID, redirect_uri, SECRET)
    provider.clients[COMMAND_LINE] = Client(COMMAND_LINE, methods=("none",))
    pem = str(server_file)
    server = make_server("127.0.0.1", 0, _application(provider), threaded=True, ssl_context=(pem, pem))
    provider.issuer = f"https://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
