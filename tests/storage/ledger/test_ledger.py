"""Reservations, settlements and releases one by one: what is charged, refused, freed and reported."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Connection, text

from storage import ledger
from storage.database import Database
from storage.diagnosis.ledger import entries_that_differ
from storage.ledger import AccountKey, FleetTerms
from storage.ledger.limits import ANY_AMOUNT, set_limit
from storage.uploads import creation
from storage.vehicles.enrolment import enrol
from tests.storage.ledger.ledger_support import NOON, account_amounts, add_upload
from tests.support.fleet import add_version, charged_manifest, enroll_vehicle, fire, manifest_of
from triggers.contracts.api.budget import LimitKind
from triggers.contracts.campaign import BudgetLimits, Network
from triggers.contracts.clip import ClipManifest
from triggers.errors import BudgetExhausted


@pytest.fixture
def fleet(database: Database) -> Database:
    """Campaigns `small` (100 bytes, 60 a vehicle-day, 5 clips) and `wide` (no small limit), two vehicles."""
    with database.begin() as connection:
        add_version(connection, "small", limits=BudgetLimits(total_bytes=100, vehicle_day_bytes=60, clips=5))
        add_version(connection, "wide", limits=BudgetLimits(total_bytes=10**12))
        enroll_vehicle(connection, "car-1")
        enroll_vehicle(connection, "car-2")
    return database


def reserve(
    database: Database,
    manifest: ClipManifest,
    *,
    now: datetime = NOON,
    fleet: FleetTerms = ANY_AMOUNT,
) -> str:
    with database.begin() as connection:
        upload_id = add_upload(connection, manifest)
        ledger.reserve(
            connection,
            upload_id,
            manifest,
            now=now,
            fleet=fleet,
        )
    return upload_id


def held(database: Database) -> dict[str, int]:
    with database.begin() as connection:
        return {str(account.key): account.held for account in ledger.usage(connection) if account.held}


def test_a_clip_is_charged_to_the_fleet_and_to_each_campaign_by_its_fires(fleet: Database) -> None:
    fires = [fire("small", 10), fire("small", 5), fire("wide", 7)]
    reserve(fleet, manifest_of(bytes(22), fires))
    assert held(fleet) == {
        "fleet": 22,
        "fleet_month:2026-05": 22,
        "campaign_bytes:small": 15,
        "campaign_bytes:wide": 7,
        "campaign_clips:small": 1,
        "campaign_clips:wide": 1,
        "campaign_vehicle_day:small:car-1:2026-05-17": 15,
        "campaign_vehicle_day:wide:car-1:2026-05-17": 7,
    }


def test_a_refusal_charges_nothing_and_names_only_the_campaign_whose_account_is_full(fleet: Database) -> None:
    reserve(fleet, charged_manifest({"small": 50}))
    before = held(fleet)
    with pytest.raises(BudgetExhausted) as refused:
        reserve(fleet, charged_manifest({"small": 20, "wide": 30}))
    assert refused.value.campaigns == ("small",)
    assert refused.value.accounts == ("campaign_vehicle_day:small:car-1:2026-05-17",)
    assert refused.value.retry_after_s == 12 * 3600
    assert held(fleet) == before


def test_a_refusal_caught_inside_the_transaction_charges_nothing_either(fleet: Database) -> None:
    manifest = charged_manifest({"small": 61, "wide": 1})
    with fleet.begin() as connection:
        upload_id = add_upload(connection, manifest)
        with pytest.raises(BudgetExhausted):
            ledger.reserve(connection, upload_id, manifest, now=NOON)
    assert held(fleet) == {}


def test_the_fleet_account_concerns_all_campaigns_of_the_clip(fleet: Database) -> None:
    with pytest.raises(BudgetExhausted) as refused:
        reserve(fleet, charged_manifest({"small": 20, "wide": 30}), fleet=FleetTerms(49))
    assert refused.value.campaigns == ("small", "wide")
    assert refused.value.accounts == ("fleet",)
    assert refused.value.retry_after_s is None


def test_a_total_that_is_used_up_has_no_time_to_try_again(fleet: Database) -> None:
    for vehicle in ("car-1", "car-2"):
        reserve(fleet, charged_manifest({"small": 50}, vehicle_id=vehicle))
    with pytest.raises(BudgetExhausted) as refused:
        reserve(fleet, charged_manifest({"small": 11}, vehicle_id="car-1"))
    assert refused.value.accounts == ("campaign_bytes:small", "campaign_vehicle_day:small:car-1:2026-05-17")
    assert refused.value.retry_after_s is None


def test_a_clip_larger_than_a_whole_vehicle_day_is_not_told_to_wait_for_tomorrow(fleet: Database) -> None:
    with pytest.raises(BudgetExhausted) as refused:
        reserve(fleet, charged_manifest({"small": 61}))
    assert refused.value.retry_after_s is None


def test_a_campaign_that_only_waits_for_tomorrow_is_not_named_with_one_that_is_refused_for_good(
    database: Database,
) -> None:
    with database.begin() as connection:
        add_version(connection, "spent", limits=BudgetLimits(total_bytes=10))
        add_version(connection, "daily", limits=BudgetLimits(vehicle_day_bytes=60))
        enroll_vehicle(connection, "car-1")
    reserve(database, charged_manifest({"daily": 50}))
    with pytest.raises(BudgetExhausted) as refused:
        reserve(database, charged_manifest({"spent": 11, "daily": 20}))
    assert (refused.value.campaigns, refused.value.retry_after_s) == (("spent",), None)
    assert len(refused.value.accounts) == 2
    with pytest.raises(BudgetExhausted) as refused:
        reserve(database, charged_manifest({"daily": 20}))
    assert (refused.value.campaigns, refused.value.retry_after_s) == (("daily",), 12 * 3600)


def test_the_next_utc_day_has_its_own_vehicle_day_wherever_the_clock_stands(fleet: Database) -> None:
    reserve(fleet, charged_manifest({"small": 40}), now=datetime(2026, 5, 17, 23, 59, 59, 500_000, tzinfo=UTC))
    with pytest.raises(BudgetExhausted) as refused:
        reserve(fleet, charged_manifest({"small": 40}), now=datetime(2026, 5, 17, 23, 59, 59, 500_000, tzinfo=UTC))
    assert refused.value.retry_after_s == 1
    in_tokyo = datetime(2026, 5, 18, 9, 0, tzinfo=timezone(timedelta(hours=9)))
    reserve(fleet, charged_manifest({"small": 40}), now=in_tokyo)
    assert held(fleet)["campaign_vehicle_day:small:car-1:2026-05-18"] == 40


def test_a_clip_counts_once_for_a_campaign_however_many_fires_it_has(fleet: Database) -> None:
    for _ in range(5):
        reserve(fleet, manifest_of(bytes(2), [fire("small", 1), fire("small", 1)]))
    with pytest.raises(BudgetExhausted) as refused:
        reserve(fleet, charged_manifest({"small": 1}))
    assert refused.value.accounts == ("campaign_clips:small",)


def test_a_released_reservation_is_free_at_once_for_the_next_one(fleet: Database) -> None:
    upload_id = reserve(fleet, charged_manifest({"small": 60}))
    with fleet.begin() as connection:
        assert ledger.release(connection, upload_id)
    reserve(fleet, charged_manifest({"small": 60}))
    assert held(fleet)["campaign_bytes:small"] == 60


@pytest.mark.parametrize("first", ["settle", "release"])
@pytest.mark.parametrize("second", ["settle", "release"])
def test_a_reservation_is_closed_once(fleet: Database, first: str, second: str) -> None:
    close: dict[str, Callable[[Connection, str], bool]] = {"settle": ledger.settle, "release": ledger.release}
    upload_id = reserve(fleet, charged_manifest({"small": 60}))
    with fleet.begin() as connection:
        assert close[first](connection, upload_id)
    after_first = held(fleet)
    with fleet.begin() as connection:
        assert not close[second](connection, upload_id)
    assert held(fleet) == after_first


def test_what_came_of_a_clip_that_was_given_up_is_settled_and_no_clip_in_any_account(fleet: Database) -> None:
    """A vehicle's share of the clips had one less afterwards."""
    upload_id = reserve(fleet, charged_manifest({"small": 10}))
    with fleet.begin() as connection:
        connection.execute(text("UPDATE uploads SET offset_bytes = 5"))
        ledger.release(connection, upload_id)
        while ledger.fold(connection):
            pass
        amounts = account_amounts(connection)
    assert amounts["campaign_bytes", "small"] == amounts["fleet_month", ""] == (5, 5)
    assert amounts["campaign_clips", "small"] == amounts["campaign_vehicle_clips", "small"] == (0, 0)


