"""Tags and notes of people over HTTP: who may add and remove them, what is refused, and what an erasure leaves."""

from __future__ import annotations

import hashlib
import json

import pytest

from fleet_api.client import Client
from storage.clips.marks import notes, tags
from storage.tables import clip_notes, clip_tags
from tests.fleet_api.api_server import Api
from tests.storage.clips.catalog_support import add_clip
from triggers.errors import Conflict, Forbidden, InvalidInput, NotFound


@pytest.fixture
def clip_id(api: Api) -> str:
    """A clip whose trigger has the tag `rain`."""
    with api.database.begin() as connection:
        return add_clip(connection, tags=["rain"])


def found(client: Client, filter_text: str) -> list[str]:
    return [clip.id for clip in client.clips.search(filter_text)]


def test_a_tag_of_a_person_is_found_like_a_triggers_and_says_who_added_it(api: Api, clip_id: str) -> None:
    viewer = api.as_client("viewer")
    tagged = viewer.clips.tag(clip_id, "wet road", "rain")
    assert tagged.tags == ["rain", "wet road"]
    assert [(each.tag, each.by) for each in tagged.added_tags] == [("rain", "viewer-user"), ("wet road", "viewer-user")]
    assert found(viewer, "tag = 'wet road' AND tag = 'rain'") == [clip_id]
    shown = viewer.clips.get(clip_id)
    assert shown.added_tags == tagged.added_tags


def test_a_tag_that_was_added_before_keeps_who_added_it(api: Api, clip_id: str) -> None:
    first = api.as_client("viewer").clips.tag(clip_id, "x")
    assert api.as_client("author").clips.tag(clip_id, "x") == first
    assert len([e for e in api.as_client("operator").audit.list() if e.action == "clip.tag"]) == 1


def test_a_tag_that_a_trigger_has_too_stays_when_the_persons_is_removed(api: Api, clip_id: str) -> None:
    client = api.as_client("viewer")
    client.clips.tag(clip_id, "rain", "night")
    assert client.clips.untag(clip_id, "rain").tags == ["night", "rain"]
    assert client.clips.untag(clip_id, "night").tags == ["rain"]
    assert client.clips.get(clip_id).added_tags == []
    with pytest.raises(Conflict, match="a trigger that fired has it"):
        client.clips.untag(clip_id, "rain")
    with pytest.raises(NotFound, match="does not have the tag 'night'"):
        client.clips.untag(clip_id, "night")


def test_the_tag_of_a_wrong_clock_is_not_for_people(api: Api, clip_id: str) -> None:
    """It would change when the clip counts as recorded."""
    with pytest.raises(InvalidInput, match="set by Longtail alone"):
        api.as_client("admin").clips.tag(clip_id, "clock_implausible")


UNSEEN = ["\u200b", "a\x1b[2J", "a\tb", "a\u2028b", "a\x85b", "a\u00a0b", "\u202eabc", "a\u200d"]
"""Tags that would look like others, or turn what is shown around them."""


def test_a_tag_may_be_of_any_script(api: Api, clip_id: str) -> None:
    tags = ["nasse Straße", "雨の 夜", "क्\u200dष", "👨\u200d👩\u200d👧"]
    tagged = api.as_client("viewer").clips.tag(clip_id, *tags)
    assert set(tags) < set(tagged.tags)


