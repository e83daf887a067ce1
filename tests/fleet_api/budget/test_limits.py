"""Limits that are set by command: who may, how high, that they apply at once, and that it says so."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from storage import ledger
from storage.campaigns import owners
from storage.ledger import FleetTerms
from tests.fleet_api.api_server import Api
from tests.fleet_api.budget.test_routes import reserve
from tests.storage.ledger.ledger_support import add_upload
from tests.support.fleet import TRIGGER, add_version, charged_manifest, enroll_vehicle
from triggers.contracts.api.budget import LimitKind
from triggers.contracts.campaign import BudgetLimits
from triggers.errors import BudgetExhausted, Conflict, Forbidden, InvalidInput, NotFound


def announce(api: Api, charges: dict[str, int], fleet: FleetTerms | None = None) -> str:
    """An upload of car-1, its bytes reserved; BudgetExhausted if they are not."""
    manifest = charged_manifest(charges)
    with api.database.begin() as connection:
        upload_id = add_upload(connection, manifest)
        ledger.reserve(connection, upload_id, manifest, now=datetime.now(UTC), fleet=fleet or FleetTerms())
    return upload_id


def states(api: Api) -> dict[str, str]:
    with api.database.begin() as connection:
        return {row.id: row.state for row in connection.execute(text("SELECT id, state FROM uploads"))}


def test_a_limit_below_what_is_held_stops_uploads_at_once_and_says_so(api: Api) -> None:
    reserve(api, "car-1")
    later = announce(api, {"braking": 40})
    with api.database.begin() as connection:
        connection.execute(text("UPDATE uploads SET offset_bytes = 4 WHERE id = :id"), {"id": later})
    view = api.as_client("operator").budget.set_limit("campaign_bytes", "braking", amount=35, reason="too much")
    assert (view.limit, view.held, view.settled, view.above, view.ended) == (35, 34, 4, 0, 1)
    assert states(api)[later] == "expired", "the newest, whose four bytes have come; the other one fits"
    assert list(states(api).values()).count("open") == 1
    with pytest.raises(BudgetExhausted, match="1 bytes left of 35"):
        announce(api, {"braking": 2})
    view = api.as_client("operator").budget.set_limit("campaign_bytes", "braking", amount=3, reason="still too much")
    assert (view.held, view.above, view.ended) == (4, 1, 1), "what has come stays, and no upload is left"
    with pytest.raises(BudgetExhausted, match="0 bytes left of 3"):
        announce(api, {"braking": 1})
    view = api.as_client("operator").budget.set_limit("campaign_bytes", "braking", amount=None, reason="enough now")
    assert (view.limit, view.above) == (1000, 0)
    announce(api, {"braking": 900})


def test_the_audit_log_has_the_limit_before_and_after_and_why(api: Api) -> None:
    budget = api.as_client("operator").budget
    budget.set_limit("cost_centre_month", "maps", amount=5, zone="Europe/Berlin", reason="a trial")
    budget.set_limit("cost_centre_month", "maps", amount=7, reason="it went well")
    entry = api.get("/v1/audit", "operator", object="cost_centre_month/maps").json()["entries"][-1]
    assert (entry["action"], entry["reason"]) == ("budget.limit", "it went well")
    assert entry["before"] == {"amount": 5, "zone": "Europe/Berlin"} and entry["after"] == {
        "amount": 7,
        "zone": "Europe/Berlin",
    }


def test_a_campaign_is_limited_by_its_owner_approvers_and_operators_and_the_rest_by_operators(api: Api) -> None:
    reserve(api)
    author = api.as_client("author").budget
    with pytest.raises(Forbidden, match="not author-user's to limit"):
        author.set_limit("campaign_bytes", "braking", amount=5, reason="r")
    api.as_client("approver").budget.set_limit("campaign_bytes", "braking", amount=5, reason="r")
    with api.database.begin() as connection:
        mine = connection.execute(text("SELECT id FROM users WHERE name = 'author-user'")).scalar_one()
        owners.reassign(connection, "braking", owner_id=mine, cost_centre="")
    assert author.set_limit("campaign_bytes", "braking", amount=6, reason="r").limit == 6
    for kind, name in (("fleet", ""), ("fleet_month", ""), ("cost_centre_month", "maps")):
        with pytest.raises(Forbidden, match="may not set the limit"):
            author.set_limit(kind, name, amount=5, reason="r")  # type: ignore[arg-type]


def test_a_limit_is_no_way_around_what_was_approved_or_set_for_the_deployment(api: Api) -> None:
    reserve(api)
    api.change_settings(fleet_month_bytes=100)
    budget = api.as_client("operator").budget
    with pytest.raises(Conflict, match="approved for 1000, and 1001 is more"):
        budget.set_limit("campaign_bytes", "braking", amount=1001, reason="r")
    with pytest.raises(Conflict, match="settings give a month of the fleet 100 bytes"):
        budget.set_limit("fleet_month", amount=101, reason="r")
    assert budget.set_limit("campaign_clips", "braking", amount=10**9, reason="it has none").limit == 10**9


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "fleet", "amount": -1},
        {"kind": "fleet", "amount": 2**63},
        {"kind": "fleet", "amount": 1.5},
        {"kind": "fleet", "amount": "1"},
        {"kind": "fleet"},
        {"kind": "fleet", "name": "braking", "amount": 1},
        {"kind": "campaign_bytes", "amount": 1},
        {"kind": "campaign_vehicle_day", "name": "braking", "amount": 1},
        {"kind": "cost_centre_month", "name": "a/b", "amount": 1},
        {"kind": "cost_centre_month", "name": "maps", "amount": 1, "zone": "Mars/Olympus"},
        {"kind": "cost_centre_month", "name": "maps", "amount": 1, "zone": "../../etc/passwd"},
        {"kind": "fleet_month", "amount": 1, "zone": "UTC"},
        {"kind": "fleet", "amount": 1, "reason": ""},
        {"kind": "trigger_bytes", "name": "braking", "amount": 1},
        {"kind": "trigger_bytes", "name": "braking.", "amount": 1},
        {"kind": "trigger_vehicle_day", "name": "braking.other", "amount": 1},
        {"kind": "campaign_bytes", "name": "braking.other", "amount": 1},
        {"kind": "campaign_bytes", "name": "braking.", "amount": 1},
    ],
)
def test_what_is_no_limit_is_refused(api: Api, body: dict[str, object]) -> None:
    assert api.post("/v1/budget/limits", {"reason": "r", **body}, "operator").status_code == 422


def test_a_limit_of_an_unknown_campaign_is_not_found(api: Api) -> None:
    with pytest.raises(NotFound, match="no campaign 'none'"):
        api.as_client("operator").budget.set_limit("campaign_bytes", "none", amount=1, reason="r")
    with pytest.raises(InvalidInput):
        api.as_client("operator").budget.set_limit("fleet", amount=2**62 + 1, reason="r")


def test_budgets_show_months_networks_and_limits_that_were_set_before_anything_is_used(api: Api) -> None:
    budget = api.as_client("operator").budget
    budget.set_limit("cost_centre_month", "maps", amount=5, reason="r")
    budget.set_limit("fleet", amount=70, reason="r")
    month = datetime.now(UTC).date().replace(day=1)
    shown = {(account.kind, account.cost_centre, account.month): account.limit for account in budget.accounts()}
    assert shown == {("fleet", "", None): 70, ("cost_centre_month", "maps", month): 5}
    reserve(api, "car-1")
    with api.database.begin() as connection:
        upload_id = connection.execute(text("SELECT id FROM uploads")).scalar_one()
        ledger.add_received(connection, {upload_id: 12})
    accounts = {account.kind: account for account in budget.accounts()}
    assert (accounts["network_month"].network, accounts["network_month"].settled) == ("wifi", 12)
    assert (accounts["fleet_month"].month, accounts["fleet_month"].held) == (month, 50)


@pytest.fixture
def of_triggers(api: Api) -> Api:
    """Campaign `braking` of two triggers: `other` may use 100 bytes, and the first has no budget of its own."""
    with api.database.begin() as connection:
        own = {TRIGGER: None, "other": BudgetLimits(total_bytes=100, vehicle_day_clips=9)}
        add_version(connection, "braking", limits=BudgetLimits(total_bytes=1000), of_triggers=own)
        enroll_vehicle(connection, "car-1")
    return api


def test_a_triggers_limit_is_lowered_and_raised_and_ends_uploads_of_this_trigger_alone(of_triggers: Api) -> None:
    others = announce(of_triggers, {"braking": 40})
    later = announce(of_triggers, {"braking": 10, "braking.other": 60})
    budget = of_triggers.as_client("operator").budget
    view = budget.set_limit("trigger_bytes", "braking.other", amount=50, reason="too much")
    assert (view.limit, view.held, view.above, view.ended) == (50, 0, 0, 1)
    assert (states(of_triggers)[later], states(of_triggers)[others]) == ("expired", "open")
    with pytest.raises(BudgetExhausted) as refused:
        announce(of_triggers, {"braking": 10, "braking.other": 60})
    assert (refused.value.triggers, refused.value.campaigns) == (("braking.other",), ())
    view = budget.set_limit("trigger_bytes", "braking.other", amount=None, reason="enough now")
    assert (view.name, view.limit) == ("braking.other", 100)
    announce(of_triggers, {"braking.other": 60})


def test_a_limit_of_a_trigger_is_in_the_audit_log_under_its_name(of_triggers: Api) -> None:
    of_triggers.as_client("operator").budget.set_limit("trigger_bytes", "braking.other", amount=5, reason="a trial")
    (entry,) = of_triggers.get("/v1/audit", "operator", object="trigger_bytes/braking.other").json()["entries"]
    assert (entry["action"], entry["reason"], entry["after"]["amount"]) == ("budget.limit", "a trial", 5)


def test_a_trigger_is_limited_by_whoever_may_limit_its_campaign(of_triggers: Api) -> None:
    with pytest.raises(Forbidden, match=r"braking\.other is not author-user's to limit"):
        of_triggers.as_client("author").budget.set_limit("trigger_bytes", "braking.other", amount=5, reason="r")
    of_triggers.as_client("approver").budget.set_limit("trigger_bytes", "braking.other", amount=5, reason="r")


@pytest.mark.parametrize(
    ("kind", "name", "amount", "message"),
    [
        ("trigger_bytes", "braking.other", 101, "braking.other was approved for 100, and 101 is more"),
        ("trigger_clips", "braking.other", 5, "braking.other was approved without a limit in clips of its own"),
        ("trigger_bytes", f"braking.{TRIGGER}", 5, "was approved without a limit in bytes of its own"),
    ],
)
def test_a_trigger_gets_no_limit_that_was_not_approved(
    of_triggers: Api, kind: LimitKind, name: str, amount: int, message: str
) -> None:
    budget = of_triggers.as_client("operator").budget
    with pytest.raises(Conflict, match=message):
        budget.set_limit(kind, name, amount=amount, reason="r")
    assert budget.set_limit(kind, name, amount=None, reason="there is none to take away").ended == 0
    with pytest.raises(NotFound, match="no campaign 'none'"):
        budget.set_limit(kind, "none.other", amount=1, reason="r")


@pytest.mark.parametrize("amount", [5, None])
def test_a_trigger_that_its_campaign_does_not_have_is_not_found_and_the_nearest_is_named(
    of_triggers: Api, amount: int | None
) -> None:
    budget = of_triggers.as_client("operator").budget
    with pytest.raises(NotFound, match=r"braking has no trigger 'othr'.*did you mean other\?"):
        budget.set_limit("trigger_bytes", "braking.othr", amount=amount, reason="r")
    assert of_triggers.get("/v1/audit", "operator", object="trigger_bytes/braking.othr").json()["entries"] == []
    with pytest.raises(NotFound, match=r"there is no campaign 'brakin'.*did you mean braking"):
        budget.set_limit("trigger_bytes", "brakin.other", amount=amount, reason="r")


@pytest.mark.parametrize("amount", [5, None])
def test_a_trigger_of_a_campaign_that_was_never_approved_has_no_limit(api: Api, amount: int | None) -> None:
    with api.database.begin() as connection:
        own = {"other": BudgetLimits(total_bytes=100)}
        add_version(connection, "braking", state="draft", approved=False, of_triggers=own)
    with pytest.raises(NotFound, match="no version of braking has been approved yet"):
        api.as_client("operator").budget.set_limit("trigger_bytes", "braking.other", amount=amount, reason="r")


def test_what_was_set_for_a_trigger_is_taken_away_when_a_later_version_does_not_have_it(of_triggers: Api) -> None:
    budget = of_triggers.as_client("operator").budget
    budget.set_limit("trigger_bytes", "braking.other", amount=50, reason="r")
    with of_triggers.database.begin() as connection:
        add_version(connection, "braking", 2, limits=BudgetLimits(total_bytes=1000))
    with pytest.raises(NotFound, match="braking has no trigger 'other'"):
        budget.set_limit("trigger_bytes", "braking.other", amount=40, reason="r")
    budget.set_limit("trigger_bytes", "braking.other", amount=None, reason="it is gone")
    entries = of_triggers.get("/v1/audit", "operator", object="trigger_bytes/braking.other").json()["entries"]
    assert {each["reason"]: each["after"]["amount"] for each in entries} == {"r": 50, "it is gone": None}
