"""How people log in here: the provider, the clients that it knows, and which groups give which roles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from storage.settings import PREFIX, Settings
from triggers.addresses import is_protected
from triggers.contracts.users import Role, groups_of_roles
from triggers.errors import Misconfigured, NotFound

CALLBACK = "/v1/login/callback"
MAX_SECRET_BYTES = 4096


@dataclass(frozen=True, slots=True)
class OpenId:
    """The settings of log-in, checked against each other."""

    issuer: str
    client_id: str
    secret_file: Path | None
    command_line_client_id: str
    scopes: str
    name_claim: str
    groups_claim: str
    groups: Mapping[Role, tuple[str, ...]]
    """By role, the groups of which one is enough."""
    email_domains: frozenset[str]
    """Domains of addresses in lower case; empty: all people of the provider may log in."""
    session_s: int
    redirect_uri: str
    """Where the provider sends browsers back to."""

    @classmethod
    def from_settings(cls, settings: Settings) -> OpenId:
        """NotFound where no provider is set; Misconfigured, naming the setting, where the settings cannot work."""
        if not settings.oidc_issuer:
            raise NotFound("people cannot log in at this deployment", remedy="use a token that an operator has issued")
        groups = groups_of_roles(settings.oidc_roles)
        if not settings.oidc_client_id:
            raise Misconfigured(
                "no client of the OpenID provider is set",
                remedy=f"register one at the provider, and set {PREFIX}OIDC_CLIENT_ID",
            )
        if not groups:
            raise Misconfigured(
                "no group of the OpenID provider has a role, so nobody can log in",
                remedy=f'set {PREFIX}OIDC_ROLES, for instance to {{"viewer": ["staff"]}}',
            )
        if "openid" not in settings.oidc_scopes.split():
            raise Misconfigured(
                f"{PREFIX}OIDC_SCOPES lacks openid, without which there are no ID tokens", remedy="add openid to it"
            )
        url = settings.effective_api_url().rstrip("/")
        if not is_protected(url):
            raise Misconfigured(
                f"log-in would pass over plain HTTP at {url}",
                remedy=f"set {PREFIX}API_URL to the https:// address of the API",
            )
        domains = filter(None, map(str.strip, settings.oidc_email_domains.lower().split(",")))
        return cls(
            issuer=settings.oidc_issuer,
            client_id=settings.oidc_client_id,
            secret_file=settings.oidc_client_secret_file,
            command_line_client_id=settings.oidc_command_line_client_id or settings.oidc_client_id,
            scopes=settings.oidc_scopes,
            name_claim=settings.oidc_name_claim,
            groups_claim=settings.oidc_groups_claim,
            groups=groups,
            email_domains=frozenset(domains),
            session_s=settings.oidc_session_s,
            redirect_uri=url + CALLBACK,
        )

    def secret_of(self, client_id: str) -> str | None:
        """The secret of a client; None for a public one. Misconfigured if its file cannot be read."""
        if self.secret_file is None or client_id != self.client_id:
            return None
        try:
            with self.secret_file.open("rb") as file:
                secret = file.read(MAX_SECRET_BYTES).decode("utf-8").strip()
        except (OSError, ValueError) as error:
            raise Misconfigured(
                f"cannot read the client's secret from {self.secret_file}: {error}",
                remedy=f"correct {PREFIX}OIDC_CLIENT_SECRET_FILE",
            ) from error
        if not secret or not secret.isascii() or not secret.isprintable():
            raise Misconfigured(
                f"{self.secret_file} does not hold one secret", remedy="write the client's secret to it, and no more"
            )
        return secret
