"""Tables of people: users, their API tokens, and the audit log of what they did."""

from __future__ import annotations

from sqlalchemy import ARRAY, BigInteger, Column, ForeignKey, Identity, Index, LargeBinary, Table, Text

from storage.tables.base import at, created_at, metadata

users = Table(
    "users",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False, unique=True),
    created_at(),
)
"""`name` as it was first spelled; `name_key` is the same for all spellings of it. Rows are never deleted."""

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("id", BigInteger, Identity(always=True), nullable=False, unique=True),
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False, index=True),
    Column("name", Text, nullable=False, server_default=""),
    Column("roles", ARRAY(Text), nullable=False),
    created_at(),
    at("expires_at", nullable=False),
    at("last_used_at"),
    at("revoked_at"),
    Column("issuer", Text),
    Column("parent_id", BigInteger, ForeignKey("api_tokens.id"), index=True),
)
"""Only SHA-256 hashes of tokens are kept; tokens are 32 random bytes, so no salt is needed. `id` names a token where
its bearer must not be able to use it, as in the audit log; `name` says what it is for. `last_used_at` may be a minute
late. One with an `issuer` was issued by a log-in at that OpenID provider; one with a `parent_id` is a browser's
session, for which that token was exchanged and with which it ends."""

identities = Table(
    "identities",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False, index=True),
    created_at(),
)
"""Which user a person at an OpenID provider is. `subject` is what the provider never gives to somebody else."""

audit = Table(
    "audit",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    at("at", nullable=False),
    Column("user_id", BigInteger, ForeignKey("users.id")),
    Column("user_name", Text, nullable=False),
    Column("token_id", BigInteger),
    Column("address", Text),
    Column("action", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("before", Text),
    Column("after", Text),
    Column("reason", Text),
    Column("request_id", Text),
    Column("previous_hash", Text, nullable=False, unique=True),
    Column("hash", Text, nullable=False, unique=True),
    Index("ix_audit_kind_object", "kind", "object"),
    Index("ix_audit_user_id", "user_id"),
    Index("ix_audit_at", "at"),
)
"""Rows are inserted only: a trigger of the migration refuses everything else. `before` and `after` are canonical JSON
as text, so that the hash covers the bytes. There is no gap between sequences, and one entry for each previous hash."""
