"""A vehicle with nothing new to tell is answered from memory, and everything that changes is noticed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, text

from ingest.http.bounds.buckets import Buckets
from storage.tokens import token_hash
from tests.fleet_api.api_server import Api, campaign_text

TOLD = {"attributes": {"hardware": 4}, "software": {"agent": "1"}, "problems": ["no camera"]}


@contextmanager
def statements(api: Api) -> Iterator[list[str]]:
    """The SQL that the application runs meanwhile, without what `tests.support.process_roles` adds."""
    ran: list[str] = []
    engine = api.app.state.services.vehicle_database.engine

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith("SET LOCAL ROLE"):
            ran.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield ran
    finally:
        event.remove(engine, "before_cursor_execute", note)


def settled(api: Api, **enrolled: Any) -> tuple[dict[str, str], str]:
    """A vehicle that follows its list, and the list's digest."""
    api.activate(campaign_text())
    vehicle = api.enrol(**enrolled)
    digest = api.open_list(api.check_in(vehicle, **TOLD)).content_digest
    assert api.check_in(vehicle, have=digest, **TOLD).status_code == 304
    return vehicle, digest


def test_a_vehicle_with_nothing_new_to_tell_needs_no_transaction_of_its_own(api: Api) -> None:
    vehicle, digest = settled(api)
    with statements(api) as ran:
        assert api.check_in(vehicle, have=digest, **TOLD).status_code == 304
    assert len(ran) == 1 and "assignment_revision" in ran[0], "only the revisions are read, which all check-ins share"


@pytest.mark.parametrize(
    "change",
    [{"attributes": {"hardware": 5}}, {"software": {"agent": "2"}}, {"problems": []}, {"revision": 1}],
)
def test_what_a_vehicle_has_new_to_tell_is_stored(api: Api, change: dict[str, Any]) -> None:
    vehicle, digest = settled(api)
    with statements(api) as ran:
        assert api.check_in(vehicle, have=digest, **(TOLD | change)).status_code == 304
    assert any("UPDATE vehicles" in statement for statement in ran)


def test_a_changed_set_of_campaigns_is_noticed(api: Api) -> None:
    vehicle, digest = settled(api)
    api.post("/v1/campaigns/braking/1/pause", {}, "admin")
    assert api.open_list(api.check_in(vehicle, have=digest, **TOLD)).assignments == ()


def test_who_tells_something_new_again_and_again_is_told_to_wait_and_no_other_vehicle_is(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    vehicle, digest = settled(api)
    neighbour = api.enrol("car-2")
    rarely = replace(api.app.state.services, whole_check_ins=Buckets(0.4))
    monkeypatch.setattr(api.app.state, "services", rarely)
    assert [api.check_in(vehicle).status_code for _ in range(2)] == [200, 200]
    refused = api.check_in(vehicle)
    assert refused.status_code == 429 and int(refused.headers["retry-after"]) >= 1
    assert "2 at once" in refused.json()["detail"]
    assert api.check_in(vehicle, have=digest, **TOLD).status_code == 429, "what it told last was something else"
    assert api.client.post("/v1/vehicles/car-2/check-in", json={"vehicle_time_ns": 1}, headers=neighbour).is_success


@pytest.mark.parametrize("how", ["revoked", "enrolled again", "erased"])
def test_a_vehicle_that_is_shut_out_is_noticed(api: Api, how: str) -> None:
    vehicle, digest = settled(api)
    operator = api.as_client("operator").vehicles
    if how == "revoked":
        operator.revoke("car-1")
    elif how == "erased":
        operator.erase("car-1", reason="a test")
    else:
        operator.enrol("car-1", replace=True)
    assert api.check_in(vehicle, have=digest, **TOLD).status_code == 401


def test_a_stage_of_a_rollout_is_noticed(api: Api) -> None:
    api.activate(campaign_text("rollout 1 % for 1 h, 100 %"))
    vehicle = api.enrol()
    digest = api.open_list(api.check_in(vehicle)).content_digest
    assert api.check_in(vehicle, have=digest).status_code == 304
    known = api.app.state.services.known.find(token_hash(vehicle["Authorization"].removeprefix("Bearer ")), "car-1")
    with api.database.begin() as connection:
        now_ns = connection.execute(text("SELECT extract(epoch FROM now()) * 1000000000")).scalar_one()
    assert 0 < known.until_ns - now_ns <= 3600 * 10**9


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Authorization": "Bearer lt_" + "x" * 43}, 401), ({"Content-Type": "text/plain"}, 415), ({}, 304)],
)
def test_the_short_way_refuses_nothing_and_lets_nothing_through(api: Api, headers: dict[str, str], status: int) -> None:
    vehicle, digest = settled(api)
    assert api.check_in({**vehicle, **headers}, have=digest, **TOLD).status_code == status
    other = api.enrol("car-2")
    assert api.check_in(other, have=digest, **TOLD).status_code == 403, "another vehicle's token opens nothing"


def test_vehicles_that_were_seen_are_written_together(api: Api) -> None:
    vehicle, digest = settled(api)
    with api.database.begin() as connection:
        connection.execute(text("UPDATE vehicles SET last_check_in_at = now() - interval '1 day'"))
    api.check_in(vehicle, have=digest, **TOLD)
    api.app.state.services.known.flush(api.database)
    with api.database.begin() as connection:
        ago = connection.execute(text("SELECT now() - last_check_in_at < interval '1 minute' FROM vehicles"))
        assert ago.scalar_one()
