"""What campaigns have cost so far: what arrived and was stored, by day in the account's zone, and what it was for."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from fleet_api.statements import usecases
from storage.costs import measured, rollup
from storage.database import Database
from storage.erasure import clips as erasure
from storage.erasure import vehicles
from storage.tables.campaigns import campaign_versions
from storage.tables.erasure import ErasureCause
from storage.tiers import moves
from tests.fleet_api.api_server import Api
from tests.fleet_api.statements.calendar import GB, arrive, erase, move, prepare
from tests.storage.erasure.erasure_support import use
from tests.triggers.costs.books import BOOK, WORKED_EXAMPLE
from triggers.contracts.campaign import Network
from triggers.costs.caused import Part
from triggers.costs.charges import Service

pytestmark = pytest.mark.integration


@pytest.fixture
def fleet(api: Api) -> Api:
    prepare(api.database, "braking", "swerve")
    return api


def publish(api: Api, book: str = BOOK) -> None:
    assert api.post("/v1/price-books", {"prices": book}, "operator").is_success


def costs(api: Api, **parameters: Any) -> Any:
    answer = api.get("/v1/costs", **parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def cost_of(api: Api, campaign: str = "braking") -> Any:
    (cost,) = costs(api, campaign=campaign)["costs"]
    return cost


def test_a_car_day_of_the_worked_example_costs_what_the_documentation_says(fleet: Api) -> None:
    publish(fleet, WORKED_EXAMPLE.replace("from: 2026-01-01", "from: 2015-01-01"))
    clip = arrive(fleet.database, {"braking": 10}, "2016-01-01T12:00")
    move(fleet.database, clip, "DEEP_ARCHIVE", "2016-04-01T12:00")
    erase(fleet.database, clip, "2021-04-01T12:00")
    cost = cost_of(fleet)
    assert cost["amount"] == "1.724"
    paid = {sku: amount for sku, amount in cost["by_sku"].items() if amount != "0"}
    assert paid == {"transfer:wifi": "0.5", "storage:archive": "0.594", "storage:hot": "0.63"}


def test_each_campaign_pays_for_its_bytes_and_one_of_them_for_a_requests(fleet: Api) -> None:
    publish(fleet)
    arrive(fleet.database, {"braking": 3, "swerve": 1}, "2026-01-10T12:00")
    arrive(fleet.database, {"swerve": 2}, "2026-01-11T12:00", network=Network.CELLULAR)
    found = costs(fleet)
    braking, swerve = found["costs"]
    assert (braking["campaign"], braking["by_sku"]["transfer:wifi"]) == ("braking", "0.15")
    assert (swerve["by_sku"]["transfer:wifi"], swerve["by_sku"]["transfer:cellular"]) == ("0.05", "1.8")
    assert (braking["by_sku"]["requests:write"], swerve["by_sku"]["requests:write"]) == ("0.000005", "0.000005")
    assert (braking["received_bytes"], swerve["received_bytes"]) == (3 * GB, 3 * GB)
    assert found["total"]["by_sku"]["requests:write"] == "0.00001"
    assert (found["total"]["clips"], braking["clips"], swerve["clips"]) == (2, 1, 2)


def test_what_came_of_an_upload_without_a_clip_is_paid_for_and_stored_nowhere(fleet: Api) -> None:
    publish(fleet)
    arrive(fleet.database, {"braking": 4}, "2026-01-10T12:00", ends="failed")
    cost = cost_of(fleet)
    assert (cost["by_sku"], cost["clips"], cost["per_clip"]) == ({"transfer:wifi": "0.2"}, 0, None)
    assert cost["waste"] == {"clips": 0, "size_bytes": 0, "amount": "0"}


def test_erasing_a_clip_or_its_vehicle_takes_nothing_back(fleet: Api) -> None:
    publish(fleet)
    clip = arrive(fleet.database, {"braking": 10}, "2026-01-01T12:00")
    erase(fleet.database, clip, "2026-01-16T12:00")
    before = cost_of(fleet)
    assert before["by_sku"] == {"transfer:wifi": "0.5", "requests:write": "0.000005", "storage:hot": "0.101612903217"}
    response = fleet.client.delete("/v1/vehicles/car-1", headers=fleet.as_("operator"), params={"reason": "sold"})
    assert response.is_success
    with fleet.database.begin() as connection:
        assert vehicles.go_on(connection) is not None
    after = cost_of(fleet)
    assert (after["amount"], after["by_sku"]) == (before["amount"], before["by_sku"])


@pytest.mark.parametrize(
    ("zone", "day"), [("UTC", "2026-01-31"), ("Europe/Berlin", "2026-02-01"), ("America/Los_Angeles", "2026-01-31")]
)
def test_the_day_of_what_arrives_is_that_of_the_accounts_zone(fleet: Api, zone: str, day: str) -> None:
    arrive(fleet.database, {"braking": 1}, "2026-01-31T23:30")
    each_day = [Part(date(2026, 1, 31), date(2026, 2, 1), None), Part(date(2026, 2, 1), date(2026, 2, 2), None)]
    with fleet.database.begin() as connection:
        assert str(rollup.first_day(connection, zone)) == day
        found = measured.caused(connection, zone, each_day)["braking"].caused
    assert {str(each_day[each.part].start) for each in found} == {day}
    assert {each.service for each in found} == set(Service)


def test_costs_are_per_what_they_were_for(fleet: Api) -> None:
    publish(fleet)
    arrive(fleet.database, {"braking": 10}, "2026-01-10T12:00", ends="failed")
    with fleet.database.begin() as connection:
        connection.execute(text("UPDATE assignments SET assigned_from = now() - interval '3 days'"))
        connection.execute(
            text("""
                INSERT INTO fire_counts (vehicle_id, campaign, version, watermark, suppressed, sampled_out, refused,
                    dropped, failed, in_flight, handed_over, per_trigger, armed_ns, distance_m, reported_at_ns,
                    received_at)
                VALUES ('car-1', 'braking', 1, 0, 0, 0, '{}', '{}', '{}', 0, 0, '{}', 1, 250000, 1, now())
            """)
        )
    cost = cost_of(fleet)
    assert (cost["vehicle_days"], cost["distance_m"], cost["accepted_labels"]) == (4, 250_000, 0)
    assert (cost["per_vehicle_day"], cost["per_1000_km"]) == ("0.125000000", "2.000000000")
    assert cost["per_accepted_label"] is None
    total = costs(fleet)["total"]
    assert (total["campaign"], total["vehicle_days"], total["distance_m"], total["per_1000_km"]) == (
        None,
        4,
        None,
        None,
    )


def test_days_on_which_a_vehicle_had_two_versions_count_once(fleet: Api) -> None:
    columns = ", ".join(each.name for each in campaign_versions.c if each.computed is None)
    with fleet.database.begin() as connection:
        connection.execute(text("UPDATE assignments SET assigned_from = '2026-01-01', assigned_until = '2026-01-10'"))
        connection.execute(
            text(f"""
                INSERT INTO campaign_versions ({columns}) SELECT {columns} FROM (
                    SELECT (jsonb_populate_record(c, '{{"version": 2, "state": "draft"}}')).*
                    FROM campaign_versions c WHERE campaign = 'braking'
                ) AS copied
            """)
        )
        connection.execute(
            text("INSERT INTO assignments VALUES ('car-1', 'braking', 2, '2026-01-08', '2026-01-12T23:00')")
        )
    publish(fleet)
    assert cost_of(fleet)["vehicle_days"] == 12
    assert cost_of(fleet, "swerve")["vehicle_days"] == 10
    assert costs(fleet)["total"]["vehicle_days"] == 12


def test_clips_that_nobody_opened_labelled_or_put_into_a_dataset_are_waste(fleet: Api) -> None:
    publish(fleet)
    opened, kept, unused, expired, read = (
        arrive(fleet.database, {"braking": 10 * number}, "2026-01-10T12:00", gigabytes=False) for number in range(1, 6)
    )
    use(fleet.database, kept)
    assert cost_of(fleet)["waste"]["clips"] == 4
    assert fleet.get(f"/v1/clips/{opened}").is_success
    assert fleet.get(f"/stac/collections/braking/items/{read}").is_success
    erase(fleet.database, expired, "2026-02-01T12:00")
    cost = cost_of(fleet)
    assert (cost["waste"]["clips"], cost["waste"]["size_bytes"], cost["size_bytes"]) == (2, 70, 150)
    erase(fleet.database, opened, "2026-02-01T12:00")
    assert cost_of(fleet)["waste"]["clips"] == 2
    assert fleet.get(f"/v1/clips/{unused}").is_success
    assert cost_of(fleet)["waste"]["clips"] == 1
    with fleet.database.begin() as connection:
        connection.execute(text("UPDATE erased_clips SET was_used = NULL"))
    assert cost_of(fleet)["waste"] == {"clips": 0, "size_bytes": 0, "amount": "0"}


def test_who_may_not_see_a_clip_has_not_opened_it(fleet: Api) -> None:
    publish(fleet)
    clip = arrive(fleet.database, {"braking": 1}, "2026-01-10T12:00", gigabytes=False)
    assert fleet.get(f"/v1/clips/{clip}", "labeler").status_code == 404
    assert cost_of(fleet)["waste"]["clips"] == 1


def test_campaigns_are_listed_page_by_page_with_the_total_of_all(fleet: Api) -> None:
    publish(fleet)
    for name in ("braking", "swerve"):
        arrive(fleet.database, {name: 1}, "2026-01-10T12:00")
    first = costs(fleet, limit=1)
    second = costs(fleet, limit=1, after=first["next"])
    assert [[each["campaign"] for each in page["costs"]] for page in (first, second)] == [["braking"], ["swerve"]]
    assert (first["next"], second["next"], first["total"] == second["total"]) == ("braking", None, True)
    assert [each.campaign for each in fleet.as_client("viewer").costs.to_date().costs] == ["braking", "swerve"]


def test_a_page_of_one_campaign_is_refused(fleet: Api) -> None:
    publish(fleet)
    answer = fleet.get("/v1/costs", campaign="braking", after="a")
    assert (answer.status_code, answer.json()["detail"]) == (422, "`after` cannot be combined with `campaign`")


def test_a_clip_goes_no_earlier_than_it_came_or_was_moved_whichever_way_the_servers_clock_is_set(fleet: Api) -> None:
    with fleet.database.begin() as connection:
        ahead, later = connection.execute(
            text("SELECT date_trunc('day', now() + interval '3 days'), date_trunc('day', now() + interval '5 days')")
        ).one()
    clip = arrive(fleet.database, {"braking": 1}, f"{ahead:%Y-%m-%dT%H:%M}")
    moved = arrive(fleet.database, {"braking": 1}, f"{ahead:%Y-%m-%dT%H:%M}")
    with fleet.database.begin() as connection:
        moves.note(connection, moves.Move(moved, "", "", "STANDARD_IA"))
        dated = connection.execute(text("SELECT moved_at FROM tier_moves"))
        assert dated.scalar_one() == ahead
        connection.execute(text("UPDATE tier_moves SET moved_at = :later"), {"later": later})
        assert erasure.erase(connection, [clip, moved], ErasureCause.EXPIRED).clips == 2
        erased = connection.execute(text("SELECT clip_id, erased_at FROM erased_clips"))
        assert {row.clip_id: row.erased_at for row in erased} == {clip: ahead, moved: later}


def test_recordings_cost_where_they_lie_and_moves_are_paid_for(fleet: Api) -> None:
    publish(fleet)
    clip = arrive(fleet.database, {"braking": 30, "swerve": 1}, "2026-01-01T12:00")
    move(fleet.database, clip, "DEEP_ARCHIVE", "2026-02-15T12:00")
    erase(fleet.database, clip, "2026-03-01T12:00")
    assert cost_of(fleet)["by_sku"] == {
        "requests:transition": "0.00006",
        "requests:write": "0.000005",
        "storage:archive": "0.01485",
        "storage:hot": "0.945",
        "transfer:wifi": "1.5",
    }
    assert set(cost_of(fleet, "swerve")["by_sku"]) == {"storage:archive", "storage:hot", "transfer:wifi"}


def test_recordings_in_a_class_without_a_tier_have_no_cost_until_the_book_says_it(fleet: Api) -> None:
    publish(fleet)
    move(fleet.database, arrive(fleet.database, {"braking": 1}, "2026-01-01T12:00"), "GLACIER", "2026-02-15T12:00")
    answer = fleet.get("/v1/costs")
    assert answer.status_code == 409 and "storage class GLACIER" in answer.json()["detail"]
    assert "storage_classes: {archive: [GLACIER]}" in answer.json()["remedy"]
    publish(fleet, BOOK.replace("[DEEP_ARCHIVE]", "[DEEP_ARCHIVE, GLACIER]"))
    assert "storage:archive" in cost_of(fleet)["by_sku"]


def test_costs_that_take_too_long_are_refused_and_one_at_a_time_is_added_up(
    fleet: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(fleet)
    arrive(fleet.database, {"braking": 1}, "2026-01-01T12:00")
    monkeypatch.setattr(usecases, "TIME_LIMIT_S", 0.2)
    with fleet.database.begin() as connection:
        connection.execute(text("LOCK TABLE tier_moves IN ACCESS EXCLUSIVE MODE"))
        for path in ("/v1/costs", "/v1/costs/months/2026-01"):
            refused = fleet.get(path)
            assert (refused.status_code, refused.json()["detail"]) == (
                503,
                "adding up costs may take 0.2 s, and took longer",
            )
    assert fleet.get("/v1/costs").is_success


def test_without_prices_for_these_days_it_says_so(fleet: Api) -> None:
    answer = fleet.get("/v1/costs")
    assert (answer.status_code, answer.json()["detail"]) == (409, "there are no prices: no price book is published")
    assert "longtail cost publish" in answer.json()["remedy"]
    publish(fleet)
    arrive(fleet.database, {"braking": 1}, "2025-12-31T12:00")
    answer = fleet.get("/v1/costs")
    assert answer.status_code == 409
    assert answer.json()["detail"] == (
        "version 1 of the price book: the price book has no prices for 2025-12-31: its first are from 2026-01-01"
    )
    assert fleet.get("/v1/costs", campaign="none").status_code == 404


def test_costs_are_read_in_a_snapshot_of_a_fleet_that_has_none_yet(database: Database) -> None:
    with database.snapshot() as connection:
        assert rollup.first_day(connection, "UTC") is None
        assert measured.caused(connection, "UTC", [Part(date(2026, 1, 1), date(2026, 2, 1), None)]) == {}
