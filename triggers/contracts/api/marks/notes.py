"""Notes that people add to clips."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from triggers.contracts.api.base import View
from triggers.contracts.base import Contract

MAX_NOTE_CHARACTERS = 2000


class NoteView(View):
    """A note that a person has added to a clip."""

    id: int
    text: str
    by: str
    created_at: datetime


class NoteRequest(Contract):
    """A note to add to a clip."""

    text: Annotated[str, Field(min_length=1, max_length=MAX_NOTE_CHARACTERS, pattern=r"\S")]
