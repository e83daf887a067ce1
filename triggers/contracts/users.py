"""Users of the API, their roles, and which spellings are the same name."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from triggers.errors import Forbidden


class Role(StrEnum):
    """What a user may do. Every role but the labeler's may read, as a viewer does; an administrator may do everything.

    A labeler sees the clips that it has claimed, and no others: they show where cars were and what was around them.
    """

    VIEWER = "viewer"
    AUTHOR = "author"
    APPROVER = "approver"
    OPERATOR = "operator"
    LABELER = "labeler"
    ADMIN = "admin"


ROLES = tuple(Role)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a user's request came from, for the audit log: its token's id, the client's address, the request's id."""

    token_id: int | None = None
    address: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class User:
    """A person or a service that uses the API. `id` stays when the name changes; one at the machine itself has none."""

    name: str
    roles: frozenset[str]
    id: int | None = None
    origin: Origin = Origin()

    @property
    def is_admin(self) -> bool:
        """Whether the user may act for every other user."""
        return Role.ADMIN in self.roles

    def may(self, role: str) -> bool:
        """Whether the user may do what `role` may do."""
        if role == Role.VIEWER:
            return self.roles != {Role.LABELER}
        return role in self.roles or self.is_admin

    def known_id(self) -> int:
        """The id of a user of the API, under which what is the user's own is kept; Forbidden for one who has none."""
        if self.id is None:
            raise Forbidden(f"{self.name} is not a user of the API", remedy="use a token of a user")
        return self.id

    def owns(self, owner_id: int | None) -> bool:
        """Whether the user may change what is this owner's: its own, or that of any user as an operator."""
        return (self.id is not None and self.id == owner_id) or self.may(Role.OPERATOR)

    def require(self, *roles: Role) -> None:
        """Raise Forbidden unless the user has one of these roles, or may act as one."""
        if any(self.may(role) for role in roles):
            return
        needed = " or ".join(roles)
        raise Forbidden(
            f"this needs the role {needed}; {self.name} has {', '.join(sorted(self.roles))}",
            remedy=f"ask an administrator for a token with the role {needed}",
        )


def name_key(name: str) -> str:
    """What two spellings of one name share: without case, and in one Unicode form (NFKC).

    >>> name_key("Mallory") == name_key("mALLORY"), name_key("Ma\u00df") == name_key("MASS")
    (True, True)
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    return unicodedata.normalize("NFKC", folded).casefold()


def roles_of(text: str) -> frozenset[Role]:
    """The roles of a text such as `operator,viewer`. ValueError names one that does not exist."""
    names = [name for name in map(str.strip, text.split(",")) if name]
    for name in names:
        if name not in tuple(Role):
            raise ValueError(f"{name[:40]!r} is not a role; choose from {', '.join(Role)}")
    return frozenset(map(Role, names))


def groups_of_roles(text: str) -> dict[Role, tuple[str, ...]]:
    """The groups that give each role, from JSON such as `{"author": ["staff"]}`. ValueError says what is wrong."""
    try:
        given = json.loads(text or "{}")
    except (ValueError, RecursionError) as error:
        raise ValueError(f"must be JSON ({error})") from error
    if not isinstance(given, dict):
        raise ValueError(  # noqa: TRY004 - pydantic reports ValueError
            'must be a JSON object such as {"author": ["fleet-authors"]}'
        )
    for role, groups in given.items():
        if role not in tuple(Role):
            raise ValueError(f"{role!r} is not a role; choose from {', '.join(Role)}")
        if not isinstance(groups, list) or not all(isinstance(group, str) and group for group in groups):
            raise ValueError(f"the groups of {role} must be a list of names")
    return {Role(role): tuple(groups) for role, groups in given.items()}
