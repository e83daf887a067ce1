"""Near duplicates: marked when they arrive, told apart by trigger, place and time, and passed over by label jobs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select, text

from storage.clips.query import ClipQuery
from storage.clips.search import search
from storage.database import Database
from storage.erasure import clips as erasure
from storage.labels import jobs as label_jobs
from storage.likeness import duplicates, embeddings
from storage.tables import clips
from storage.tables.erasure import ErasureCause
from tests.storage.clips.catalog_support import T_NS
from tests.storage.likeness.likeness_support import EMBEDDING, clip_with

pytestmark = pytest.mark.integration
HERE = (11.000, 48.000, 11.002, 48.002)
DAY_NS = 86_400 * 10**9
Arrive = Callable[..., str]


@pytest.fixture
def arrive(database: Database) -> Arrive:
    """A clip arrives, gets its vector, and it is decided whether it is a duplicate."""

    def one(
        vector: tuple[float, float] = (1, 0), *, distance: float = 0.03, trigger: str = "hard", **values: object
    ) -> str:
        given = {"box": HERE, "fired": [("braking", trigger)], **values}
        with database.begin() as connection:
            clip_id = clip_with(connection, vector, **given)
            embedding = embeddings.named(connection, EMBEDDING)
            duplicates.mark(connection, clip_id, embedding, vector, distance=distance)
            label_jobs.ensure(connection, clip_id, "auto")
        return clip_id

    return one


def original_of(database: Database, clip_id: str) -> str | None:
    with database.begin() as connection:
        return connection.execute(select(clips.c.duplicate_of).where(clips.c.id == clip_id)).scalar_one()


def test_a_clip_that_is_almost_the_same_is_marked_found_by_filters_and_not_labeled(
    database: Database, arrive: Arrive
) -> None:
    first, other = arrive(), arrive((0, 1))
    second, third = arrive((1, 0.01)), arrive((1, 0.02))
    assert [original_of(database, each) for each in (first, other, second, third)] == [None, None, first, first]
    with database.begin() as connection:
        found = search(connection, ClipQuery.parse(filter_source=f"duplicate_of = '{first}'", sortby="id"))
        assert [clip.id for clip in found.clips] == sorted([second, third])
        own = search(connection, ClipQuery.parse(filter_source="duplicate_of IS NULL", sortby="id"))
        assert [clip.id for clip in own.clips] == sorted([first, other])
        claim = {"user": "u", "task": "auto", "labeler": "l", "count": 10, "lease_s": 60}
        assert [job.clip_id for job in label_jobs.claim(connection, **claim)] == [first, other]
        assert [job.clip_id for job in label_jobs.claim(connection, **claim)] == []
        assert [job.clip_id for job in label_jobs.claim(connection, **claim, duplicates=True)] == [second, third]


@pytest.mark.parametrize(
    "values",
    [
        {"trigger": "soft"},
        {"start_ns": T_NS + 8 * DAY_NS},
        {"box": (11.02, 48.0, 11.022, 48.002)},
        {"box": (11.0, 48.02, 11.002, 48.022)},
        {"box": None},
        {"box": (179.9, 48.0, -179.9, 48.002)},
        {"vector": (1, 0.5)},
        {"distance": 0},
    ],
    ids=str,
)
def test_another_trigger_time_place_or_course_is_no_duplicate(
    database: Database, arrive: Arrive, values: dict[str, object]
) -> None:
    arrive()
    clip_id = arrive(values.pop("vector", (1, 0)), **values)
    assert original_of(database, clip_id) is None


def test_the_same_within_days_and_a_kilometre_is_a_duplicate(database: Database, arrive: Arrive) -> None:
    first = arrive()
    later = arrive(start_ns=T_NS + 6 * DAY_NS, box=(11.01, 48.005, 11.012, 48.007), vehicle_id="car-2")
    assert original_of(database, later) == first


def test_deciding_again_changes_its_mind_and_makes_no_chains(database: Database, arrive: Arrive) -> None:
    first, second = arrive(), arrive((1, 0.01))
    with database.begin() as connection:
        embedding = embeddings.named(connection, EMBEDDING)
        assert duplicates.mark(connection, first, embedding, (1, 0), distance=0.03) is None, "nothing is earlier"
        assert duplicates.mark(connection, second, embedding, (0, 1), distance=0.03) is None, "its vector is another"
        claim = {"user": "u", "task": "auto", "labeler": "l", "count": 10, "lease_s": 60}
        assert [job.clip_id for job in label_jobs.claim(connection, **claim)] == [first, second]


def test_once_the_original_is_erased_its_duplicates_are_their_own_again(database: Database, arrive: Arrive) -> None:
    first, second = arrive(), arrive()
    with database.begin() as connection:
        erasure.erase(connection, [first], ErasureCause.ERASED, reason="asked", by="olga")
    assert original_of(database, second) is None
    with database.begin() as connection:
        (job,) = label_jobs.claim(connection, user="u", task="auto", labeler="l", count=10, lease_s=60)
        assert job.clip_id == second
        erasure.erase(connection, [second], ErasureCause.ERASED, reason="asked", by="olga")
        assert connection.execute(text("SELECT count(*) FROM clip_vectors")).scalar_one() == 0
