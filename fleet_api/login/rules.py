"""Rules for log-in, as pure functions: who may, with which roles and name, and where a browser goes afterwards."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from triggers.addresses import is_loopback
from triggers.contracts.users import Role
from triggers.errors import Forbidden, InvalidInput

MAX_GROUPS = 2000
MAX_NEXT_CHARACTERS = 2000
HOME = "/console"
"""Where a browser goes that has not said where it wants to go."""


@dataclass(frozen=True, slots=True)
class Admission:
    """Who may log in: claims with a verified address of one of the domains (none: any), and a group of some role."""

    name_claim: str
    groups_claim: str
    groups: Mapping[Role, Sequence[str]]
    email_domains: Collection[str]

    def roles_of(self, claims: Mapping[str, Any]) -> frozenset[Role]:
        """The roles that a person's groups give; Forbidden for none, or an address of another domain."""
        if self.email_domains:
            _, _, domain = _verified_email(claims).rpartition("@")
            if domain.lower() not in self.email_domains:
                raise Forbidden(
                    f"people with an address of {domain} may not log in here",
                    remedy="log in with an address of your organisation",
                )
        groups = self._groups(claims)
        roles = frozenset(role for role, ours in self.groups.items() if groups & set(ours))
        if not roles:
            raise Forbidden(
                "none of your groups has a role in this deployment",
                remedy="ask whoever administers groups at the provider, then log in again",
            )
        return roles

    def name_of(self, claims: Mapping[str, Any]) -> str:
        """What a person is called at the first log-in."""
        if self.name_claim == "email":
            return _verified_email(claims)
        name = claims.get(self.name_claim)
        if not isinstance(name, str) or not name:
            raise Forbidden(
                f"the provider does not say how you are called ({self.name_claim})",
                remedy="operators name another claim in LONGTAIL_OIDC_NAME_CLAIM, or let the provider send it",
            )
        return name

    def _groups(self, claims: Mapping[str, Any]) -> frozenset[str]:
        listed = claims.get(self.groups_claim)
        if isinstance(listed, str):
            listed = [listed]
        if not isinstance(listed, list) or len(listed) > MAX_GROUPS:
            raise Forbidden(
                f"the provider does not say which groups you are in ({self.groups_claim})",
                remedy="operators name another claim in LONGTAIL_OIDC_GROUPS_CLAIM, or let the provider send it",
            )
        return frozenset(group for group in listed if isinstance(group, str))


def local_path(wanted: str | None, prefix: str) -> str:
    """Where a browser goes after the log-in: a path of this API below its prefix. InvalidInput for any other place.

    Browsers read `//host`, `/\\\\host` and paths with tabs or line breaks as addresses of other hosts.

    >>> local_path("/console/clips?order=-time", ""), local_path(None, "/longtail")
    ('/console/clips?order=-time', '/longtail/console')
    """
    if wanted is None:
        return prefix + HOME
    plain = wanted.isascii() and wanted.isprintable() and "\\" not in wanted and " " not in wanted
    inside = wanted.startswith(f"{prefix}/") and not wanted.startswith("//")
    if not (plain and inside) or len(wanted) > MAX_NEXT_CHARACTERS or "/../" in f"{wanted}/":
        raise InvalidInput(
            f"`next` is not a page of this API: {wanted[:100]!r}", remedy=f"give a path such as {prefix}{HOME}"
        )
    return wanted


def require_loopback(redirect_uri: str) -> None:
    """InvalidInput unless it is where a command on the person's own machine listens (RFC 8252, section 7.3)."""
    try:
        parts = urlsplit(redirect_uri)
        is_own = parts.scheme == "http" and is_loopback(parts.hostname or "") and parts.port is not None
    except ValueError:
        is_own = False
    if not is_own or "@" in redirect_uri or not redirect_uri.isprintable():
        raise InvalidInput(
            f"not an address of the person's own machine: {redirect_uri[:100]!r}",
            remedy="listen on http://127.0.0.1:PORT, and give that",
        )


def _verified_email(claims: Mapping[str, Any]) -> str:
    email = claims.get("email")
    if not isinstance(email, str) or "@" not in email or claims.get("email_verified") is not True:
        raise Forbidden(
            "the provider does not vouch for your address",
            remedy="let it verify your address; operators let it send `email` and `email_verified`",
        )
    return email