def test_usage_is_exact_before_and_after_folding(fleet: Database) -> None:
    settled = reserve(fleet, charged_manifest({"small": 10}))
    reserve(fleet, charged_manifest({"small": 20}))
    released = reserve(fleet, charged_manifest({"small": 30}))
    with fleet.begin() as connection:
        ledger.settle(connection, settled)
        ledger.release(connection, released)
        unfolded = ledger.usage(connection, "small")
        while ledger.fold(connection, limit=1):
            pass
        assert ledger.usage(connection, "small") == unfolded
    by_key = {account.key: account for account in unfolded}
    assert AccountKey("fleet") not in by_key
    total = by_key[AccountKey("campaign_bytes", "small")]
    assert (total.limit, total.held, total.settled, total.unit) == (100, 30, 10, "bytes")
    clips = by_key[AccountKey("campaign_clips", "small")]
    assert (clips.limit, clips.held, clips.settled, clips.unit) == (5, 2, 1, "clips")


def test_usage_lists_one_day_when_asked(fleet: Database) -> None:
    reserve(fleet, charged_manifest({"small": 10}))
    reserve(fleet, charged_manifest({"small": 20}), now=NOON + timedelta(days=1))
    with fleet.begin() as connection:
        days = {account.key.day for account in ledger.usage(connection, day=NOON.date())}
        all_days = {account.key.day for account in ledger.usage(connection, fleet=FleetTerms(7))}
    assert days == {None, NOON.date()}
    assert all_days == {None, NOON.date(), NOON.date() + timedelta(days=1)}


