"""Vehicles and tokens: who is known, and counts that only go forward, in whatever order reports come."""

from __future__ import annotations

import hashlib
import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from storage import tokens
from storage.database import Database
from storage.tables import api_tokens, fire_counts
from storage.tables import vehicles as vehicles_table
from storage.vehicles import vehicles
from tests.support.fleet import add_version
from triggers.contracts.checkin import FireCounts, Telemetry
from triggers.contracts.users import ROLES, User
from triggers.errors import InvalidInput, NotFound, Unauthenticated


def report(watermark: int, in_flight: int, at_ns: int) -> Telemetry:
    """Counts of `braking` with that many fires, those not in flight handed over."""
    counts = FireCounts(
        campaign="braking",
        version=1,
        watermark=watermark,
        suppressed=0,
        in_flight=in_flight,
        handed_over=watermark - in_flight,
        per_trigger={"hard": watermark},
    )
    return Telemetry(counts=(counts,), reported_at_ns=at_ns)


def prepare(database: Database) -> None:
    """A campaign and a vehicle."""
    with database.begin() as connection:
        add_version(connection, "braking")
        vehicles.enroll(connection, "car-1", {})


def test_a_report_is_news_once_and_only_forward(database: Database) -> None:
    prepare(database)
    reports = [(5, 5, 100), (5, 5, 100), (4, 0, 900), (5, 3, 50), (5, 4, 999), (5, 3, 60), (6, 6, 1)]
    news = []
    for each in reports:
        with database.begin() as connection:
            news.append(vehicles.record_counts(connection, "car-1", report(*each)))
    assert news == [1, 0, 0, 1, 0, 1, 1]


def test_reports_in_any_order_and_at_once_end_at_the_newest(database: Database) -> None:
    prepare(database)
    reports = [(watermark, in_flight, watermark) for watermark in range(8) for in_flight in range(watermark + 1)]
    random.Random(1).shuffle(reports)

    def send(each: tuple[int, int, int]) -> None:
        with database.begin() as connection:
            vehicles.record_counts(connection, "car-1", report(*each))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, reports))
    with database.begin() as connection:
        (row,) = connection.execute(select(fire_counts)).all()
    assert (row.watermark, row.in_flight, row.handed_over) == (7, 0, 7)


def test_a_count_that_falls_is_the_vehicles_problem_and_changes_no_count(database: Database) -> None:
    prepare(database)
    seen = []
    for each in [(40, 0, 100), (40, 0, 90), (39, 0, 80), (3, 3, 200), (7, 0, 300), (41, 0, 400)]:
        with database.begin() as connection:
            vehicles.record_counts(connection, "car-1", report(*each))
            seen.append(vehicles.get_vehicle(connection, "car-1").problems)
            assert vehicles.list_vehicles(connection)[0].problems == seen[-1]
    assert seen[:3] == [[], [], []], "reports that come late are no sign of a lost journal"
    assert "braking version 1 fell to 3 and is 40 here" in seen[3][0]
    assert "new id" in seen[3][0]
    assert seen[4] == seen[3]
    assert "fell to 3 and is 41 here" in seen[5][0]


def test_only_hashes_of_tokens_are_kept(database: Database) -> None:
    with database.begin() as connection:
        of_vehicle = vehicles.enroll(connection, "car-1", {})
        of_user = tokens.issue(connection, "ann", ["author"])
        kept = [
            connection.execute(select(vehicles_table.c.token_hash)).scalar_one(),
            connection.execute(select(api_tokens.c.token_hash)).scalar_one(),
        ]
        assert vehicles.authenticate_vehicle(connection, of_vehicle) == "car-1"
        assert tokens.authenticate(connection, of_user) == User("ann", frozenset({"author"}))
        for token, wrong in ((of_vehicle, tokens.authenticate), (of_user, vehicles.authenticate_vehicle)):
            with pytest.raises(Unauthenticated):
                wrong(connection, token)
    assert [bytes(each) for each in kept] == [hashlib.sha256(t.encode()).digest() for t in (of_vehicle, of_user)]
    assert all(len(each) == 46 for each in (of_vehicle, of_user))


@pytest.mark.parametrize("token", ["", "lt_", "x" * 46, "lt_" + "A" * 42, "lt_" + "A" * 44, "lt_" + "A" * 42 + "\n"])
def test_what_cannot_be_a_token_is_refused(database: Database, token: str) -> None:
    with database.begin() as connection:
        for check in (tokens.authenticate, vehicles.authenticate_vehicle):
            with pytest.raises(Unauthenticated):
                check(connection, token)


def test_revoked_tokens_end(database: Database) -> None:
    with database.begin() as connection:
        first, second, third = (tokens.issue(connection, user, ["viewer"]) for user in ("ann", "ann", "bob"))
        tokens.revoke(connection, first)
        with pytest.raises(NotFound):
            tokens.revoke(connection, first)
        assert tokens.revoke_user(connection, "ann") == 1
        for gone in (first, second):
            with pytest.raises(Unauthenticated):
                tokens.authenticate(connection, gone)
        assert tokens.authenticate(connection, third).name == "bob"


def test_roles_and_names_are_checked(database: Database) -> None:
    with database.begin() as connection:
        for user, roles in (("ann", ["king"]), ("ann", []), ("", ["viewer"]), ("a\nb", ["viewer"])):
            with pytest.raises(InvalidInput):
                tokens.issue(connection, user, roles)


def test_every_role_may_view_and_admin_may_all() -> None:
    assert User("a", frozenset({"labeler"})).may("viewer")
    assert not User("a", frozenset({"labeler"})).may("author")
    assert all(User("a", frozenset({"admin"})).may(role) for role in ROLES)


def test_hostile_enrolments_are_refused(database: Database) -> None:
    with database.begin() as connection:
        hostile = [
            ("", {}),
            ("a/b", {}),
            ("x" * 65, {}),
            ("car", {"a": "\x00"}),
            ("car", {"a": float("nan")}),
            ("car", {str(k): 1 for k in range(101)}),
            ("car", {"a": [1]}),
        ]
        for vehicle_id, attributes in hostile:
            with pytest.raises(InvalidInput):
                vehicles.enroll(connection, vehicle_id, attributes)  # type: ignore[arg-type]
