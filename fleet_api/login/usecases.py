"""Use cases for log-in: begin one, complete it with the code that came back, say who somebody is, log out.

A log-in ends in a token like any other, short-lived and with the roles of that moment: every rule about tokens holds
for it, and any process of the API can check it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from urllib.parse import urlencode

from fleet_api.login import rules
from fleet_api.openid.authorization import Attempt, exchange
from fleet_api.openid.configuration import OpenId
from fleet_api.openid.id_tokens import VerifiedClaims
from fleet_api.services import Services
from storage import tokens
from storage.logins import identities, sessions
from storage.logins.identities import Identity
from triggers.contracts.api.login import (
    LoggedOutView,
    LoginCodeRequest,
    LoginView,
    MeView,
    ProviderView,
    TokenLoginRequest,
)
from triggers.contracts.users import Origin, User
from triggers.errors import Forbidden, InvalidInput, LongtailError, Unauthenticated
from triggers.foreign_text import escaped

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answered:
    """What a browser brings back from the provider (RFC 6749, section 4.1.2; RFC 9207)."""

    state: str | None
    code: str | None
    error: str | None
    issuer: str | None


def begin(services: Services, caller: str, attempt: Attempt) -> str:
    """Where a browser goes to log in."""
    settings = OpenId.from_settings(services.settings)
    with services.log_ins.turn(caller):
        discovery = services.openid.discovery()
    return attempt.url(
        discovery.authorization_endpoint,
        client_id=settings.client_id,
        scopes=settings.scopes,
        redirect_uri=settings.redirect_uri,
    )


def provider(services: Services, caller: str) -> ProviderView:
    """What the command line needs to begin a log-in itself."""
    settings = OpenId.from_settings(services.settings)
    with services.log_ins.turn(caller):
        discovery = services.openid.discovery()
    return ProviderView(
        issuer=discovery.issuer,
        authorization_endpoint=discovery.authorization_endpoint,
        client_id=settings.command_line_client_id,
        scopes=settings.scopes,
        iss_is_sent=discovery.authorization_response_iss_parameter_supported,
    )


def complete(services: Services, origin: Origin, attempt: Attempt | None, answered: Answered) -> LoginView:
    """End a browser's log-in. Unauthenticated unless it began in this browser and the provider vouches for it."""
    settings = OpenId.from_settings(services.settings)
    if attempt is None or answered.state is None or not attempt.began(answered.state):
        raise Unauthenticated(
            "this log-in did not begin in this browser, or too long ago",
            remedy=f"begin again at {services.settings.effective_api_url()}/v1/login",
        )
    with services.log_ins.turn(_caller(origin)):
        _require_issuer(services, answered.issuer)
        if answered.code is None:
            reason = escaped((answered.error or "it sent no code")[:200])
            raise Unauthenticated(f"the provider did not log you in: {reason}", remedy="begin again")
        verified = exchange(
            services.openid,
            settings,
            client_id=settings.client_id,
            code=answered.code,
            verifier=attempt.verifier,
            nonce=attempt.nonce,
            redirect_uri=settings.redirect_uri,
        )
    return _admit(services, settings, origin, verified)


def complete_for_command_line(services: Services, origin: Origin, request: LoginCodeRequest) -> LoginView:
    """End a log-in of `longtail login`, which brings the code itself."""
    settings = OpenId.from_settings(services.settings)
    rules.require_loopback(request.redirect_uri)
    with services.log_ins.turn(_caller(origin)):
        verified = exchange(
            services.openid,
            settings,
            client_id=settings.command_line_client_id,
            code=request.code,
            verifier=request.verifier,
            nonce=request.nonce,
            redirect_uri=request.redirect_uri,
        )
    return _admit(services, settings, origin, verified)


def exchange_token(services: Services, origin: Origin, request: TokenLoginRequest) -> tuple[str, MeView]:
    """A session of a browser for its person's token; returns the session's token, and who that is. Unauthenticated for
    a token that is not valid, Conflict for one that is a session itself.
    """
    with services.log_ins.turn(_caller(origin)), services.database.begin() as connection:
        user = tokens.authenticate(connection, request.token)
        user = replace(user, origin=replace(origin, token_id=user.origin.token_id))
        session = sessions.exchange(connection, user, ttl_s=services.settings.oidc_session_s)
    _log.info("%s logged in from %s with a token", user.name, origin.address)
    return session.token, _shown(services, user, expires_at=session.expires_at, issuer=None)


def me(services: Services, user: User) -> MeView:
    """Who sent the request, with which roles, and until when."""
    with services.database.begin() as connection:
        expires_at, issuer = sessions.expires_at(connection, user.origin.token_id)
    return _shown(services, user, expires_at=expires_at, issuer=issuer)


def _shown(services: Services, user: User, *, expires_at: datetime, issuer: str | None) -> MeView:
    return MeView(
        id=user.known_id(),
        name=user.name,
        roles=sorted(user.roles),
        expires_at=expires_at,
        issuer=issuer,
        self_approval=services.settings.allow_self_approval,
    )


def log_out(services: Services, user: User) -> LoggedOutView:
    """End the session that this request came with."""
    with services.database.begin() as connection:
        issuer = sessions.end(connection, user)
    _log.info("%s logged out", user.name)
    return LoggedOutView(provider_logout_url=None if issuer is None else _provider_logout(services))


def _admit(services: Services, settings: OpenId, origin: Origin, verified: VerifiedClaims) -> LoginView:
    """Who the person is here, with which roles, and the token. Forbidden, with an entry in the audit log, for none."""
    identity = Identity(settings.issuer, verified.subject)
    admission = rules.Admission(settings.name_claim, settings.groups_claim, settings.groups, settings.email_domains)
    try:
        roles = admission.roles_of(verified.claims)
        with services.database.begin() as connection:
            named = partial(admission.name_of, verified.claims)
            user_id, user_name = identities.user_of(connection, identity, named)
            user = User(user_name, frozenset(roles), user_id, origin)
            session = sessions.begin(connection, user, roles, issuer=identity.issuer, ttl_s=settings.session_s)
    except (Forbidden, InvalidInput) as error:
        called = escaped(str(verified.claims.get(settings.name_claim) or verified.subject)[:100])
        with services.database.begin() as connection:
            sessions.refuse(connection, identity, called, error.message, origin=origin)
        _log.warning("refused the log-in of %s from %s: %s", called, origin.address, error.message)
        raise
    _log.info("%s logged in from %s as %s", user.name, origin.address, ", ".join(sorted(roles)))
    return LoginView(token=session.token, user=user.name, roles=sorted(roles), expires_at=session.expires_at)


def _require_issuer(services: Services, named: str | None) -> None:
    """Unauthenticated for the answer of another provider, to which the code would be betrayed (RFC 9207)."""
    must = services.openid.discovery().authorization_response_iss_parameter_supported
    if named != services.openid.issuer and (must or named is not None):
        raise Unauthenticated("the answer comes from another provider than was asked", remedy="begin again")


def _provider_logout(services: Services) -> str | None:
    """The provider's own log-out page (OpenID Connect RP-Initiated Logout 1.0), if it can be found out now."""
    try:
        settings = OpenId.from_settings(services.settings)
        endpoint = services.openid.discovery().end_session_endpoint
    except LongtailError as error:
        _log.warning("the log-out page of the provider is not known: %s", error)
        return None
    if endpoint is None:
        return None
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode({'client_id': settings.client_id})}"


def _caller(origin: Origin) -> str:
    return f"address {origin.address}"