def test_fold_takes_no_more_than_its_limit(fleet: Database) -> None:
    uploads = [reserve(fleet, charged_manifest({"wide": 10})) for _ in range(3)]
    with fleet.begin() as connection:
        ledger.release(connection, *uploads)
    folded: list[int] = []
    while not folded or folded[-1]:
        with fleet.begin() as connection:
            folded.append(ledger.fold(connection, limit=5))
    assert sum(folded) == 6 * 5, "reservations and releases of three uploads, on accounts that have no limit but one"
    assert max(folded) <= 5


def test_the_running_version_sets_the_limit_and_a_change_takes_effect(fleet: Database) -> None:
    reserve(fleet, charged_manifest({"small": 60}))
    with fleet.begin() as connection:
        add_version(connection, "small", 2, limits=BudgetLimits(total_bytes=70))
    with pytest.raises(BudgetExhausted) as refused:
        reserve(fleet, charged_manifest({"small": 11}))
    assert refused.value.accounts == ("campaign_bytes:small",)
    with fleet.begin() as connection:
        add_version(connection, "small", 3, limits=BudgetLimits(total_bytes=1000))
        add_version(connection, "small", 4, state="draft", approved=False, limits=BudgetLimits(total_bytes=1))
    reserve(fleet, charged_manifest({"small": 11}))


def test_a_campaign_without_a_running_version_keeps_the_limits_it_had_last(fleet: Database) -> None:
    with fleet.begin() as connection:
        add_version(connection, "ended", 1, state="stopped", limits=BudgetLimits(total_bytes=1000))
        add_version(connection, "ended", 2, state="completed", limits=BudgetLimits(total_bytes=10))
    with pytest.raises(BudgetExhausted):
        reserve(fleet, charged_manifest({"ended": 11}))


