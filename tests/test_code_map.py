"""The structure of the code: every file says its subject, rooms stay small, and the map is the code's own words."""

from __future__ import annotations

import pytest

from tools import code_map
from tools.code_map import Room, rooms

ROOMS = list(rooms())
MAX_SIBLINGS = 13
"""Files in a room, `__init__` apart: more are subjects that want a room of their own."""
MAX_LINES = 420


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.folder)
def test_every_room_and_every_file_says_its_subject(room: Room) -> None:
    assert room.subject
    assert [name for name, subject in room.files.items() if not subject] == []


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.folder)
def test_no_room_holds_more_files_than_a_reader_can_take_in(room: Room) -> None:
    assert len(room.files) <= MAX_SIBLINGS


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.folder)
def test_no_file_is_longer_than_a_subject_needs(room: Room) -> None:
    folder = code_map.ROOT / room.folder
    lines = {name: len((folder / name).read_text("utf-8").splitlines()) for name in room.files}
    long = {name: count for name, count in lines.items() if count > MAX_LINES and "versions" not in room.folder}
    assert long == {}


def test_the_map_is_the_codes_own_words() -> None:
    assert code_map.MAP.read_text("utf-8") == code_map.rendered_map(), "run `make map`"


def test_the_table_of_rooms_is_the_codes_own_words() -> None:
    text = code_map.ARCHITECTURE.read_text("utf-8")
    assert text == code_map.rendered_architecture(text), "run `make map`"
