"""What people see of dead letters, and how they acknowledge them."""

from __future__ import annotations

import pytest

from storage.uploads import dead_letters
from tests.fleet_api.api_server import Api
from tests.fleet_api.cli.conftest import Longtail


@pytest.fixture
def letters(api: Api) -> list[int]:
    """Ids of three open dead letters, oldest first."""
    with api.database.begin() as transaction:
        return [
            dead_letters.record(transaction, stage="gateway", reason="manifest_invalid", detail=f"number {number}")
            for number in range(3)
        ]


def test_letters_are_listed_with_their_reasons_newest_first(letters: list[int], longtail: Longtail) -> None:
    ids = [str(letter) for letter in letters[::-1]]
    shown = longtail("dead-letters", "list").out
    heading, *rows = shown.splitlines()
    assert heading.split()[:3] == ["id", "stage", "reason"]
    assert [row.split()[:3] for row in rows] == [[letter, "gateway", "manifest_invalid"] for letter in ids]
    assert "number 2" in rows[0]
    assert longtail("dead-letters", "list", "--ids", "--limit", "2").out.split() == ids[:2]
    assert longtail("dead-letters", "list", "--stage", "extraction").err == "no open dead letters\n"


def test_discarding_acknowledges_letters_and_works_once(letters: list[int], longtail: Longtail) -> None:
    first, second, third = letters
    shown = longtail("dead-letters", "discard", str(first), str(third))
    assert shown.out == f"dead letter {first} is discarded\ndead letter {third} is discarded\n"
    assert longtail("dead-letters", "list", "--ids").out == f"{second}\n"
    discarded = longtail("dead-letters", "list", "--json", "--state", "discarded").json()
    assert [(each["id"], each["reason"]) for each in discarded] == [
        (third, "manifest_invalid"),
        (first, "manifest_invalid"),
    ]
    again = longtail("dead-letters", "discard", str(first))
    assert again.status == 1 and "not open" in again.err