def test_fires_that_add_no_bytes_pass_a_budget_that_was_lowered_below_its_use(fleet: Database) -> None:
    reserve(fleet, charged_manifest({"small": 60}))
    with fleet.begin() as connection:
        add_version(connection, "small", 2, limits=BudgetLimits(total_bytes=50))
    reserve(fleet, charged_manifest({"small": 0, "wide": 5}))
    with pytest.raises(BudgetExhausted):
        reserve(fleet, charged_manifest({"small": 1}))


def test_of_many_vehicles_none_can_use_up_what_is_for_all(fleet: Database) -> None:
    """One vehicle sent 499 clips of a byte, and a campaign with a limit of 500 clips was over for the whole fleet."""
    with fleet.begin() as connection:
        add_version(connection, "shared", limits=BudgetLimits(clips=100, total_bytes=10_000))
        for number in range(3, 41):
            enroll_vehicle(connection, f"car-{number}")
    for _ in range(10):
        reserve(fleet, charged_manifest({"shared": 1}), fleet=FleetTerms(vehicle_share=0.1))
    with pytest.raises(BudgetExhausted, match="0 clips left of 10") as refused:
        reserve(fleet, charged_manifest({"shared": 1}), fleet=FleetTerms(vehicle_share=0.1))
    assert refused.value.accounts == ("campaign_vehicle_clips:shared:car-1",)
    assert refused.value.retry_after_s is None and "LONGTAIL_VEHICLE_SHARE" in refused.value.remedy
    with pytest.raises(BudgetExhausted, match="1000 bytes left of 1000"):
        reserve(fleet, charged_manifest({"shared": 1001}, vehicle_id="car-2"), fleet=FleetTerms(vehicle_share=0.1))
    reserve(fleet, charged_manifest({"shared": 1000}, vehicle_id="car-2"), fleet=FleetTerms(vehicle_share=0.1))


@pytest.mark.parametrize(("vehicles", "clips"), [(1, 100), (2, 100), (3, 67), (10, 20), (19, 11), (30, 10)])
def test_a_vehicles_share_of_a_total_is_twice_its_even_share_or_the_setting(
    fleet: Database, vehicles: int, clips: int
) -> None:
    with fleet.begin() as connection:
        for number in range(3, vehicles + 1):
            enroll_vehicle(connection, f"car-{number}")
        add_version(connection, "shared", limits=BudgetLimits(clips=100))
        if vehicles == 1:
            connection.execute(text("DELETE FROM assignments WHERE vehicle_id = 'car-2'"))
    reserve(fleet, charged_manifest({"shared": 1}), fleet=FleetTerms(vehicle_share=0.1))
    with fleet.begin() as connection:
        connection.execute(text("UPDATE ledger_accounts SET held = 100 WHERE kind = 'campaign_vehicle_clips'"))
    with pytest.raises(BudgetExhausted, match=f"of {clips}, "):
        reserve(fleet, charged_manifest({"shared": 1}), fleet=FleetTerms(vehicle_share=0.1))


@pytest.mark.parametrize(("kind", "unit"), [("campaign_clips", "clips"), ("campaign_bytes", "bytes")])
def test_a_vehicles_share_is_one_of_the_limit_that_was_lowered_by_command(
    fleet: Database, kind: LimitKind, unit: str
) -> None:
    """Of 1,000 that were approved, a vehicle could use its share of 100 although only 100 were left for all."""
    terms = FleetTerms(vehicle_share=0.1)
    with fleet.begin() as connection:
        for number in range(3, 41):
            enroll_vehicle(connection, f"car-{number}")
        add_version(connection, "shared", limits=BudgetLimits(clips=1000, total_bytes=1000))
        set_limit(connection, kind, "shared", amount=100)
    for _ in range(10):
        reserve(fleet, charged_manifest({"shared": 1}), fleet=terms)
    with pytest.raises(BudgetExhausted, match=f"has 0 {unit} left of 10,"):
        reserve(fleet, charged_manifest({"shared": 1}), fleet=terms)
    reserve(fleet, charged_manifest({"shared": 1}, vehicle_id="car-2"), fleet=terms)
    with fleet.begin() as connection:
        set_limit(connection, kind, "shared", amount=None)
    reserve(fleet, charged_manifest({"shared": 1}), fleet=terms)


