"""Sessions: the tokens that log-ins give, and those for which browsers exchange a token of their person.

They are short-lived, have the roles of that moment, and end one by one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, func, not_, or_, select, text, update

from storage import audit, tokens
from storage.logins.identities import Identity
from storage.tables import api_tokens, identities
from storage.tables import audit as audit_table
from triggers.contracts.users import Origin, Role, User
from triggers.errors import Conflict

TOKEN_NAME = "log-in"  # noqa: S105 - the name that lists show
EXCHANGED_NAME = "console"
AT_ONCE = 20
"""Sessions of one user; a further log-in ends the oldest."""
REFUSALS_EVERY = timedelta(minutes=1)
"""Refused log-ins of one person leave an entry in the audit log at most so often: nobody may fill it."""
_c = api_tokens.c
_BEGIN = text("SELECT id, expires_at FROM begin_session(:hash, :user, :name, :roles, :issuer, :ttl_s)")
_EXCHANGE = text("SELECT id, expires_at FROM exchange_token(:hash, :of_token, :name, :ttl_s)")
"""The API's role may make tokens in these ways only."""


@dataclass(frozen=True, slots=True)
class Session:
    """A log-in: its token, which is shown to nobody else, and until when it is valid."""

    token: str
    token_id: int
    expires_at: datetime


def begin(connection: Connection, user: User, roles: Collection[Role], *, issuer: str, ttl_s: int) -> Session:
    """Issue the token of a log-in of `user`. Earlier ones with a role that is not among `roles` now end."""
    user_id, granted = user.known_id(), sorted(roles)
    ended = _end_beyond(connection, user_id, issuer, granted)
    token = tokens.new_token()
    values = {"hash": tokens.token_hash(token), "user": user_id, "name": TOKEN_NAME, "roles": granted}
    token_id, expires_at = connection.execute(_BEGIN, {**values, "issuer": issuer, "ttl_s": ttl_s}).one()
    began = {"token_id": token_id, "roles": granted, "issuer": issuer, "valid_s": ttl_s}
    before = {"ended_token_ids": ended} if ended else None
    audit.record(connection, user, "user.login", "user", str(user_id), before=before, after=began)
    return Session(token, token_id, expires_at)


def exchange(connection: Connection, user: User, *, ttl_s: int) -> Session:
    """Exchange the token that `user` came with for a session, which ends with that token at the latest.

    Conflict for a token that is a session itself: it would outlive its own end, again and again.
    """
    live = and_(_c.parent_id == user.origin.token_id, _c.revoked_at.is_(None), _c.expires_at > func.now())
    newest = select(_c.id).where(live).order_by(_c.id.desc()).limit(AT_ONCE - 1).scalar_subquery()
    ended = _end(connection, and_(live, _c.id.not_in(newest)))
    token = tokens.new_token()
    values = {"hash": tokens.token_hash(token), "of_token": user.origin.token_id, "name": EXCHANGED_NAME}
    token_id, expires_at = connection.execute(_EXCHANGE, {**values, "ttl_s": ttl_s}).one()
    if token_id is None:
        raise Conflict("this token is a session itself", remedy="log in, or use a token that an operator issued")
    began = {"token_id": token_id, "of_token_id": user.origin.token_id, "roles": sorted(user.roles), "valid_s": ttl_s}
    before = {"ended_token_ids": ended} if ended else None
    audit.record(connection, user, "user.login", "user", str(user.known_id()), before=before, after=began)
    return Session(token, token_id, expires_at)


def refuse(connection: Connection, identity: Identity, name: str, reason: str, *, origin: Origin) -> None:
    """Record that a person whom the provider vouches for may not log in; the person's sessions end at once."""
    by = User(name, frozenset(), None, origin)
    ended = _end_of_person(connection, identity)
    what = audit.digest_object(f"{identity.issuer} {identity.subject}")
    recently = select(audit_table.c.sequence).where(
        audit_table.c.kind == "login",
        audit_table.c.object == what,
        audit_table.c.at > func.now() - REFUSALS_EVERY,
    )
    if not ended and connection.execute(recently.limit(1)).first() is not None:
        return
    person = {"issuer": identity.issuer, "subject": identity.subject, "name": name}
    before = {"ended_token_ids": ended} if ended else None
    audit.record(connection, by, "user.login_refused", "login", what, before=before, after=person, reason=reason)


def end(connection: Connection, user: User) -> str | None:
    """Log out: end the session that this request came with; returns the provider by which it began, if any.

    Conflict if its token is one that an operator issued.
    """
    _, issuer = expires_at(connection, user.origin.token_id)
    is_session = or_(_c.issuer.is_not(None), _c.parent_id.is_not(None))
    this = and_(_c.id == user.origin.token_id, is_session, _c.revoked_at.is_(None))
    if not _end(connection, this):
        raise Conflict(
            "this token was not issued by a log-in", remedy="an operator revokes it: `longtail token revoke --id ID`"
        )
    before = {"token_id": user.origin.token_id}
    audit.record(connection, user, "user.logout", "user", str(user.id), before=before)
    return issuer


def expires_at(connection: Connection, token_id: int | None) -> tuple[datetime, str | None]:
    """Until when a token is valid, and the issuer by whose log-in it was issued (None: by none)."""
    expires, issuer = connection.execute(select(_c.expires_at, _c.issuer).where(_c.id == token_id)).one()
    return expires, issuer


def _end_beyond(connection: Connection, user_id: int, issuer: str, roles: list[Role]) -> list[int]:
    """End sessions with roles that the person has lost, and the oldest beyond AT_ONCE with the new one."""
    live = _live(_c.user_id == user_id, _c.issuer == issuer)
    newest = select(_c.id).where(live).order_by(_c.id.desc()).limit(AT_ONCE - 1).scalar_subquery()
    lost = _end(connection, and_(live, not_(_c.roles.op("<@", is_comparison=True)(roles))))
    return sorted(lost + _end(connection, and_(live, _c.id.not_in(newest))))


def _end_of_person(connection: Connection, identity: Identity) -> list[int]:
    who = select(identities.c.user_id).where(
        identities.c.issuer == identity.issuer, identities.c.subject == identity.subject
    )
    return _end(connection, _live(_c.user_id.in_(who), _c.issuer == identity.issuer))


def _live(*which: ColumnElement[bool]) -> ColumnElement[bool]:
    return and_(*which, _c.revoked_at.is_(None), _c.expires_at > func.now())


def _end(connection: Connection, which: ColumnElement[bool]) -> list[int]:
    ended = update(api_tokens).where(which).values(revoked_at=func.now()).returning(_c.id)
    return sorted(connection.execute(ended).scalars())
