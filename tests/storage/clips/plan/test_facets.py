"""Facets read each clip, each of its fires and each of its labels once, by an index, whatever is asked for together."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, func, select

from storage.clips.facets import DEFAULT_BY, parse_by
from storage.clips.facets.spread import spreads
from storage.tables import clip_fires, clips, labels
from tests.storage.clips.plan.explained import explain_statements

pytestmark = pytest.mark.integration

LOOKED_AT = 300


@pytest.fixture
def newest(connection: Connection) -> list[str]:
    ids = select(clips.c.id).order_by(clips.c.recorded_ns.desc()).limit(LOOKED_AT)
    return list(connection.execute(ids).scalars())


def test_each_row_is_read_once_for_all_properties(connection: Connection, newest: list[str]) -> None:
    def rows(column: object) -> int:
        of_them = select(func.count()).where(column.in_(newest))  # type: ignore[attr-defined]
        return int(connection.execute(of_them).scalar_one())

    there_are = LOOKED_AT + rows(clip_fires.c.clip_id) + rows(labels.c.clip_id)
    asked = parse_by(f"{DEFAULT_BY},labeler,fire_time,inclusion_probability,duration_s,size_bytes,start:week")
    found = explain_statements(connection, lambda: spreads(connection, newest, asked))
    assert found.whole_tables == set()
    assert found.visited == pytest.approx(there_are, abs=0.01 * LOOKED_AT), "EXPLAIN gives rows per loop, rounded"
    assert {"pk_clips", "pk_clip_fires"} <= found.indexes