def test_a_limit_by_command_alone_has_shares_too(fleet: Database) -> None:
    terms = FleetTerms(vehicle_share=0.1)
    with fleet.begin() as connection:
        for number in range(3, 41):
            enroll_vehicle(connection, f"car-{number}")
        add_version(connection, "open")
        set_limit(connection, "campaign_bytes", "open", amount=100)
    reserve(fleet, charged_manifest({"open": 10}), fleet=terms)
    with pytest.raises(BudgetExhausted, match="has 0 bytes left of 10,"):
        reserve(fleet, charged_manifest({"open": 1}), fleet=terms)


def test_entries_of_an_account_that_does_not_exist_are_found(fleet: Database) -> None:
    """No foreign key keeps them from it: it would lock every account, hot ones as well, for each entry."""
    upload_id = reserve(fleet, charged_manifest({"small": 10}))
    with fleet.begin() as connection:
        assert entries_that_differ(connection) == []
        connection.execute(text("DELETE FROM ledger_accounts WHERE kind = 'campaign_vehicle_day'"))
        (found,) = entries_that_differ(connection)
    assert found == f"the entry reserve of upload {upload_id} in an account that does not exist is not what follows"


def test_a_refusal_leaves_no_entry_behind(fleet: Database) -> None:
    manifest = charged_manifest({"small": 61})
    with fleet.begin() as connection:
        upload_id = add_upload(connection, manifest)
        with pytest.raises(BudgetExhausted):
            ledger.reserve(connection, upload_id, manifest, now=NOON)
        assert connection.execute(text("SELECT count(*) FROM ledger_entries")).scalar_one() == 0
        assert set(account_amounts(connection).values()) == {(0, 0)}


def test_a_damaged_clip_uses_no_limit_on_clips_but_its_bytes_have_arrived(fleet: Database) -> None:
    upload_id = reserve(fleet, charged_manifest({"small": 10}))
    with fleet.begin() as connection:
        ledger.settle(connection, upload_id)
        for _ in range(2):
            ledger.void_clip(connection, upload_id)
        ledger.fold(connection)
        amounts = account_amounts(connection)
        assert entries_that_differ(connection) == []
    assert amounts["campaign_clips", "small"] == (0, 0)
    assert amounts["campaign_bytes", "small"] == (10, 10)


def test_entries_have_the_network_of_their_time_and_the_region_of_the_reservation(
    fleet: Database,
) -> None:
    with fleet.begin() as connection:
        enrol(connection, "car-3", {"region": "US"}, replace=True)
        enrol(connection, "car-4", {}, replace=True)
    settled, released, without = (
        reserve(fleet, charged_manifest({"small": 5}, vehicle_id=vehicle)) for vehicle in ("car-3", "car-3", "car-4")
    )
    with fleet.begin() as connection:
        creation.announce_again(connection, settled, Network.CELLULAR)
        enrol(connection, "car-3", {"region": "EU"}, replace=True)
        ledger.settle(connection, settled)
        ledger.release(connection, released)
        ledger.settle(connection, without)
        ledger.void_clip(connection, settled)
        rows = connection.execute(text("SELECT DISTINCT upload_id, kind, network, region FROM ledger_entries")).all()
    assert {tuple(row) for row in rows} == {
        (settled, "reserve", "wifi", "US"),
        (settled, "settle", "cellular", "US"),
        (settled, "void", "cellular", "US"),
        (released, "reserve", "wifi", "US"),
        (released, "release", "wifi", "US"),
        (without, "reserve", "wifi", ""),
        (without, "settle", "wifi", ""),
    }
