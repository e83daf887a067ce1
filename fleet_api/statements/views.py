"""The API's view of costs: what campaigns have cost and what it was for, closed months, and lines of statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from fleet_api.costs.focus import CONSUMED_UNITS, BillingAccount
from fleet_api.costs.rules import Entry
from fleet_api.statements.known import KnownCosts
from storage.campaigns.owners import CampaignOwner
from storage.costs.measured import OfCampaign
from storage.costs.months import ClosedMonth, CostEntry
from storage.costs.uses import Uses
from triggers.contracts.api.costs.months import ClosedMonthView, CostEntryView
from triggers.contracts.api.costs.to_date import CostToDate, WasteView
from triggers.costs.amounts import total
from triggers.costs.charges import Charge, Service, Sku
from triggers.costs.months import DAY, Month, zone_named
from triggers.costs.prices import RequestKind
from triggers.costs.units import UnitCosts, waste

_WRITE = Sku(Service.REQUESTS, RequestKind.WRITE)


def campaign_view(known: KnownCosts, campaign: str, uses: Uses) -> CostToDate:
    """What one campaign has cost."""
    return _view(campaign, known.charges.get(campaign, []), known.caused.get(campaign, OfCampaign()), uses)


def total_view(known: KnownCosts, uses: Uses) -> CostToDate:
    """What all campaigns have cost together."""
    charges = [charge for of_campaign in known.charges.values() for charge in of_campaign]
    # a clip of several campaigns is one, and one of them pays for its request
    written = sum(charge.quantity for charge in charges if charge.sku == _WRITE)
    of_all = OfCampaign(
        [each for of_campaign in known.caused.values() for each in of_campaign.caused],
        written,
        sum(of_campaign.clip_bytes for of_campaign in known.caused.values()),
    )
    return _view(None, charges, of_all, uses)


def exact(amount: Decimal) -> str:
    """An amount as a text with all of its digits, without zeros at its end.

    >>> exact(Decimal("0.500")), exact(Decimal("10")), exact(Decimal("-0E-9"))
    ('0.5', '10', '0')
    """
    text = f"{amount if amount else Decimal(0):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def closed_view(month: ClosedMonth) -> ClosedMonthView:
    """A closed month."""
    return ClosedMonthView(
        month=str(Month.of(month.month)),
        amount=exact(month.amount),
        currency=month.currency,
        entries=month.entries,
        price_book=month.price_book,
        zone=month.zone,
        closed_at=month.closed_at,
        closed_by=month.closed_by,
    )


def entry_view(number: int, entry: Entry) -> CostEntryView:
    """A line of a statement."""
    charge = entry.charge
    return CostEntryView(
        number=number,
        campaign=entry.campaign,
        sku=str(charge.sku),
        is_correction=entry.is_correction,
        start=charge.start,
        end=charge.end - DAY,
        quantity=charge.quantity,
        unit=CONSUMED_UNITS[charge.sku.service],
        unit_price=exact(charge.unit_price),
        amount=exact(charge.amount),
    )


def row_of(entry: Entry, number: int, *, owner: CampaignOwner | None) -> CostEntry:
    """The row that an entry is kept as, under its number in the month."""
    charge = entry.charge
    return CostEntry(
        month=entry.month.start,
        number=number,
        campaign=entry.campaign,
        service=str(charge.sku.service),
        item=charge.sku.item,
        start=charge.start,
        until=charge.end,
        unit_price=charge.unit_price,
        quantity=charge.quantity,
        tags={} if owner is None else _tags(owner),
    )


def _tags(owner: CampaignOwner) -> dict[str, str]:
    return {"owner": owner.owner} | ({"cost_centre": owner.cost_centre} if owner.cost_centre else {})


def entry_of(row: CostEntry) -> Entry:
    """The entry that is kept as a row."""
    sku = Sku(Service(row.service), row.item)
    charge = Charge(sku, row.start, row.until, row.unit_price, row.quantity)
    return Entry(Month.of(row.month), row.campaign, charge)


def account_of(month: ClosedMonth, rows: Iterable[CostEntry]) -> BillingAccount:
    """The account for which a month is billed, as it was when the month was closed, with the tags of these entries."""
    provider = month.account["provider"]
    return BillingAccount(
        id=month.account["id"],
        name=month.account["name"],
        provider=provider,
        publisher=provider,
        invoice_issuer=provider,
        zone=zone_named(month.zone),
        tags={row.campaign: row.tags for row in rows},
    )


def _view(campaign: str | None, charges: list[Charge], of: OfCampaign, uses: Uses) -> CostToDate:
    by_sku = _by_sku(charges)
    amount = total(by_sku.values())
    units = UnitCosts.of(
        amount,
        vehicle_days=uses.vehicle_days,
        distance_m=uses.distance_m,
        clips=of.clips,
        accepted_labels=uses.accepted_labels,
    )
    # a clip that a wrong clock dated after today may be used before it counts
    unused_clips, unused_bytes = max(0, of.clips - uses.used_clips), max(0, of.clip_bytes - uses.used_bytes)
    wasted = waste(amount, size_bytes=of.clip_bytes, unused_clips=unused_clips, unused_bytes=unused_bytes)
    return CostToDate(
        campaign=campaign,
        amount=exact(amount),
        by_sku={str(sku): exact(of_sku) for sku, of_sku in by_sku.items()},
        received_bytes=of.received_bytes,
        clips=of.clips,
        size_bytes=of.clip_bytes,
        vehicle_days=uses.vehicle_days,
        distance_m=uses.distance_m,
        accepted_labels=uses.accepted_labels,
        per_vehicle_day=_rounded(units.per_vehicle_day),
        per_1000_km=_rounded(units.per_1000_km),
        per_clip=_rounded(units.per_clip),
        per_accepted_label=_rounded(units.per_accepted_label),
        waste=WasteView(clips=wasted.clips, size_bytes=wasted.size_bytes, amount=exact(wasted.amount)),
    )


def _by_sku(charges: list[Charge]) -> dict[Sku, Decimal]:
    amounts: defaultdict[Sku, list[Decimal]] = defaultdict(list)
    for charge in charges:
        amounts[charge.sku].append(charge.amount)
    return {sku: total(amounts[sku]) for sku in sorted(amounts)}


def _rounded(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"
