"""Enrolment: a vehicle's attributes and token, and how they are replaced."""

from __future__ import annotations

import pytest

from storage.database import Database
from storage.vehicles import queries
from storage.vehicles.authentication import authenticate_vehicle
from storage.vehicles.check_in import check_in
from storage.vehicles.enrolment import enrol, revoke, rotate
from triggers.contracts.api.vehicles import EnrolRequest
from triggers.contracts.checkin import CheckIn
from triggers.errors import Conflict, InvalidInput, NotFound, Unauthenticated


def test_attributes_given_at_enrolment_win_wherever_they_are_read(database: Database) -> None:
    merged = {"region": "EU", "hardware": 4, "fleet": True}
    report = CheckIn(attributes={"region": "US", "hardware": 4}, vehicle_time_ns=1)
    with database.begin() as connection:
        enrol(connection, "car-1", {"region": "EU", "fleet": True})
        own = {"region": "EU", "fleet": True}
        assert check_in(connection, "car-1", report).attributes == own, "targets do not test what it reports"
        assert queries.get_vehicle(connection, "car-1").attributes == merged
        assert queries.list_vehicles(connection)[0].attributes == merged


def test_enrolling_again_keeps_attributes_replaces_the_token_and_ends_a_revocation(database: Database) -> None:
    with database.begin() as connection:
        former = enrol(connection, "car-1", {"region": "EU"}).token
        revoke(connection, "car-1")
        with pytest.raises(NotFound):
            revoke(connection, "car-1")
        with pytest.raises(Conflict, match="enrolled already"):
            enrol(connection, "car-1", {})
        latter = enrol(connection, "car-1", {"hardware": 4}, replace=True).token
        assert authenticate_vehicle(connection, latter) == "car-1"
        with pytest.raises(Unauthenticated):
            authenticate_vehicle(connection, former)
        vehicle = queries.get_vehicle(connection, "car-1")
    assert (vehicle.attributes, vehicle.revoked_at) == ({"region": "EU", "hardware": 4}, None)


@pytest.mark.parametrize(
    "body",
    [
        b'{"id": ""}',
        b'{"id": "a/b"}',
        b'{"id": "%s"}' % (b"x" * 65),
        b'{"id": "car", "attributes": {"a": NaN}}',
        b'{"id": "car", "attributes": {"a": [1]}}',
        b'{"id": "car", "attributes": {%s}}' % b", ".join(b'"%d": 1' % number for number in range(101)),
    ],
)
def test_hostile_enrolments_are_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        EnrolRequest.from_json(body, what="the body")


def test_attributes_that_cannot_be_stored_are_refused(database: Database) -> None:
    with database.begin() as connection, pytest.raises(InvalidInput, match="the attributes"):
        enrol(connection, "car", {"a": "\x00"})


def test_a_rotated_token_ends_when_its_successor_is_used_and_an_answer_that_was_lost_locks_nobody_out(
    database: Database,
) -> None:
    with database.begin() as connection:
        first = enrol(connection, "car-1", {}, ttl_s=1000)
        lost = rotate(connection, "car-1", ttl_s=2000)
        second = rotate(connection, "car-1", ttl_s=2000)
        assert (second.expires_at - second.renew_at).total_seconds() == 1000
        assert authenticate_vehicle(connection, first.token) == "car-1"
        with pytest.raises(Unauthenticated):
            authenticate_vehicle(connection, lost.token)
        assert authenticate_vehicle(connection, first.token) == "car-1", "nobody has used the successor yet"
        assert authenticate_vehicle(connection, second.token) == "car-1"
        with pytest.raises(Unauthenticated):
            authenticate_vehicle(connection, first.token)
        rotate(connection, "car-1", ttl_s=2000)
        assert authenticate_vehicle(connection, second.token) == "car-1"
        revoke(connection, "car-1")
        with pytest.raises(Unauthenticated):
            authenticate_vehicle(connection, second.token)
        with pytest.raises(NotFound):
            rotate(connection, "car-1", ttl_s=1)


def test_enrolling_again_ends_both_tokens_of_a_rotation(database: Database) -> None:
    with database.begin() as connection:
        first = enrol(connection, "car-1", {})
        second = rotate(connection, "car-1", ttl_s=100)
        enrol(connection, "car-1", {}, replace=True)
        for issued in (first, second):
            with pytest.raises(Unauthenticated):
                authenticate_vehicle(connection, issued.token)
