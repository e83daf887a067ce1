"""Tags that people add to clips: of what characters they are, and how they are asked for and shown."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from triggers.contracts.api.base import View
from triggers.contracts.base import Contract
from triggers.foreign_text import require_seen

MAX_TAGS_AT_ONCE = 20
MAX_TAG_CHARACTERS = 100
Tag = Annotated[
    str,
    Field(min_length=1, max_length=MAX_TAG_CHARACTERS, pattern=r"^\S(.*\S)?$"),
    AfterValidator(require_seen),
]
"""A tag that a person adds: one line, without blanks at its ends, and of characters that are seen."""


class AddedTagView(View):
    """A tag that a person has added to a clip."""

    tag: str
    by: str
    added_at: datetime


class TagsRequest(Contract):
    """Tags to add to a clip."""

    tags: Annotated[tuple[Tag, ...], Field(min_length=1, max_length=MAX_TAGS_AT_ONCE)]


class ClipTagsView(View):
    """The tags of a clip: all of them, and those that people have added."""

    id: str
    tags: list[str]
    added_tags: list[AddedTagView]
