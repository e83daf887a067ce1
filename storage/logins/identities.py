"""Identities: which user a person at an OpenID provider is, by issuer and subject, whatever the person is called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from storage import audit, users
from storage.tables import identities
from storage.tables import users as users_table
from triggers.contracts.users import User
from triggers.errors import Conflict, Forbidden, InvalidInput

MAX_SUBJECT_CHARACTERS = 255
"""OpenID Connect Core 1.0, section 2: a subject has at most 255 ASCII characters."""
_c = identities.c


@dataclass(frozen=True, slots=True)
class Identity:
    """A person as the provider knows it: `subject` is never given to anybody else of this issuer."""

    issuer: str
    subject: str


def user_of(connection: Connection, identity: Identity, called: Callable[[], str]) -> tuple[int, str]:
    """The id and name of the user who this person is; at the first log-in a new one, who is `called` so.

    Forbidden when somebody else has the name: a provider's names prove nothing about users who were here before.
    InvalidInput for what cannot be a name.
    """
    if (known := _known(connection, identity)) is not None:
        return known
    name = called()
    if (created := users.create(connection, name)) is not None:
        _insert(connection, identity, created[0])
        return created
    if (known := _known(connection, identity)) is not None:
        return known  # the same person's first log-in, made at the same time
    raise Forbidden(
        f"there is a user {name!r} already, and it is not known to be you",
        remedy=f"ask an operator for `longtail token link {name} SUBJECT` with your subject, which is "
        f"{identity.subject}, or to rename that user",
    )


def link(connection: Connection, name: str, identity: Identity, *, by: User | None = None) -> int:
    """Let a user log in as this person; returns the user's id.

    NotFound for an unknown user, Conflict when the person is another user already.
    """
    subject = identity.subject
    if not 0 < len(subject) <= MAX_SUBJECT_CHARACTERS or not (subject.isascii() and subject.isprintable()):
        raise InvalidInput(f"not a subject: {subject[:100]!r}", remedy="take the `sub` of the person's ID token")
    user_id, _ = users.find(connection, name)
    if not _insert(connection, identity, user_id):
        known = _known(connection, identity)
        if known is None or known[0] != user_id:
            raise Conflict(
                f"that person is the user {known[1] if known else '?'!r} already",
                remedy="a person is one user; rename that one, or go on with it",
            )
        return user_id
    linked = {"issuer": identity.issuer, "subject": subject}
    audit.record(connection, by or audit.at_the_machine(), "user.link", "user", str(user_id), after=linked)
    return user_id


def _known(connection: Connection, identity: Identity) -> tuple[int, str] | None:
    row = connection.execute(
        select(users_table.c.id, users_table.c.name)
        .join(identities, _c.user_id == users_table.c.id)
        .where(_c.issuer == identity.issuer, _c.subject == identity.subject)
    ).one_or_none()
    return None if row is None else (row.id, row.name)


def _insert(connection: Connection, identity: Identity, user_id: int) -> bool:
    row = {"issuer": identity.issuer, "subject": identity.subject, "user_id": user_id}
    added = insert(identities).values(row).on_conflict_do_nothing().returning(_c.user_id)
    return connection.execute(added).first() is not None
