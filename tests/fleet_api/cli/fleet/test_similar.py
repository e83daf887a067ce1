"""`longtail clips similar`: what it lists, by beginnings of ids, and what it says when there is nothing."""

from __future__ import annotations

import csv

import pytest

from tests.fleet_api.api_server import Api
from tests.fleet_api.cli.conftest import Longtail
from tests.storage.clips.catalog_support import add_clip
from tests.storage.likeness.likeness_support import add_vector
from triggers.likeness.version import DIMENSIONS, EMBEDDING_ID


@pytest.fixture
def made(api: Api) -> list[str]:
    found = []
    with api.database.begin() as connection:
        for place, other in ((0, 0.0), (0, 0.1), (5, 0.0)):
            clip_id = add_clip(connection, fired=[("braking", "hard")])
            vector = [{place: 1.0, place + 1: other}.get(each, 0.0) for each in range(DIMENSIONS)]
            add_vector(connection, clip_id, vector, EMBEDDING_ID)
            found.append(clip_id)
    return found


def test_similar_clips_are_listed_with_their_distances(longtail: Longtail, made: list[str]) -> None:
    shown = longtail("clips", "similar", made[0])
    assert shown.err == ""
    listed = shown.out.splitlines()
    assert listed[0].split()[:3] == ["id", "distance", "state"]
    assert [line.split()[:2] for line in listed[1:]] == [[made[1], "0.005"], [made[2], "1"]]
    assert longtail("clips", "similar", made[0], "--limit", "1", "--ids").out.split() == [made[1]]
    exact = csv.DictReader(longtail("clips", "similar", made[0], "--csv").out.splitlines())
    in_full = [clip["distance"] for clip in longtail("clips", "similar", made[0], "--json").json()]
    assert [float(row["distance"]) for row in exact] == in_full and in_full[0] not in (0.005, round(in_full[0], 4))
    given = ("--like", made[1], "--unlike", made[2], "--filter", "trigger = 'soft'")
    assert "no clip matches" in longtail("clips", "similar", made[0], *given).err


def test_a_filter_may_have_units_and_times_as_in_a_search(longtail: Longtail, made: list[str]) -> None:
    for written, found in (("duration_s < 1 min", made[1:]), ("duration_s > 1 min", []), ("start < now", made[1:])):
        shown = longtail("clips", "similar", made[0], "--filter", written, "--ids")
        assert (shown.status, shown.out.split()) == (0, found), shown.err
