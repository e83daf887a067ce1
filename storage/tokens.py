"""Bearer tokens: how they are made, and which user of the API each stands for.

A token is `lt_` and 32 random bytes in URL-safe base64. The database keeps only its SHA-256, without salt:
256 random bits cannot be guessed, and an unsalted digest can be looked up by an index.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable

from sqlalchemy import Connection, func, insert, select, update

from storage.tables import api_tokens
from triggers.contracts.users import ROLES, User
from triggers.errors import InvalidInput, NotFound, Unauthenticated

TOKEN_PREFIX = "lt_"  # noqa: S105 - a prefix, so that secret scanners recognise a leaked token
_TOKEN = re.compile(TOKEN_PREFIX + r"[A-Za-z0-9_-]{43}")
_USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@+-]{0,99}")


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


def issue(connection: Connection, user: str, roles: Iterable[str]) -> str:
    """Issue a token for `user` with `roles`; it is returned once and cannot be read again."""
    granted = sorted(set(roles))
    unknown = [role for role in granted if role not in ROLES]
    if unknown or not granted:
        raise InvalidInput(
            f"no such role: {', '.join(unknown)}" if unknown else "a token needs a role",
            remedy=f"choose from {', '.join(ROLES)}",
        )
    if not _USER.fullmatch(user):
        raise InvalidInput(f"not a user name: {user[:100]!r}", remedy="use letters, digits and _ . @ + -, at most 100")
    token = new_token()
    connection.execute(insert(api_tokens).values(token_hash=token_hash(token), user_name=user, roles=granted))
    return token


def authenticate(connection: Connection, token: str) -> User:
    """The user that `token` stands for; Unauthenticated when it is malformed, unknown or revoked."""
    row = connection.execute(
        select(api_tokens.c.user_name, api_tokens.c.roles).where(
            api_tokens.c.token_hash == token_hash(token), api_tokens.c.revoked_at.is_(None)
        )
    ).one_or_none()
    if row is None:
        raise Unauthenticated("the token is unknown or revoked", remedy="ask an administrator for a new one")
    return User(row.user_name, frozenset(row.roles))


def revoke(connection: Connection, token: str) -> None:
    """Revoke one token; NotFound when it is unknown or revoked already."""
    ended = connection.execute(
        update(api_tokens)
        .where(api_tokens.c.token_hash == token_hash(token), api_tokens.c.revoked_at.is_(None))
        .values(revoked_at=func.now())
    )
    if ended.rowcount == 0:
        raise NotFound("there is no such token, or it is revoked already")


def revoke_user(connection: Connection, user: str) -> int:
    """Revoke every token of `user`; returns how many there were."""
    ended = connection.execute(
        update(api_tokens)
        .where(api_tokens.c.user_name == user, api_tokens.c.revoked_at.is_(None))
        .values(revoked_at=func.now())
    )
    return ended.rowcount
