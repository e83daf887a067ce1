"""The export of costs as FOCUS 1.2: each entry of a statement as a row of a Cost and Usage dataset.

The FinOps Open Cost and Usage Specification, version 1.2: https://focus.finops.org/focus-specification/v1-2/.
Requirements that are not obvious are quoted beside the column. All costs of a row are the same: what the price book
says is the list price, the contracted price and what is billed, and nothing is paid in advance.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal

from fleet_api.costs.rules import Entry
from triggers.costs.charges import Charge, Service
from triggers.costs.months import DAY

Row = dict[str, str | None]
"""The values of a row by column, as the formats of the specification write them; None is null."""

COLUMNS = (
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "CommitmentDiscountStatus",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "InvoiceId",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingCategory",
    "PricingCurrency",
    "PricingCurrencyContractedUnitPrice",
    "PricingCurrencyEffectiveCost",
    "PricingCurrencyListUnitPrice",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "ServiceCategory",
    "ServiceName",
    "ServiceSubcategory",
    "SkuId",
    "SkuMeter",
    "SkuPriceDetails",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
    "Tags",
)
"""The columns of the export, in their order. Column Handling: columns may be sorted alphabetically."""


@dataclass(frozen=True, slots=True)
class BillingAccount:
    """Whose costs these are, and who is paid; `zone` is where the account's days and months begin at midnight."""

    id: str
    name: str
    provider: str
    """Who makes the resources available, such as the operator of the cloud."""
    publisher: str
    invoice_issuer: str
    zone: tzinfo = UTC
    tags: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The tags of each campaign, such as its owner and cost centre."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What FOCUS calls a service of ours. Service Name: has one category and one subcategory."""

    service: str
    category: str
    subcategory: str
    pricing_unit: str
    consumed_unit: str


_TRANSFER, _STORAGE = "Clip Transfer", "Clip Storage"
_KINDS = {
    Service.TRANSFER: _Kind(_TRANSFER, "Networking", "Network Connectivity", "GB", "B"),
    Service.REQUESTS: _Kind(_STORAGE, "Storage", "Object Storage", "1000 Requests", "Requests"),
    Service.STORAGE: _Kind(_STORAGE, "Storage", "Object Storage", "GB-Months", "B-Months"),
}


CONSUMED_UNITS = {service: kind.consumed_unit for service, kind in _KINDS.items()}
"""What the quantities of each service are in."""


def focus_row(entry: Entry, *, account: BillingAccount, currency: str) -> Row:
    """An entry as a row of a FOCUS 1.2 dataset."""
    charge, kind = entry.charge, _KINDS[entry.charge.sku.service]
    cost, price = _decimal(charge.amount), _decimal(charge.unit_price)
    tags = account.tags.get(entry.campaign)
    return {
        "BilledCost": cost,
        "BillingAccountId": account.id,
        "BillingAccountName": account.name,
        "BillingCurrency": currency,
        "BillingPeriodEnd": _moment(entry.month.end, account.zone),  # the exclusive end bound
        "BillingPeriodStart": _moment(entry.month.start, account.zone),
        "ChargeCategory": "Usage",
        # "MUST NOT be null when the row represents a correction to a previously invoiced billing period"
        "ChargeClass": "Correction" if entry.is_correction else None,
        "ChargeDescription": _description(entry),
        "ChargeFrequency": "Usage-Based",
        "ChargePeriodEnd": _moment(charge.end, account.zone),
        "ChargePeriodStart": _moment(charge.start, account.zone),
        # Nothing is paid in advance; the column is there because conditions of other columns name it.
        "CommitmentDiscountStatus": None,
        "ConsumedQuantity": _decimal(Decimal(charge.quantity)),
        "ConsumedUnit": kind.consumed_unit,
        # "The product of ContractedUnitPrice and PricingQuantity MUST match the ContractedCost": it equals it.
        "ContractedCost": cost,
        "ContractedUnitPrice": price,
        "EffectiveCost": cost,
        # "MUST be null when the charge is not associated with an invoice": the price book writes none.
        "InvoiceId": None,
        "InvoiceIssuerName": account.invoice_issuer,
        "ListCost": cost,
        "ListUnitPrice": price,
        "PricingCategory": "Standard",
        "PricingCurrency": currency,
        "PricingCurrencyContractedUnitPrice": price,
        "PricingCurrencyEffectiveCost": cost,
        "PricingCurrencyListUnitPrice": price,
        "PricingQuantity": _decimal(charge.priced_quantity),
        "PricingUnit": kind.pricing_unit,
        "ProviderName": account.provider,
        "PublisherName": account.publisher,
        "ServiceCategory": kind.category,
        "ServiceName": kind.service,
        "ServiceSubcategory": kind.subcategory,
        "SkuId": str(charge.sku),
        "SkuMeter": _meter(charge),
        "SkuPriceDetails": _price_details(charge),
        "SkuPriceId": str(charge.sku),  # "MAY equal SkuId"; temporal validity must be no part of it
        # "MUST be null when a charge is not related to a sub account": ours are the campaigns
        "SubAccountId": entry.campaign or None,
        "SubAccountName": entry.campaign or None,
        "Tags": _json(tags) if tags else None,
    }


