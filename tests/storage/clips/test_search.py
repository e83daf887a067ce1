"""The catalog: pages that neither repeat nor hide, tokens that cannot be forged into anything, one clip whole."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from storage.clips import search as catalog
from storage.database import Database
from tests.storage.clips.catalog_support import SECOND_NS, T_NS, add_clip
from triggers.errors import InvalidInput, NotFound

CLIP = st.fixed_dictionaries(
    {
        "start_ns": st.integers(0, 3).map(lambda k: T_NS + k * SECOND_NS),
        "duration_s": st.sampled_from([1.0, 2.0]),
        "size_bytes": st.integers(1, 3),
        "vehicle_id": st.sampled_from(["car-1", "car-2"]),
    }
)
SORTS = st.sampled_from([sign + key for key in catalog.SORT_KEYS for sign in ("", "-", "+")])


def all_ids(connection: Connection, sortby: str, source: str | None) -> list[str]:
    """Every clip in one page."""
    return [clip.id for clip in catalog.search(connection, filter_source=source, sortby=sortby, limit=1000).clips]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
        connection.execute(text("DELETE FROM clips"))
        connection.execute(text("DELETE FROM uploads"))
        for clip in before:
            add_clip(connection, **clip)  # type: ignore[arg-type]
        expected = all_ids(connection, sortby, source)
        found: list[str] = []
        token = None
        coming = list(between)
        while True:
            page = catalog.search(connection, filter_source=source, sortby=sortby, limit=limit, token=token)
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
        token = catalog.search(connection, limit=1).next
        assert token is not None
        made_for, key, clip_id = json.loads(base64.urlsafe_b64decode(token + "=="))
        hostile = [
            "",
            "x",
            "é",
            "=" * 9,
            "A" * 600,
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
        for each in hostile:
            with pytest.raises(InvalidInput):
                catalog.search(connection, limit=1, token=each)
        for other in ({"sortby": "size_bytes"}, {"filter_source": "state = 'ready'"}):
            with pytest.raises(InvalidInput, match="another search"):
                catalog.search(connection, limit=1, token=token, **other)


@pytest.mark.parametrize("sortby", ["", "-", "color", "--start", "start desc", "start,end"])
def test_only_listed_keys_sort(database: Database, sortby: str) -> None:
    with database.begin() as connection, pytest.raises(InvalidInput, match="sorted"):
        catalog.search(connection, sortby=sortby)


def test_limits_are_clamped_above_and_refused_below(database: Database) -> None:
    with database.begin() as connection:
        add_clip(connection)
        assert len(catalog.search(connection, limit=10**9).clips) == 1
        with pytest.raises(InvalidInput):
            catalog.search(connection, limit=0)


def test_a_clip_comes_with_everything_that_belongs_to_it(database: Database) -> None:
    with database.begin() as connection:
        clip_id = add_clip(
            connection,
            fired=[("braking", "hard"), ("cutin", "left")],
            statistics={"ego.speed": (0.0, 2.0, 1.0), "b": (None, None, None)},
            box=(11.0, 48.0, 11.5, 48.5),
        )
        details = catalog.get_clip(connection, clip_id)
        with pytest.raises(NotFound):
            catalog.get_clip(connection, "0" * 32)
    assert sorted(fire.trigger for fire in details.clip.fires) == ["hard", "left"]
    assert details.clip.box == (11.0, 48.0, 11.5, 48.5)
    assert [(each.signal, each.maximum) for each in details.statistics] == [("b", None), ("ego.speed", 2.0)]
