"""Dead letters: written once for what they are about, listed newest first, discarded once."""

from __future__ import annotations

import pytest

from storage.database import Database
from storage.uploads import dead_letters
from triggers.errors import Conflict, InvalidInput, NotFound

pytestmark = pytest.mark.integration


def test_the_same_upload_or_object_has_one_letter_and_everything_else_one_each(database: Database) -> None:
    with database.begin() as connection:
        by_upload = [
            dead_letters.record(connection, stage="assembler", reason="r", detail=d, upload_id="u") for d in ("1", "2")
        ]
        by_object = [
            dead_letters.record(connection, stage="assembler", reason="r", detail="d", object_key="k") for _ in range(2)
        ]
        neither = [dead_letters.record(connection, stage="gateway", reason="r", detail="d") for _ in range(2)]
        letters = dead_letters.listing(connection)
    assert by_upload[0] == by_upload[1]
    assert by_object[0] == by_object[1]
    assert neither[0] != neither[1]
    assert len(letters) == 4
    assert [letter.detail for letter in letters if letter.upload_id] == ["1"]


def test_letters_are_listed_newest_first_page_by_page(database: Database) -> None:
    with database.begin() as connection:
        ids = [dead_letters.record(connection, stage="gateway", reason="r", detail=str(i)) for i in range(5)]
        first = dead_letters.listing(connection, limit=2)
        second = dead_letters.listing(connection, limit=10, before_id=first[-1].id)
        assert dead_letters.listing(connection, stage="extraction") == []
    assert [letter.id for letter in first + second] == ids[::-1]


def test_a_discarded_letter_loses_its_manifest_and_leaves_the_list(database: Database) -> None:
    with database.begin() as connection:
        letter = dead_letters.record(
            connection, stage="gateway", reason="r", detail="d", manifest=b"{}", object_key="dead-letters/x"
        )
        assert dead_letters.get(connection, letter)[1] == b"{}"
        assert dead_letters.count_open(connection) == {"r": 1}
        assert dead_letters.discard(connection, letter) == "dead-letters/x"
        assert dead_letters.listing(connection) == []
        kept, manifest = dead_letters.get(connection, letter)
    assert (kept.state, manifest) == ("discarded", None)
    with database.begin() as connection, pytest.raises(Conflict):
        dead_letters.discard(connection, letter)


def test_what_text_cannot_hold_does_not_keep_a_letter_from_being_written(database: Database) -> None:
    with database.begin() as connection:
        letter = dead_letters.record(connection, stage="gateway", reason="r", detail="a\x00b\ud800" + "x" * 9000)
        detail = dead_letters.get(connection, letter)[0].detail
    assert detail.startswith("a\ufffdb?x")
    assert len(detail) == dead_letters.MAX_DETAIL_CHARACTERS


def test_unknown_letters_and_absurd_limits_are_refused(database: Database) -> None:
    with database.begin() as connection:
        with pytest.raises(NotFound):
            dead_letters.get(connection, 1)
        with pytest.raises(InvalidInput, match="limit"):
            dead_letters.listing(connection, limit=0)
