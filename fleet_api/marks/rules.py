"""Who may remove a note."""

from __future__ import annotations

from triggers.contracts.users import User
from triggers.errors import Forbidden


def check_writer(user: User, writer_id: int, *, written_by: str) -> None:
    """Forbidden unless the user wrote the note, or is an operator."""
    if not user.owns(writer_id):
        raise Forbidden(
            f"the note is {written_by}'s", remedy="ask its writer, or somebody with the role operator, to remove it"
        )
