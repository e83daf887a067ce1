"""Use cases for what people add to clips: tags and notes. Whoever may read the catalog may add to it; labelers may not.

Each is one transaction, noted in the audit log. An entry names a note by its number and its digest: the text goes when
the clip is erased, and the log stays.
"""

from __future__ import annotations

from fleet_api.marks import rules
from fleet_api.services import Services
from storage import audit
from storage.clips.marks import notes, tags
from storage.clips.marks.notes import Note
from storage.database import Connection
from storage.jsonb import storable
from triggers.contracts.api.marks.notes import NoteRequest, NoteView
from triggers.contracts.api.marks.tags import AddedTagView, ClipTagsView, TagsRequest
from triggers.contracts.users import Role, User


def add_tags(services: Services, user: User, clip_id: str, request: TagsRequest) -> ClipTagsView:
    """Add tags to a clip; those that it has from people already keep who added them and when.

    NotFound when there never was such a clip, Erased when it was erased, Conflict when it would have too many.
    """
    user.require(Role.VIEWER)
    wanted = storable(list(request.tags), what="the tags")
    with services.database.begin() as connection:
        added = tags.add(connection, clip_id, wanted, user_id=user.known_id())
        view = _tags_of(connection, clip_id)
        if added:
            audit.record(connection, user, "clip.tag", "clip", clip_id, after={"tags": added})
    return view


def remove_tag(services: Services, user: User, clip_id: str, tag: str) -> ClipTagsView:
    """Remove a tag that a person has added; Conflict when only a trigger has it."""
    user.require(Role.VIEWER)
    storable(tag, what="the tag")
    with services.database.begin() as connection:
        tags.remove(connection, clip_id, tag)
        view = _tags_of(connection, clip_id)
        audit.record(connection, user, "clip.untag", "clip", clip_id, before={"tags": [tag]})
    return view


def add_note(services: Services, user: User, clip_id: str, request: NoteRequest) -> NoteView:
    """Add a note to a clip; one that the same user has added already is returned as it is. Errors as in `add_tags`."""
    user.require(Role.VIEWER)
    text = storable(request.text, what="the note")
    with services.database.begin() as connection:
        note, is_new = notes.add(connection, clip_id, text, user_id=user.known_id())
        if is_new:
            audit.record(connection, user, "clip.note", "clip", clip_id, after=_shown(note))
    return NoteView.model_validate(note)


def remove_note(services: Services, user: User, clip_id: str, note_id: int) -> None:
    """Remove a note; Forbidden for another user's, unless to an operator."""
    user.require(Role.VIEWER)
    with services.database.begin() as connection:
        note = notes.find(connection, clip_id, note_id)
        rules.check_writer(user, note.user_id, written_by=note.by)
        notes.remove(connection, clip_id, note)
        audit.record(connection, user, "clip.remove_note", "clip", clip_id, before=_shown(note))


def _tags_of(connection: Connection, clip_id: str) -> ClipTagsView:
    found = tags.of_clip(connection, clip_id)
    added = [AddedTagView.model_validate(tag) for tag in found.added]
    return ClipTagsView(id=clip_id, tags=list(found.tags), added_tags=added)


def _shown(note: Note) -> dict[str, object]:
    return {"note": note.id, "sha256": audit.digest_object(note.text)}
