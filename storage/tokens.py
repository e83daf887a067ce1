"""Bearer tokens: how they are made, how long they are valid, and which user of the API each stands for.

A token is `lt_` and 32 random bytes in URL-safe base64. The database keeps only its SHA-256, without salt:
256 random bits cannot be guessed, and an unsalted digest can be looked up by an index.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, bindparam, func, insert, or_, select, update

from storage import audit, users
from storage.rows import columns_of
from storage.settings import Settings
from storage.tables import api_tokens
from storage.tables import users as users_table
from triggers.contracts.users import ROLES, Origin, User
from triggers.errors import InvalidInput, NotFound, Unauthenticated

TOKEN_PREFIX = "lt_"  # noqa: S105 - a prefix, so that secret scanners recognise a leaked token
DEFAULT_TTL_S: int = Settings.model_fields["token_ttl_s"].default
MAX_NAME_CHARACTERS = 100
_parent = api_tokens.alias("parent")
_TOKEN = re.compile(TOKEN_PREFIX + r"[A-Za-z0-9_-]{43}")
_DAY_S = 86400


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """What is known of a token; the token itself is not."""

    id: int
    user_name: str
    name: str
    roles: list[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


_RECORD = (
    api_tokens.c.id,
    users_table.c.name.label("user_name"),
    *columns_of(TokenRecord, api_tokens, without={"id", "user_name"}),
)


def new_token() -> str:
    """A new random token."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """The hash under which the database stores a token; Unauthenticated when `token` cannot be one."""
    if not _TOKEN.fullmatch(token):
        raise Unauthenticated(
            "the bearer token is malformed",
            remedy="send `Authorization: Bearer lt_...` with the token as it was issued",
        )
    return hashlib.sha256(token.encode()).digest()


def lifetime_s(settings: Settings, days: int | None) -> int:
    """How long a token is valid that is to be valid for `days`; by default as long as the settings say.

    InvalidInput for more than the settings allow.
    """
    if days is None:
        return min(settings.token_ttl_s, settings.token_max_ttl_s)
    if days * _DAY_S > settings.token_max_ttl_s:
        raise InvalidInput(
            f"a token cannot be valid for {days} days",
            remedy=f"ask for at most {settings.token_max_ttl_s // _DAY_S} (LONGTAIL_TOKEN_MAX_TTL_S), and rotate it",
        )
    return days * _DAY_S


def issue(
    connection: Connection,
    user: str,
    roles: Iterable[str],
    *,
    name: str = "",
    ttl_s: int = DEFAULT_TTL_S,
    by: User | None = None,
) -> str:
    """Issue a token for `user` with `roles`; it is returned once and cannot be read again.

    Other spellings of a user's name are the same user, who may have several tokens; `name` says what this one is for.
    `by` is who issues it, by default whoever runs this process.
    """
    granted = sorted(set(roles))
    unknown = [role for role in granted if role not in ROLES]
    if unknown or not granted:
        raise InvalidInput(
            f"no such role: {', '.join(unknown)}" if unknown else "a token needs a role",
            remedy=f"choose from {', '.join(ROLES)}",
        )
    if len(name) > MAX_NAME_CHARACTERS or not name.isprintable():
        raise InvalidInput(
            f"not a name for a token: {name[:100]!r}",
            remedy=f"use at most {MAX_NAME_CHARACTERS} characters that can be printed",
        )
    user_id, user_name = users.ensure(connection, user)
    token = new_token()
    row = {"token_hash": token_hash(token), "user_id": user_id, "name": name, "roles": granted}
    added = insert(api_tokens).values(**row, expires_at=_after(ttl_s)).returning(api_tokens.c.id)
    token_id = connection.execute(added).scalar_one()
    issued = {"token_id": token_id, "roles": granted, "name": user_name, "valid_s": ttl_s}
    audit.record(connection, by or audit.at_the_machine(), "token.issue", "user", str(user_id), after=issued)
    return token


def authenticate(connection: Connection, token: str) -> User:
    """The user that `token` stands for; Unauthenticated when it is malformed, unknown, revoked or expired."""
    row = connection.execute(
        select(
            api_tokens.c.id,
            api_tokens.c.user_id,
            users_table.c.name,
            api_tokens.c.roles,
            api_tokens.c.issuer,
            api_tokens.c.parent_id,
            func.least(api_tokens.c.expires_at, _parent.c.expires_at).label("expires_at"),
            (func.least(api_tokens.c.expires_at, _parent.c.expires_at) <= func.now()).label("expired"),
        )
        .join(users_table, users_table.c.id == api_tokens.c.user_id)
        .outerjoin(_parent, _parent.c.id == api_tokens.c.parent_id)
        .where(api_tokens.c.token_hash == token_hash(token))
        .where(api_tokens.c.revoked_at.is_(None), _parent.c.revoked_at.is_(None))
    ).one_or_none()
    if row is None:
        raise Unauthenticated("the token is unknown or revoked", remedy="ask an administrator for a new one")
    if row.expired:
        rotate_it = f"ask whoever operates the deployment for a new one: `longtail token rotate {row.id}`"
        raise Unauthenticated(
            f"the token expired at {row.expires_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
            remedy="log in again: `longtail login`, or the console" if row.issuer or row.parent_id else rotate_it,
        )
    return User(row.name, frozenset(row.roles), row.user_id, Origin(token_id=row.id))


def list_tokens(connection: Connection, *, user: str | None = None, ended: bool = False) -> list[TokenRecord]:
    """The tokens of `user`, or of all, by id; with `ended` also those that were revoked or have expired."""
    statement = select(*_RECORD).join(users_table, users_table.c.id == api_tokens.c.user_id).order_by(api_tokens.c.id)
    if user is not None:
        statement = statement.where(users_table.c.id == users.find(connection, user)[0])
    if not ended:
        statement = statement.where(api_tokens.c.revoked_at.is_(None), api_tokens.c.expires_at > func.now())
    return [TokenRecord(*row) for row in connection.execute(statement)]


def rotate(
    connection: Connection, token_id: int, *, ttl_s: int, overlap_s: int, by: User | None = None
) -> tuple[TokenRecord, str]:
    """Issue the successor of a token, which itself ends after `overlap_s` at the latest.

    Returns what is known of the former one, and the new token. One that has expired can be rotated, too; NotFound when
    it is unknown or revoked, or is a session.
    """
    changed = connection.execute(
        update(api_tokens)  # not those of log-ins, whose roles and end are the provider's to say
        .where(api_tokens.c.id == token_id, api_tokens.c.revoked_at.is_(None))
        .where(api_tokens.c.issuer.is_(None), api_tokens.c.parent_id.is_(None))
        .values(expires_at=func.least(api_tokens.c.expires_at, _after(overlap_s)))
    )
    if changed.rowcount == 0:
        raise NotFound(
            "there is no such token, or it is revoked already, or of a log-in", remedy="see `longtail token list --all`"
        )
    owner = select(*_RECORD).join(users_table, users_table.c.id == api_tokens.c.user_id)
    former = TokenRecord(*connection.execute(owner.where(api_tokens.c.id == token_id)).one())
    user_id, _ = users.find(connection, former.user_name)
    ends = {"token_id": token_id, "ends_s": overlap_s}
    audit.record(connection, by or audit.at_the_machine(), "token.rotate", "user", str(user_id), before=ends)
    return former, issue(connection, former.user_name, former.roles, name=former.name, ttl_s=ttl_s, by=by)


def is_past_half(connection: Connection, token_id: int) -> bool:
    """Whether more than half of a token's time is over."""
    created_at, expires_at = api_tokens.c.created_at, api_tokens.c.expires_at
    half = select(func.now() > created_at + (expires_at - created_at) / 2).where(api_tokens.c.id == token_id)
    return bool(connection.execute(half).scalar_one())