def focus_csv(entries: Iterable[Entry], *, account: BillingAccount, currency: str) -> Iterator[str]:
    """The lines of a CSV file in UTF-8: the header, then a row for each entry; null is an empty field."""
    yield header()
    yield from lines(entries, account=account, currency=currency)


def header() -> str:
    """The first line of a CSV file: the columns."""
    return _line(COLUMNS)


def lines(entries: Iterable[Entry], *, account: BillingAccount, currency: str) -> Iterator[str]:
    """A line of a CSV file for each entry."""
    for entry in entries:
        row = focus_row(entry, account=account, currency=currency)
        yield _line(row[column] or "" for column in COLUMNS)


def _line(values: Iterable[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(values)
    return buffer.getvalue()


def _decimal(number: Decimal) -> str:
    """Numeric Format: digits and a point, a sign only when negative; no zeros at the end.

    Whole numbers have a point, too: readers of CSV guess a column's type, and would take one without for integers.

    >>> _decimal(Decimal("0.500")), _decimal(Decimal("-30")), _decimal(Decimal("-0E-9"))
    ('0.5', '-30.0', '0.0')
    """
    whole, _, decimals = f"{number if number else Decimal(0):f}".partition(".")  # zero can have a sign
    return f"{whole}.{decimals.rstrip('0') or '0'}"


def _moment(day: date, zone: tzinfo) -> str:
    """Date/Time Format: the beginning of a day in a zone, in UTC."""
    begins = datetime.combine(day, time(), zone).astimezone(UTC)
    return f"{begins:%Y-%m-%dT%H:%M:%SZ}"


def _json(values: Mapping[str, str]) -> str:
    """Key-Value Format: a JSON object without nested values."""
    return json.dumps(dict(sorted(values.items())), ensure_ascii=False)


def _meter(charge: Charge) -> str:
    """What the SKU measures, for people."""
    item = charge.sku.item
    names = {
        Service.TRANSFER: f"Transfer on {item}",
        Service.REQUESTS: f"Requests of kind {item}",
        Service.STORAGE: f"Storage in tier {item}",
    }
    return names[charge.sku.service]


def _price_details(charge: Charge) -> str | None:
    """SKU Price Details: of the properties that FOCUS defines, the tier of storage is one of ours."""
    return _json({"StorageClass": charge.sku.item}) if charge.sku.service is Service.STORAGE else None


def _description(entry: Entry) -> str:
    """The charge in a line, for people."""
    charge = entry.charge
    whose = f" of campaign {entry.campaign}" if entry.campaign else ""
    what = f"{_meter(charge)}{whose}, {charge.start} through {charge.end - DAY}"
    return f"Correction of {charge.month}: {what}" if entry.is_correction else what
