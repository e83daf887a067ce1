"""Tags that people add to clips: of what characters they are, and how they are asked for and shown."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from triggers.contracts.api.base import View
from triggers.contracts.base import Contract

MAX_TAGS_AT_ONCE = 20
MAX_TAG_CHARACTERS = 100
_JOINERS = "\u200c\u200d"
"""Within words of some scripts, and within emojis."""


def _seen(tag: str) -> str:
    """The tag; ValueError for one that looks like another, such as with a control character or another blank."""
    if not tag.translate(dict.fromkeys(map(ord, _JOINERS))).isprintable() or tag.strip(_JOINERS) != tag:
        raise ValueError("the tag holds a character that nobody sees: a control character, or a blank other than ' '")
    return tag


Tag = Annotated[str, Field(min_length=1, max_length=MAX_TAG_CHARACTERS, pattern=r"^\S(.*\S)?$"), AfterValidator(_seen)]
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