def revoke(connection: Connection, token: str, *, by: User | None = None) -> None:
    """Revoke one token; NotFound when it is unknown or revoked already."""
    if not _revoke(connection, api_tokens.c.token_hash == token_hash(token), by):
        raise _no_token()


def revoke_id(connection: Connection, token_id: int, *, by: User | None = None) -> None:
    """Revoke the token with this id; NotFound when it is unknown or revoked already."""
    if not _revoke(connection, api_tokens.c.id == token_id, by):
        raise _no_token()


def revoke_user(connection: Connection, user: str, *, by: User | None = None) -> int:
    """Revoke every token of `user`; returns how many there were. NotFound for an unknown user."""
    user_id, _ = users.find(connection, user)
    return _revoke(connection, api_tokens.c.user_id == user_id, by)


def mark_used(connection: Connection, used_at: Mapping[int, datetime]) -> None:
    """Record when each of these tokens, by id, was last used."""
    known = api_tokens.c.last_used_at
    connection.execute(
        update(api_tokens)
        .where(api_tokens.c.id == bindparam("token"), or_(known.is_(None), known < bindparam("at")))
        .values(last_used_at=bindparam("at")),
        [{"token": token_id, "at": at} for token_id, at in sorted(used_at.items())],
    )


def _revoke(connection: Connection, which: ColumnElement[bool], by: User | None) -> int:
    ended = connection.execute(
        update(api_tokens)
        .where(which, api_tokens.c.revoked_at.is_(None))
        .values(revoked_at=func.now())
        .returning(api_tokens.c.id, api_tokens.c.user_id)
    ).all()
    for row in ended:
        before = {"token_id": row.id}
        audit.record(connection, by or audit.at_the_machine(), "token.revoke", "user", str(row.user_id), before=before)
    return len(ended)


def _after(seconds: int) -> ColumnElement[datetime]:
    return func.now() + timedelta(seconds=seconds)


def _no_token() -> NotFound:
    return NotFound("there is no such token, or it is revoked already", remedy="see `longtail token list --all`")
