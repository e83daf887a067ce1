"""Usage: what is counted in which transaction, that nobody waits for anybody, and that what is wrong is found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from storage import usage
from storage.counts.outcomes import outcomes
from storage.database import Database
from storage.diagnosis.usage import usage_that_differs
from storage.erasure import vehicles as erasure
from storage.usage import Span, UsageQuery, UsageRow
from storage.vehicles import quarantine
from tests.support.fleet import charged_manifest
from tests.support.used import counts, open_upload, report, store, use
from triggers.contracts.api.usage.answers import UsageKey
from triggers.errors import InvalidInput

NOON = datetime(2026, 5, 17, 12, 30, tzinfo=UTC)


def asked(database: Database, *by: UsageKey) -> list[UsageRow]:
    now = datetime.now(UTC)
    span = Span.over(now - timedelta(days=2), now, by_hour="hour" in by, now=now)
    with database.begin() as connection:
        return usage.ask(connection, UsageQuery(by, span))


def test_clips_count_once_at_every_level_and_bytes_by_who_pays_for_them(database: Database) -> None:
    use(database)
    (whole,) = asked(database)
    assert (whole.clips, whole.kept_fires, whole.clip_bytes, whole.wire_bytes) == (2, 3, 57, 64)
    assert (whole.fires, whole.suppressed, whole.armed_ns, whole.distance_m) == (3, 6, 7200 * 10**9, 1500)
    assert [(row.key, row.clips, row.clip_bytes, row.wire_bytes) for row in asked(database, "campaign", "network")] == [
        (("braking", ""), 0, 0, 0),
        (("braking", "wifi"), 1, 30, 30),
        (("lanes", "cellular"), 1, 7, 14),
        (("lanes", "wifi"), 1, 20, 20),
    ]
    assert [(row.key, row.clips) for row in asked(database, "region", "model")] == [(("", ""), 1), (("eu", "m1"), 1)]


def test_what_is_rolled_back_is_counted_nowhere(database: Database) -> None:
    use(database)
    before = asked(database)
    with database.begin() as connection, pytest.raises(RuntimeError), connection.begin_nested():
        upload_id = open_upload(connection, charged_manifest({"braking": 5}))
        usage.add_received(connection, {upload_id: 5})
        store(connection, upload_id)
        report(connection, "car-1", counts(9))
        raise RuntimeError
    assert asked(database) == before


def test_clips_of_one_campaign_are_counted_while_others_are_and_while_sums_are_folded(database: Database) -> None:
    use(database)
    with database.begin() as connection:
        first, second = (open_upload(connection, charged_manifest({"braking": 5})) for _ in range(2))
    with database.begin() as one, database.begin() as folding, database.begin() as other:
        usage.add_received(one, {first: 5})
        store(one, first)
        assert usage.fold(folding) > 0
        other.execute(text("SET LOCAL lock_timeout = '100ms'"))
        usage.add_received(other, {second: 5})
        usage.add_stored(other, [second])
        assert usage.fold(other) == 0, "another transaction folds"


def test_the_sums_are_of_one_moment_whatever_is_folded(database: Database) -> None:
    use(database)
    before = asked(database, "campaign", "version", "trigger", "region", "model", "network", "hour")
    with database.begin() as connection:
        while usage.fold(connection, 2):
            pass
    assert asked(database, "campaign", "version", "trigger", "region", "model", "network", "hour") == before


def test_late_repeated_and_reordered_reports_count_once(database: Database) -> None:
    use(database)
    with database.begin() as connection:
        newest = counts(8, armed_ns=9, distance_m=2000)
        assert report(connection, "car-1", newest, at_ns=5) == 1
        for late in (newest, counts(5, armed_ns=8), counts(8, armed_ns=1)):
            assert report(connection, "car-1", late, at_ns=5) == 0
    (whole,) = asked(database)
    assert (whole.fires, whole.suppressed, whole.distance_m) == (8, 16, 2000)


def test_a_vehicle_that_moves_takes_nothing_with_it(database: Database) -> None:
    use(database)
    with database.begin() as connection:
        connection.execute(text("UPDATE vehicles SET attributes = '{\"region\": \"us\"}' WHERE id = 'car-1'"))
        report(connection, "car-1", counts(8), at_ns=5)
    fires = {row.key: row.fires for row in asked(database, "region")}
    assert fires == {("",): 0, ("eu",): 3, ("us",): 5}


def test_voided_counts_are_corrected_where_they_were_counted_and_stay_out_after_an_erasure(database: Database) -> None:
    use(database)
    with database.begin() as connection:
        quarantine.void_counts(connection, "car-1", reason="junk", by="ann")
        report(connection, "car-1", counts(9), at_ns=9)
    (whole,) = asked(database)
    assert (whole.fires, whole.armed_ns, whole.clip_bytes) == (0, 0, 57)
    with database.begin() as connection:
        quarantine.restore_counts(connection, "car-1", reason="not junk", by="ann")
    assert asked(database)[0].fires == 9
    with database.begin() as connection:
        quarantine.void_counts(connection, "car-1", reason="junk", by="ann")
        erasure.request(connection, "car-1", reason="a test", by="ann")
    while not finished(database):
        pass
    with database.begin() as connection:
        assert usage_that_differs(connection) == []
        assert outcomes(connection) == {}, "of a vehicle whose counts were in no sum"
    (whole,) = asked(database)
    assert (whole.fires, whole.clip_bytes, whole.wire_bytes) == (0, 57, 64), "what its clips used was used"


def test_what_a_vehicle_reported_less_of_after_it_moved_is_no_difference_once_it_is_erased(database: Database) -> None:
    """It lost its journal and drove 10 m less than it had said, elsewhere: there the sum is below nothing."""
    use(database)
    with database.begin() as connection:
        report(connection, "car-2", counts(1, distance_m=7), at_ns=1)
        connection.execute(text("UPDATE vehicles SET attributes = '{\"region\": \"us\"}' WHERE id = 'car-1'"))
        report(connection, "car-1", counts(3, armed_ns=7200 * 10**9, distance_m=1490), at_ns=5)
        assert usage_that_differs(connection) == []
        erasure.request(connection, "car-1", reason="a test", by="ann")
    while not finished(database):
        pass
    distances = {row.key: row.distance_m for row in asked(database, "region")}
    assert distances == {("",): 7, ("eu",): 1500, ("us",): -10}
    with database.begin() as connection:
        assert usage_that_differs(connection) == []
        connection.execute(text("UPDATE fire_counts SET distance_m = distance_m + 1 WHERE vehicle_id = 'car-2'"))
        assert usage_that_differs(connection), "the totals are compared all the same"


def finished(database: Database) -> bool:
    with database.begin() as connection:
        return erasure.go_on(connection) is None


BREAKAGES = {
    "an increment is lost": "DELETE FROM usage_increments WHERE id = (SELECT max(id) FROM usage_increments)",
    "a byte too many by hour": "UPDATE usage_hours SET clip_bytes = clip_bytes + 1",
    "a byte too few by day": "UPDATE usage_days SET wire_bytes = wire_bytes - 1",
    "a day is gone": "DELETE FROM usage_days",
    "counted under another region": "UPDATE usage_series SET region = 'asia'",
    "a clip is counted that was not stored": "UPDATE uploads SET state = 'failed' WHERE network = 'wifi'",
    "bytes came that are not counted": "UPDATE upload_hours SET received_bytes = received_bytes + 1000",
    "a report is not counted": "UPDATE fire_counts SET armed_ns = armed_ns + 1",
    "fires are charged differently": "UPDATE clip_fires SET charged_bytes = charged_bytes + 1",
}


@pytest.mark.parametrize("name", BREAKAGES)
def test_what_is_not_as_it_was_counted_is_found(database: Database, name: str) -> None:
    use(database)
    with database.begin() as connection:
        assert usage_that_differs(connection) == []
        assert connection.execute(text(BREAKAGES[name])).rowcount
        assert usage_that_differs(connection)


@pytest.mark.parametrize(
    ("since", "until", "days", "hours"),
    [
        (NOON - timedelta(minutes=1), NOON, 0, 1),
        (NOON - timedelta(hours=1), NOON + timedelta(hours=1), 0, 3),
        (NOON - timedelta(days=1), NOON, 0, 25),
        (NOON - timedelta(days=2), NOON, 1, 25),
        (datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 17, tzinfo=UTC), 16, 0),
        (NOON - timedelta(days=4000), NOON - timedelta(days=3990), 11, 0),
    ],
)
def test_a_span_is_of_whole_days_and_of_the_hours_around_them(
    since: datetime, until: datetime, days: int, hours: int
) -> None:
    span = Span.over(since, until, by_hour=False, now=NOON)
    assert (span.last_day - span.first_day) == timedelta(days=days)
    assert (span.until - span.since) == timedelta(days=days, hours=hours)
    assert span.since <= since < until <= span.until


def test_a_span_that_has_no_time_or_no_hours_is_refused() -> None:
    with pytest.raises(InvalidInput, match="not after"):
        Span.over(NOON, NOON, by_hour=False, now=NOON)
    with pytest.raises(InvalidInput, match="sums by hour begin at 2025-04-13"):
        Span.over(NOON - timedelta(days=500), NOON, by_hour=True, now=NOON)


def test_hours_are_deleted_when_they_are_old_and_their_days_stay(database: Database) -> None:
    use(database)
    with database.begin() as connection:
        usage.fold(connection)
        assert usage.forget_hours(connection) == 0
        for table, column in (("usage_hours", "hour"), ("usage_days", "day"), ("upload_hours", "hour")):
            connection.execute(text(f"UPDATE {table} SET {column} = {column} - interval '500 days'"))
        connection.execute(text("UPDATE uploads SET closed_at = closed_at - interval '500 days'"))
        assert usage.forget_hours(connection) > 0
        assert usage_that_differs(connection) == []
        now = datetime.now(UTC)
        span = Span.over(now - timedelta(days=600), now - timedelta(days=400), by_hour=False, now=now)
        (row,) = usage.ask(connection, UsageQuery((), span))
    assert (row.clip_bytes, row.fires) == (57, 3)
