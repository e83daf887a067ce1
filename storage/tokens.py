"""Bearer tokens: how they are made, and which user of the API each stands for.

A token is `lt_` and 32 random bytes in URL-safe base64. The database keeps only its SHA-256, without salt:
256 random bits cannot be guessed, and an unsalted digest can be looked up by an index.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from storage import audit, users
from storage.tables import api_tokens
from storage.tables import users as users_table
from triggers.contracts.users import ROLES, Origin, User
from triggers.errors import InvalidInput, NotFound, Unauthenticated

TOKEN_PREFIX = "lt_"  # noqa: S105 - a prefix, so that secret scanners recognise a leaked token
_TOKEN = re.compile(TOKEN_PREFIX + r"[A-Za-z0-9_-]{43}")


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


def issue(connection: Connection, user: str, roles: Iterable[str], *, by: User | None = None) -> str:
    """Issue a token for `user` with `roles`; it is returned once and cannot be read again.

    Other spellings of a name are the same user. `by` is who issues it, by default whoever runs this process.
    """
    granted = sorted(set(roles))
    unknown = [role for role in granted if role not in ROLES]
    if unknown or not granted:
        raise InvalidInput(
            f"no such role: {', '.join(unknown)}" if unknown else "a token needs a role",
            remedy=f"choose from {', '.join(ROLES)}",
        )
    user_id, name = users.ensure(connection, user)
    token = new_token()
    row = {"token_hash": token_hash(token), "user_id": user_id, "roles": granted}
    token_id = connection.execute(insert(api_tokens).values(row).returning(api_tokens.c.id)).scalar_one()
    issued = {"token_id": token_id, "roles": granted, "name": name}
    audit.record(connection, by or audit.at_the_machine(), "token.issue", "user", str(user_id), after=issued)
    return token


def authenticate(connection: Connection, token: str) -> User:
    """The user that `token` stands for; Unauthenticated when it is malformed, unknown or revoked."""
    row = connection.execute(
        select(users_table.c.name, api_tokens.c.roles, api_tokens.c.user_id, api_tokens.c.id.label("token_id"))
        .join(users_table, users_table.c.id == api_tokens.c.user_id)
        .where(api_tokens.c.token_hash == token_hash(token), api_tokens.c.revoked_at.is_(None))
    ).one_or_none()
    if row is None:
        raise Unauthenticated("the token is unknown or revoked", remedy="ask an administrator for a new one")
    return User(row.name, frozenset(row.roles), row.user_id, Origin(token_id=row.token_id))


def revoke(connection: Connection, token: str, *, by: User | None = None) -> None:
    """Revoke one token; NotFound when it is unknown or revoked already."""
    if not _revoke(connection, api_tokens.c.token_hash == token_hash(token), by):
        raise NotFound("there is no such token, or it is revoked already")


def revoke_user(connection: Connection, user: str, *, by: User | None = None) -> int:
    """Revoke every token of `user`; returns how many there were. NotFound for an unknown user."""
    user_id, _ = users.find(connection, user)
    return _revoke(connection, api_tokens.c.user_id == user_id, by)


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
