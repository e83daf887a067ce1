"""The API's view of costs: what campaigns have cost and what it was for, closed months, and lines of statements."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from fleet_api.costs.focus import CONSUMED_UNITS, BillingAccount
from fleet_api.costs.rules import Entry
from fleet_api.statements.known import KnownCosts
from storage.campaigns.owners import CampaignOwner
from storage.costs.months import ClosedMonth, CostEntry
from storage.costs.uses import Uses
from triggers.contracts.api.costs.months import ClosedMonthView, CostEntryView
from triggers.contracts.api.costs.to_date import CostToDate, WasteView
from triggers.costs.amounts import total
from triggers.costs.charges import Charge, Service, Sku
from triggers.costs.months import DAY, Month, zone_named
from triggers.costs.units import UnitCosts, waste


def campaign_view(known: KnownCosts, campaign: str, uses: Uses) -> CostToDate:
    """What one campaign has cost."""
    return _view(campaign, known.charges.get(campaign, []), _received(known, [campaign]), uses)


def total_view(known: KnownCosts, uses: Uses) -> CostToDate:
    """What all campaigns have cost together."""
    charges = [charge for of_campaign in known.charges.values() for charge in of_campaign]
    return _view(None, charges, _received(known, known.caused), uses)


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


def _view(campaign: str | None, charges: list[Charge], received_bytes: int, uses: Uses) -> CostToDate:
    amount = total(charge.amount for charge in charges)
    units = UnitCosts.of(
        amount,
        vehicle_days=uses.vehicle_days,
        distance_m=uses.distance_m,
        clips=uses.clips,
        accepted_labels=uses.accepted_labels,
    )
    wasted = waste(amount, size_bytes=uses.size_bytes, unused_clips=uses.unused_clips, unused_bytes=uses.unused_bytes)
    return CostToDate(
        campaign=campaign,
        amount=exact(amount),
        by_sku=_by_sku(charges),
        received_bytes=received_bytes,
        clips=uses.clips,
        size_bytes=uses.size_bytes,
        vehicle_days=uses.vehicle_days,
        distance_m=uses.distance_m,
        accepted_labels=uses.accepted_labels,
        per_vehicle_day=_rounded(units.per_vehicle_day),
        per_1000_km=_rounded(units.per_1000_km),
        per_clip=_rounded(units.per_clip),
        per_accepted_label=_rounded(units.per_accepted_label),
        waste=WasteView(clips=wasted.clips, size_bytes=wasted.size_bytes, amount=exact(wasted.amount)),
    )


def _received(known: KnownCosts, campaigns: Iterable[str]) -> int:
    return sum(
        each.size_bytes
        for campaign in campaigns
        if campaign in known.caused
        for each in known.caused[campaign].transferred
        if each.day < known.end
    )


def _by_sku(charges: list[Charge]) -> dict[str, str]:
    skus = sorted({charge.sku for charge in charges})
    return {str(sku): exact(total(charge.amount for charge in charges if charge.sku == sku)) for sku in skus}


def _rounded(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"