@pytest.mark.parametrize("tag", ["", " ", "a ", " a", "a\nb", "x" * 101, "a\x00b", "\ud800", *UNSEEN])
def test_what_cannot_be_a_tag_is_refused(api: Api, clip_id: str, tag: str) -> None:
    body = json.dumps({"tags": [tag]}).encode()
    headers = {**api.as_("viewer"), "Content-Type": "application/json"}
    answer = api.client.post(f"/v1/clips/{clip_id}/tags", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input"), answer.text
    assert answer.json()["remedy"]


def test_a_clip_has_a_bounded_number_of_tags_and_notes(api: Api, clip_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tags, "MAX_ADDED", 3)
    monkeypatch.setattr(notes, "MAX_NOTES", 2)
    client = api.as_client("viewer")
    client.clips.tag(clip_id, "a", "b")
    with pytest.raises(Conflict, match="more than 3"):
        client.clips.tag(clip_id, "c", "d")
    client.clips.tag(clip_id, "a", "b", "c")
    for text in ("one", "two"):
        client.clips.note(clip_id, text)
    with pytest.raises(Conflict, match="2 notes already"):
        client.clips.note(clip_id, "three")
    assert client.clips.note(clip_id, "two").text == "two", "an answer that was lost can be had again"


def test_a_note_says_who_wrote_it_and_goes_when_its_writer_or_an_operator_removes_it(api: Api, clip_id: str) -> None:
    viewer, author, operator = (api.as_client(role) for role in ("viewer", "author", "operator"))
    first, second = viewer.clips.note(clip_id, "the road is wet"), viewer.clips.note(clip_id, "a second\nline")
    assert [(note.text, note.by) for note in viewer.clips.get(clip_id).notes] == [
        ("the road is wet", "viewer-user"),
        ("a second\nline", "viewer-user"),
    ]
    with pytest.raises(Forbidden, match="viewer-user's"):
        author.clips.remove_note(clip_id, first.id)
    viewer.clips.remove_note(clip_id, first.id)
    operator.clips.remove_note(clip_id, second.id)
    assert viewer.clips.get(clip_id).notes == []
    with pytest.raises(NotFound, match="no note"):
        viewer.clips.remove_note(clip_id, first.id)


def test_a_note_of_another_clip_is_not_found(api: Api, clip_id: str) -> None:
    with api.database.begin() as connection:
        other = add_clip(connection)
    note = api.as_client("viewer").clips.note(other, "here")
    with pytest.raises(NotFound, match="no note"):
        api.as_client("viewer").clips.remove_note(clip_id, note.id)


def test_who_only_labels_cannot_add_or_remove_marks(api: Api, clip_id: str) -> None:
    labeler = api.as_client("labeler")
    for call in (
        lambda: labeler.clips.tag(clip_id, "a"),
        lambda: labeler.clips.untag(clip_id, "rain"),
        lambda: labeler.clips.note(clip_id, "a"),
        lambda: labeler.clips.remove_note(clip_id, 1),
    ):
        with pytest.raises(Forbidden):
            call()


def test_the_audit_log_has_tags_and_digests_of_notes(api: Api, clip_id: str) -> None:
    client = api.as_client("admin")
    client.clips.tag(clip_id, "a")
    note = client.clips.note(clip_id, "a face is visible")
    client.clips.remove_note(clip_id, note.id)
    client.clips.untag(clip_id, "a")
    entries = [entry for entry in client.audit.list() if entry.object == clip_id]
    shown = {"note": note.id, "sha256": hashlib.sha256(b"a face is visible").hexdigest()}
    assert [(entry.action, entry.before, entry.after) for entry in entries] == [
        ("clip.tag", None, {"tags": ["a"]}),
        ("clip.note", None, shown),
        ("clip.remove_note", shown, None),
        ("clip.untag", {"tags": ["a"]}, None),
    ]


def test_marks_are_erased_with_their_clip(api: Api, clip_id: str) -> None:
    client = api.as_client("operator")
    client.clips.tag(clip_id, "a")
    client.clips.note(clip_id, "b")
    client.clips.erase(clip_id, reason="r")
    with api.database.begin() as connection:
        for table in (clip_tags, clip_notes):
            assert connection.execute(table.select()).all() == []
    answer = api.post(f"/v1/clips/{clip_id}/tags", {"tags": ["a"]}, "viewer")
    assert (answer.status_code, answer.json()["code"]) == (410, "erased")
    with pytest.raises(NotFound):
        client.clips.note("0" * 32, "a")
