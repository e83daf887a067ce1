"""Routes for what people add to clips: tags and notes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from fleet_api.http.auth import Caller
from fleet_api.http.bodies import json_body
from fleet_api.http.routing import CatalogRoute
from fleet_api.http.services import Use
from fleet_api.marks import usecases
from ingest.http.raising import raises
from triggers.contracts.api.marks.notes import NoteRequest, NoteView
from triggers.contracts.api.marks.tags import MAX_TAG_CHARACTERS, ClipTagsView, TagsRequest
from triggers.errors import Conflict, Erased

router = APIRouter(prefix="/v1/clips/{clip_id}", tags=["clips"], route_class=CatalogRoute)

NoteId = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.post("/tags", summary="Add tags to a clip")
@raises(Conflict, Erased)
def add_tags(
    services: Use, user: Caller, clip_id: str, body: Annotated[TagsRequest, json_body(TagsRequest)]
) -> ClipTagsView:
    """Add tags, which filters find as they find those of triggers. A tag that was added before stays as it is."""
    return usecases.add_tags(services, user, clip_id, body)


@router.delete("/tags", summary="Remove a tag from a clip")
@raises(Conflict, Erased)
def remove_tag(
    services: Use,
    user: Caller,
    clip_id: str,
    *,
    tag: Annotated[str, Query(min_length=1, max_length=MAX_TAG_CHARACTERS, description="One that a person has added.")],
) -> ClipTagsView:
    """Remove a tag that a person has added. Tags of triggers stay."""
    return usecases.remove_tag(services, user, clip_id, tag)


@router.post("/notes", summary="Add a note to a clip")
@raises(Conflict, Erased)
def add_note(
    services: Use, user: Caller, clip_id: str, body: Annotated[NoteRequest, json_body(NoteRequest)]
) -> NoteView:
    """Add a note. The same text of the same user again is the same note."""
    return usecases.add_note(services, user, clip_id, body)


@router.delete("/notes/{note_id}", status_code=204, summary="Remove a note from a clip")
@raises(Erased)
def remove_note(services: Use, user: Caller, clip_id: str, note_id: NoteId) -> None:
    """Remove a note: one's own, or any with the role operator."""
    usecases.remove_note(services, user, clip_id, note_id)
