"""Who may add marks to clips, and who may remove a note."""

from __future__ import annotations

from triggers.contracts.users import Role, User
from triggers.errors import Forbidden


def id_of(user: User) -> int:
    """The id under which marks are kept: it stays when the user's name changes. Forbidden for one who has none."""
    if user.id is None:
        raise Forbidden(f"{user.name} is not a user of the API", remedy="use a token of a user")
    return user.id


def check_writer(user: User, writer_id: int, *, written_by: str) -> None:
    """Forbidden unless the user wrote the note, or is an operator."""
    if user.id != writer_id and not user.may(Role.OPERATOR):
        raise Forbidden(
            f"the note is {written_by}'s", remedy="ask its writer, or somebody with the role operator, to remove it"
        )
