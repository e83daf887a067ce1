"""Reservations in the budget ledger: an upload is charged to all of its accounts, or to none (`reserve_function`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime

from pydantic_core import to_json
from sqlalchemy import Connection, text

from storage.ledger.accounts import AccountKey
from storage.ledger.limits import ANY_AMOUNT, FleetTerms, months_by_zone
from storage.ledger.refusals import Refused, refusal
from storage.ledger.settlements import fold_accounts
from triggers.contracts.api.budget import AccountKind
from triggers.contracts.clip import ClipManifest

_RESERVE = text("SELECT reserve_upload(:upload_id, CAST(:asked AS jsonb))")
_CENTRES = text("SELECT campaign, cost_centre FROM campaign_owners WHERE campaign = ANY (CAST(:campaigns AS text[]))")


def reserve(
    connection: Connection, upload_id: str, manifest: ClipManifest, *, now: datetime, fleet: FleetTerms = ANY_AMOUNT
) -> None:
    """Charge an upload to the fleet, its month, the campaigns of its fires on the UTC day of `now`, the months of their
    cost centres, and the triggers that have budgets of their own; all accounts or none.

    BudgetExhausted, with nothing charged, when a limit would be exceeded. It names the campaigns whose own accounts
    are exhausted (all of the clip's, when the fleet's account is), so that a vehicle can send the clip without them.
    Where the fleet's reserve would still admit some campaigns, it names the others.
    Accounts stay locked until the transaction ends: commit soon, and reserve only once per transaction.
    """
    day = now.astimezone(UTC).date()
    amounts = charges(manifest, day)
    campaigns = sorted({key.campaign for key in amounts if key.campaign})
    amounts |= shares(manifest, amounts)
    month = fleet.month(now)
    amounts[AccountKey("fleet_month", month=month)] = amounts[AccountKey("fleet")]
    asked = {
        "accounts": [_asked(key, amount) for key, amount in amounts.items()],
        "triggers": [
            {"campaign": campaign, "trigger": trigger, "amount": amount}
            for (campaign, trigger), amount in charges_of_triggers(manifest).items()
        ],
        "vehicle_id": manifest.recording.vehicle_id,
        "day": day,
        "campaigns": campaigns,
        "month": month,
        "months": months_by_zone(connection, fleet, now),
        **fleet.parameters(),
    }
    parameters = {"upload_id": upload_id, "asked": to_json(asked).decode()}
    refused = connection.execute(_RESERVE, parameters).scalar_one()
    if refused and fold_accounts(connection, [account["id"] for account in refused["accounts"]], limit=None):
        refused = connection.execute(_RESERVE, parameters).scalar_one()
    if refused:
        centres = {row.campaign: row.cost_centre for row in connection.execute(_CENTRES, {"campaigns": campaigns})}
        accounts = [Refused.read(account) for account in refused["accounts"]]
        raise refusal(accounts, manifest, centres, preferred=refused["preferred"], now=now)


def _asked(key: AccountKey, amount: int) -> dict[str, object]:
    of_key = {"kind": key.kind, "campaign": key.campaign, "vehicle_id": key.vehicle_id, "day": key.day}
    return {**of_key, "month": key.month, "unit": key.unit, "amount": amount}


def charges(manifest: ClipManifest, day: date) -> dict[AccountKey, int]:
    """What a clip costs each account that always counts: its size to the fleet; one clip and its fires' charged bytes
    to each campaign. Clips of a vehicle's day and triggers' own budgets are counted where they are limited, which the
    function that reserves knows."""
    recording = manifest.recording
    by_campaign: Counter[str] = Counter()
    for fire in recording.fires:
        by_campaign[fire.campaign] += fire.charged_bytes
    amounts = {AccountKey("fleet"): manifest.size_bytes}
    for campaign, amount in by_campaign.items():
        amounts[AccountKey("campaign_bytes", campaign)] = amount
        amounts[AccountKey("campaign_clips", campaign)] = 1
        amounts[AccountKey("campaign_vehicle_day", campaign, recording.vehicle_id, day)] = amount
    return amounts


def charges_of_triggers(manifest: ClipManifest) -> dict[tuple[str, str], int]:
    """What a clip costs each trigger that has a budget of its own, in bytes, by campaign and trigger; and one clip."""
    amounts: Counter[tuple[str, str]] = Counter()
    for fire in manifest.recording.fires:
        amounts[fire.campaign, fire.trigger] += fire.charged_bytes
    return dict(amounts)


def shares(manifest: ClipManifest, amounts: Mapping[AccountKey, int]) -> dict[AccountKey, int]:
    """What a clip that costs `amounts` costs its vehicle's shares of campaigns' totals, as far as these are limited."""
    vehicle_id = manifest.recording.vehicle_id
    of_total: Mapping[str, AccountKind] = {
        "campaign_bytes": "campaign_vehicle_bytes",
        "campaign_clips": "campaign_vehicle_clips",
    }
    return {
        AccountKey(of_total[key.kind], key.campaign, vehicle_id): amount
        for key, amount in amounts.items()
        if key.kind in of_total
    }
