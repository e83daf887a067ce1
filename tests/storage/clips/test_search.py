"""The catalog: pages that neither repeat nor hide, tokens that cannot be forged, a search that ends in time."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from storage.clips.details import get_clip
from storage.clips.properties import PATTERNS, sortable_names
from storage.clips.query import MAX_PAGE, ClipQuery
from storage.clips.records import CLIP_COLUMNS, Clip, ClipSummary, read_track
from storage.clips.search import FoundClips, search, search_summaries
from storage.database import Database
from tests.storage.clips.catalog_support import SECOND_NS, T_NS, add_clip, add_labels
from triggers.errors import InvalidInput, NotFound, Overloaded

CLIP = st.fixed_dictionaries(
    {
        "start_ns": st.integers(0, 3).map(lambda k: T_NS + k * SECOND_NS),
        "duration_s": st.sampled_from([1.0, 2.0]),
        "size_bytes": st.integers(1, 3),
        "vehicle_id": st.sampled_from(["car-1", "car-2"]),
        "ready_at": st.sampled_from([None, datetime(2026, 1, 5, 12, tzinfo=UTC), datetime(2026, 1, 6, tzinfo=UTC)]),
        "statistics": st.sampled_from([None, {"ego.speed": (0.0, 31.5, 0.1)}, {"ego.speed": (0.0, 0.1, None)}]),
        "attributes": st.sampled_from([{}, {"model": "b"}, {"model": "a\x1f"}, {"model": 0.1}, {"model": True}]),
        "fired": st.lists(st.sampled_from([("cut_in", "left"), ("braking", "hard")]), unique=True),
        "tags": st.sampled_from([[], ["rain"], ["night", "snow"]]),
        "place_cell": st.sampled_from([None, "871f8d5a2ffffff"]),
    }
)
WITH_NAMES = ("ego.speed.max", "ego.speed.samples", "vehicle.model")
SORTS = st.sampled_from(
    [sign + name for name in (*sortable_names(), *WITH_NAMES) if name not in PATTERNS for sign in ("", "-", "+")]
)


def searched(connection: Connection, **query: object) -> FoundClips:
    return search(connection, ClipQuery.parse(**query))  # type: ignore[arg-type]


def all_ids(connection: Connection, sortby: str, source: str | None) -> list[str]:
    """Every clip in one page."""
    return [clip.id for clip in searched(connection, filter_source=source, sortby=sortby, limit=1000).clips]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.lists(CLIP, max_size=12),
    between=st.lists(CLIP, max_size=4),
    sortby=SORTS,
    limit=st.integers(1, 5),
    source=st.sampled_from([None, "vehicle = 'car-1'"]),
)
def test_pages_together_are_one_query_whatever_comes_between_them(
    database: Database,
    before: list[dict[str, object]],
    between: list[dict[str, object]],
    sortby: str,
    limit: int,
    source: str | None,
) -> None:
    with database.begin() as connection:
        for table in ("signal_statistics", "clip_fires", "fires", "clips", "uploads"):
            connection.execute(text(f"DELETE FROM {table}"))
        for clip in before:
            add_clip(connection, **clip)  # type: ignore[arg-type]
        expected = all_ids(connection, sortby, source)
        found: list[str] = []
        token = None
        coming = list(between)
        while True:
            page = searched(connection, filter_source=source, sortby=sortby, limit=limit, token=token)
            found += [clip.id for clip in page.clips]
            token = page.next
            if token is None:
                break
            if coming:
                add_clip(connection, **coming.pop())  # type: ignore[arg-type]
        assert len(found) == len(set(found)), "nothing comes twice"
        assert [clip_id for clip_id in found if clip_id in expected] == expected, "nothing is left out or out of order"
        order = all_ids(connection, sortby, source)
        assert [clip_id for clip_id in order if clip_id in found] == found, "new clips come where they belong"


def _forged(*fields: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(list(fields)).encode()).decode().rstrip("=")


def test_a_forged_or_foreign_token_is_refused(database: Database) -> None:
    with database.begin() as connection:
        for _ in range(3):
            add_clip(connection)
        token = searched(connection, limit=1).next
        assert token is not None
        made_for, key, clip_id = json.loads(base64.urlsafe_b64decode(token + "=="))
        hostile = [
            "",
            "x",
            "é",
            "=" * 9,
            "A" * 4001,
            token[:-3],
            _forged(),
            _forged("x", key, clip_id),
            _forged(made_for, "1 OR 1=1", clip_id),
            _forged(made_for, 2**70, clip_id),
            _forged(made_for, True, clip_id),
            _forged(made_for, key, "'; --"),
            _forged(made_for, key, None),
            _forged([], key, clip_id),
            base64.urlsafe_b64encode(b"[" * 300).decode(),
        ]
        for forged in hostile:
            with pytest.raises(InvalidInput):
                searched(connection, limit=1, token=forged)
        for other in ({"sortby": "size_bytes"}, {"filter_source": "state = 'ready'"}):
            with pytest.raises(InvalidInput, match="another search"):
                searched(connection, limit=1, token=token, **other)


@pytest.mark.parametrize(
    ("sortby", "keys"),
    [
        ("start", [None, 1.5, "1", True, 2**63]),
        ("duration_s", [None, 1, "1.5", True]),
        ("vehicle", [None, 1, 1.5, "\x00", "\ud800"]),
        ("ready_at", [1.5, "1", False, -(2**63) - 1]),
        ("ego.speed.max", [1, "1.5", [], {}]),
        ("-trigger", [1, True, ["hard"]]),
        ("fire_time", ["hard", 1.5, True]),
        ("vehicle.model", [[], {}, {"model": 1}]),
    ],
)
def test_a_token_whose_key_is_not_of_the_orders_type_is_refused(sortby: str, keys: list[object]) -> None:
    query = ClipQuery.parse(sortby=sortby)
    for key in keys:
        with pytest.raises(InvalidInput, match="damaged"):
            ClipQuery.parse(sortby=sortby, token=_forged(query.fingerprint, key, "ab"))


def test_a_search_is_cancelled_at_its_time_limit(database: Database) -> None:
    with database.begin() as writer:
        writer.execute(text("LOCK TABLE clips IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(Overloaded) as refused, database.begin() as reader:
            search(reader, ClipQuery(), timeout_s=0.05)
    assert refused.value.message == "your search may take 0.05 s, and took longer"
    assert refused.value.retry_after_s == 1


def test_the_time_limit_holds_for_what_is_read_with_the_clips(database: Database) -> None:
    with database.begin() as connection:
        add_clip(connection)
    with database.begin() as writer:
        writer.execute(text("LOCK TABLE labels IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(Overloaded), database.begin() as reader:
            search(reader, ClipQuery(), timeout_s=0.05)
    with database.begin() as connection:
        assert len(search(connection, ClipQuery(), timeout_s=60).clips) == 1


def test_clips_of_a_wrong_clock_are_listed_by_when_they_were_stored(database: Database) -> None:
    stored = datetime.fromtimestamp(T_NS // SECOND_NS, UTC)
    with database.begin() as connection:
        early, late = (add_clip(connection, start_ns=T_NS + offset * SECOND_NS, stored_at=stored) for offset in (-9, 9))
        year_2262, year_1970 = (
            add_clip(connection, start_ns=start_ns, stored_at=stored, tags=["clock_implausible"])
            for start_ns in (2**63 - 10**11, 0)
        )
        listed = [clip.id for clip in searched(connection).clips]
        assert (listed[0], set(listed[1:3]), listed[3]) == (late, {year_1970, year_2262}, early)
        assert next(clip.id for clip in searched(connection, sortby="-start").clips) == year_2262
        wrong = searched(connection, filter_source="recorded > TIMESTAMP('2020-01-01T00:00:00Z') AND start_ns = 0")
        assert [clip.id for clip in wrong.clips] == [year_1970]


@pytest.mark.parametrize("sortby", ["tag", "-label", "vehicle.model"])
def test_a_page_can_end_after_the_longest_text_whatever_its_characters(database: Database, sortby: str) -> None:
    longest = "\U0001f697" * 200
    with database.begin() as connection:
        made = [add_clip(connection, tags=[longest], attributes={"model": longest}) for _ in range(3)]
        for clip_id in made:
            add_labels(connection, clip_id, longest * 3)
        found, token = [], None
        for _ in made:
            page = searched(connection, sortby=sortby, limit=1, token=token)
            found += [clip.id for clip in page.clips]
            token = page.next
    assert found == sorted(made, reverse=sortby.startswith("-"))
    assert token is None


@pytest.mark.parametrize(
    ("sortby", "groups"),
    [
        ("trigger", ["both", "hard", "left", "none"]),
        ("-trigger", ["left both", "hard", "none"]),
        ("tag", ["both hard", "none", "left"]),
        ("-tag", ["none", "both", "hard", "left"]),
        ("label", ["both", "left", "none hard"]),
        ("-label", ["left", "both", "none hard"]),
        ("label_count", ["none hard", "both left"]),
        ("vehicle.model", ["both", "left", "hard", "none"]),
        ("-vehicle.model", ["hard", "left", "both", "none"]),
    ],
)
def test_of_several_values_the_least_decides_upwards_and_the_greatest_downwards(
    database: Database, sortby: str, groups: list[str]
) -> None:
    """Equals are in one group; what lacks the property comes last."""
    made: dict[str, dict[str, Any]] = {
        "none": {"tags": ["snow"]},
        "left": {"fired": [("cut_in", "left")], "tags": [], "attributes": {"model": "b"}},
        "hard": {"fired": [("braking", "hard")], "tags": ["night"], "attributes": {"model": 10}},
        "both": {
            "fired": [("braking", "easy"), ("cut_in", "left")],
            "tags": ["night", "rain"],
            "attributes": {"model": "a"},
        },
    }
    with database.begin() as connection:
        ids = {name: add_clip(connection, **columns) for name, columns in made.items()}
        add_labels(connection, ids["both"], "car", "bicycle")
        add_labels(connection, ids["left"], "truck", "bus")
        found = [clip.id for clip in searched(connection, sortby=sortby).clips]
    assert found == [
        clip_id
        for group in groups
        for clip_id in sorted((ids[name] for name in group.split()), reverse=sortby.startswith("-"))
    ]


@pytest.mark.parametrize("sortby", ["", "-", "color", "--start", "start desc", "start,end"])
def test_only_listed_keys_sort(database: Database, sortby: str) -> None:
    with database.begin() as connection, pytest.raises(InvalidInput, match="sorted"):
        searched(connection, sortby=sortby)


@pytest.mark.parametrize("limit", [-1, 0, MAX_PAGE + 1, 10**9])
def test_limits_of_none_and_of_more_than_a_page_are_refused(database: Database, limit: int) -> None:
    with database.begin() as connection:
        add_clip(connection)
        assert len(searched(connection, limit=MAX_PAGE).clips) == 1
        with pytest.raises(InvalidInput, match=f"limit is {limit}"):
            searched(connection, limit=limit)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("start_ns < 9223372036854775808", True),
        ("start_ns > 5 AND start_ns < 1e30", True),
        ("start_ns BETWEEN 5 AND 9223372036854775807.5", True),
        ("start_ns > -9223372036854775809", True),
        ("start_ns < 9223372036854775807", False),
        ("start_ns >= 9223372036854775808", False),
    ],
)
def test_the_last_moment_that_64_bits_hold_is_before_any_larger_number(
    database: Database, source: str, found: bool
) -> None:
    with database.begin() as connection:
        last = add_clip(connection, start_ns=2**63 - 1, duration_s=0)
        clips = [clip.id for clip in searched(connection, filter_source=source).clips]
    assert clips == ([last] if found else [])


def test_a_clip_comes_with_everything_that_belongs_to_it(database: Database) -> None:
    with database.begin() as connection:
        clip_id = add_clip(
            connection,
            fired=[("braking", "hard"), ("cutin", "left")],
            statistics={"ego.speed": (0.0, 2.0, 1.0), "b": (None, None, None)},
            box=(11.0, 48.0, 11.5, 48.5),
        )
        details = get_clip(connection, clip_id)
        with pytest.raises(NotFound):
            get_clip(connection, "0" * 32)
    assert sorted(fire.trigger for fire in details.clip.fires) == ["hard", "left"]
    assert details.clip.box == (11.0, 48.0, 11.5, 48.5)
    assert [(row.signal, row.maximum) for row in details.statistics] == [("b", None), ("ego.speed", 2.0)]


def test_a_clip_longer_than_all_before_is_found_by_its_end(database: Database) -> None:
    """How long the longest one is, by which an end narrows the start, is remembered from one search to the next."""
    ends = "end >= TIMESTAMP('2026-01-05T12:59:00Z') AND end < TIMESTAMP('2026-01-05T13:01:00Z')"
    with database.begin() as connection:
        add_clip(connection, duration_s=10)
        assert searched(connection, filter_source=ends).clips == []
        hour = add_clip(connection, duration_s=3600)
        assert [clip.id for clip in searched(connection, filter_source=ends).clips] == [hour]
        assert [clip.id for clip in searched(connection, filter_source=ends, sortby="start").clips] == [hour]


def test_a_search_for_clips_in_short_finds_the_same_with_tracks_if_they_are_asked_for(database: Database) -> None:
    with database.begin() as connection:
        placed = add_clip(connection, box=(11.0, 48.0, 11.5, 48.25), fired=[("b", "x"), ("a", "x")], tags=["night"])
        nowhere = add_clip(connection, start_ns=T_NS - 1)
        add_labels(connection, placed, "truck", "car")
        clips_found = search(connection, ClipQuery.parse()).clips
        page = search_summaries(connection, ClipQuery.parse(limit=1), with_tracks=True)
        (first,) = page.clips
        (second,) = search_summaries(connection, ClipQuery.parse(token=page.next, limit=1), with_tracks=True).clips
        assert [first.id, second.id] == [placed, nowhere] == [clip.id for clip in clips_found]
        for short, clip in zip((first, second), clips_found, strict=True):
            assert (short.box, short.labels, short.stored_at) == (clip.box, clip.labels, clip.stored_at)
            assert short.fire_names == tuple(
                sorted({getattr(fire, of) for fire in clip.fires}) for of in ("campaign", "trigger")
            )
        assert (read_track(first.track), read_track(second.track)) == ([[48.0, 11.0], [48.25, 11.5]], ())
        assert {clip.track for clip in search_summaries(connection, ClipQuery.parse(), with_tracks=False).clips} == {
            None
        }


def test_a_clip_in_short_has_the_columns_of_a_clip_in_the_same_order_and_of_the_same_types() -> None:
    own, short = (list(get_type_hints(kind).items()) for kind in (Clip, ClipSummary))
    assert own[: len(CLIP_COLUMNS)] == short[: len(CLIP_COLUMNS)]
