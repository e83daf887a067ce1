"""The OpenID provider: whether it can be reached and does what log-in needs, and whether people can get roles."""

from __future__ import annotations

import stat
from collections.abc import Iterator

from fleet_api.deployment.doctor.findings import Finding, fail, ok, warn
from fleet_api.openid.configuration import OpenId
from fleet_api.openid.fetching import Fetching
from fleet_api.openid.id_tokens import KEY_TYPES
from fleet_api.openid.provider import Discovery, Provider
from storage.settings import PREFIX, Settings

CHECK = "log-in"
PKCE = "S256"


def check(settings: Settings) -> Iterator[Finding]:
    """Whether people can log in at the provider, if one is set."""
    if not settings.oidc_issuer:
        yield ok(CHECK, "no OpenID provider is set: people have tokens")
        return
    configured = OpenId.from_settings(settings)
    configured.secret_of(configured.client_id)
    provider = Provider(settings.oidc_issuer, Fetching(settings.oidc_ca_file))
    discovery, keys = provider.discovery(), provider.keys()
    problems = [*_problems(discovery, configured), *_secret(configured)]
    yield from problems
    if not problems:
        roles = ", ".join(sorted(configured.groups))
        yield ok(CHECK, f"{discovery.issuer} can be used, with {len(keys)} keys; its groups give the roles {roles}")


def _problems(discovery: Discovery, configured: OpenId) -> Iterator[Finding]:
    """What the provider says that it cannot do, and log-in needs."""
    if "code" not in discovery.response_types_supported:
        yield fail(CHECK, f"{discovery.issuer} does not support the authorization code flow", "use another provider")
    if not set(KEY_TYPES) & set(discovery.id_token_signing_alg_values_supported):
        yield fail(
            CHECK,
            f"{discovery.issuer} signs ID tokens with {', '.join(discovery.id_token_signing_alg_values_supported)}",
            f"let it sign with one of {', '.join(KEY_TYPES)}",
        )
    methods = discovery.code_challenge_methods_supported
    if methods is None or PKCE not in methods:
        yield warn(
            CHECK,
            f"{discovery.issuer} does not say that it supports PKCE ({PKCE}), without which stolen codes can be used",
            "check at the provider that the client requires PKCE",
        )
    if configured.secret_file is None and "none" not in discovery.token_endpoint_auth_methods_supported:
        yield warn(
            CHECK,
            f"{discovery.issuer} does not say that it takes clients without a secret",
            f"set {PREFIX}OIDC_CLIENT_SECRET_FILE",
        )


def _secret(configured: OpenId) -> Iterator[Finding]:
    file = configured.secret_file
    if file is not None and stat.S_IMODE(file.stat().st_mode) & 0o077:
        yield warn(CHECK, f"others can read the client's secret in {file}", f"run `chmod 600 {file}`")
