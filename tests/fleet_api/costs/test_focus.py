"""The export as FOCUS 1.2 has the specification's columns, types, formats and units, and its validator accepts it.

The validator (`focus-validator` on PyPI) needs Python 3.12 and versions of numpy and others that this project does not
have, so it is asked where it is installed: as a program on the path, or the one that FOCUS_VALIDATOR names.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_api.costs.focus import COLUMNS, BillingAccount, Row, focus_csv, focus_row
from fleet_api.costs.rules import Entry, closing_entries, corrections
from tests.triggers.costs.books import price_book
from triggers.contracts.campaign import Network
from triggers.costs.amounts import total
from triggers.costs.charges import Charge, Requested, Service, Sku, Transferred, request_charges, transfer_charges
from triggers.costs.months import Month
from triggers.costs.prices import RequestKind
from triggers.costs.storage import Stored, storage_charges

VALIDATOR = os.environ.get("FOCUS_VALIDATOR") or shutil.which("focus-validator")
CRITERIA = (
    "ACCOUNT_NAMING_SUPPORTED",
    "NEGOTIATED_PRICING_SUPPORTED",
    "PUBLIC_PRICE_LIST_SUPPORTED",
    "USAGE_MEASUREMENT_SUPPORTED",
    "UNIT_PRICING_SUPPORTED",
    "SUB_ACCOUNT_SUPPORTED",
    "TAGGING_SUPPORTED",
)
"""What the validator is told that the export has; all others are things that Longtail's costs do not have."""
NEVER_MET = {"InvoiceId-C-005-C"}
"""A rule says that InvoiceId is not null, the one before it that it is null; the one above them asks for either."""
ACCOUNT = BillingAccount(
    "fleet-eu",
    "Fleet EU",
    provider="Example Cloud",
    publisher="Example Cloud",
    invoice_issuer="Example Cloud",
    tags={"swerve": {"owner": "ana@example.com", "cost_centre": "4711"}},
)
# The columns whose feature level is Mandatory in the specification.
MANDATORY = {
    *("BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd"),
    *("BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargePeriodEnd"),
    *("ChargePeriodStart", "ContractedCost", "EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity"),
    *("PricingUnit", "ProviderName", "PublisherName", "ServiceCategory", "ServiceName"),
}
NULLABLE = {
    "ChargeClass",
    "CommitmentDiscountStatus",
    "InvoiceId",
    "SkuPriceDetails",
    "SubAccountId",
    "SubAccountName",
    "Tags",
}
DECIMALS = {column for column in COLUMNS if column.endswith(("Cost", "Price", "Quantity"))}
MOMENTS = {column for column in COLUMNS if column.endswith(("Start", "End"))}
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+", re.ASCII)


def statements() -> list[Entry]:
    """Two months of two campaigns and of none: every service, a change of prices, and corrections of both signs."""
    book, november, december = price_book(), Month(2026, 11), Month(2026, 12)
    transferred = [
        Transferred(date(2026, 11, 3), Network.WIFI, 10**10),
        Transferred(date(2026, 11, 4), Network.CELLULAR, 123_456_789),
    ]
    stored = [Stored(date(2026, 8, 15), None, 7 * 10**9, objects=70), Stored(date(2026, 11, 3), None, 10**10)]
    requests = [Requested(date(2026, 11, 3), RequestKind.WRITE, 101), Requested(date(2026, 11, 9), RequestKind.READ, 7)]
    charges = {
        "swerve": [
            *transfer_charges(book, transferred),
            *request_charges(book, requests),
            *storage_charges(book, stored, november.start, december.end),
        ],
        "": transfer_charges(book, [Transferred(date(2026, 12, 5), Network.WIFI, 1)]),
    }
    closed = closing_entries(november, charges)
    late = {
        "swerve": [*charges["swerve"][1:], *transfer_charges(book, [Transferred(date(2026, 11, 30), Network.WIFI, 5)])]
    }
    return [*closed, *closing_entries(december, charges), *corrections(november, closed, late, into=december)]


def rows() -> list[Row]:
    return [focus_row(entry, account=ACCOUNT, currency="EUR") for entry in statements()]


def test_a_row_has_every_column_and_only_those() -> None:
    assert list(COLUMNS) == sorted(COLUMNS)
    assert set(COLUMNS) >= MANDATORY
    for row in rows():
        assert tuple(row) == COLUMNS
        assert {column for column, value in row.items() if value is None} <= NULLABLE
        assert "" not in row.values()


def test_values_have_the_types_of_the_specification() -> None:
    for row in rows():
        for column in DECIMALS:
            assert NUMBER.fullmatch(row[column] or ""), column
        for column in MOMENTS:
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row[column] or ""), column
        for column in ("Tags", "SkuPriceDetails"):
            values = json.loads(row[column] or "{}")
            assert all(isinstance(value, str) for value in values.values())


def test_the_example_has_every_service_and_both_kinds_of_entries() -> None:
    found = {(row["ServiceName"], row["PricingUnit"], row["ConsumedUnit"], row["ChargeClass"]) for row in rows()}
    assert found >= {
        ("Clip Transfer", "GB", "B", None),
        ("Clip Transfer", "GB", "B", "Correction"),
        ("Clip Storage", "1000 Requests", "Requests", None),
        ("Clip Storage", "GB-Months", "B-Months", None),
    }


def test_a_correction_is_billed_in_the_open_month_for_the_days_of_the_closed_one() -> None:
    corrected = [row for row in rows() if row["ChargeClass"] == "Correction"]
    assert corrected
    for row in corrected:
        assert (row["BillingPeriodStart"], row["BillingPeriodEnd"]) == ("2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z")
        assert (row["ChargePeriodStart"], row["ChargePeriodEnd"]) == ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z")
        assert (row["ChargeDescription"] or "").startswith("Correction of 2026-11: Transfer on ")


def test_a_row_says_what_it_is_in_words() -> None:
    entry = Entry(
        Month(2026, 1),
        "swerve",
        Charge(Sku(Service.STORAGE, "hot"), date(2026, 1, 1), date(2026, 2, 1), Decimal("0.021"), 3 * 10**10),
    )
    row = focus_row(entry, account=ACCOUNT, currency="EUR")
    assert row["ChargeDescription"] == "Storage in tier hot of campaign swerve, 2026-01-01 through 2026-01-31"
    assert (row["SkuId"], row["SkuMeter"], row["SkuPriceDetails"]) == (
        "storage:hot",
        "Storage in tier hot",
        '{"StorageClass": "hot"}',
    )
    assert (row["PricingQuantity"], row["ListUnitPrice"], row["BilledCost"]) == ("30.0", "0.021", "0.63")
    assert (row["SubAccountId"], row["Tags"]) == ("swerve", '{"cost_centre": "4711", "owner": "ana@example.com"}')


def test_months_begin_at_midnight_in_the_zone_of_the_account() -> None:
    account = BillingAccount("a", "A", "P", "P", "P", zone=ZoneInfo("Europe/Berlin"))
    entry = Entry(
        Month(2026, 3),
        "",
        Charge(Sku(Service.TRANSFER, "wifi"), date(2026, 3, 1), date(2026, 4, 1), Decimal("0.05"), 1),
    )
    row = focus_row(entry, account=account, currency="EUR")
    assert (row["BillingPeriodStart"], row["BillingPeriodEnd"]) == ("2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z")
    assert (row["SubAccountId"], row["Tags"]) == (None, None)


@given(
    st.sampled_from([Sku(Service.TRANSFER, "wifi"), Sku(Service.REQUESTS, "write"), Sku(Service.STORAGE, "hot")]),
    st.decimals(0, 10**8, allow_nan=False, allow_infinity=False, places=9),
    st.integers(-(2**63), 2**63),
)
def test_the_cost_of_a_row_is_exactly_its_price_times_its_quantity(sku: Sku, price: Decimal, quantity: int) -> None:
    entry = Entry(Month(2026, 1), "", Charge(sku, date(2026, 1, 1), date(2026, 2, 1), price, quantity))
    row = focus_row(entry, account=ACCOUNT, currency="EUR")
    assert Fraction(row["ListUnitPrice"] or "") * Fraction(row["PricingQuantity"] or "") == Fraction(
        row["ListCost"] or ""
    )
    assert all(NUMBER.fullmatch(row[column] or "") for column in DECIMALS)
    assert len({row["ListCost"], row["ContractedCost"], row["EffectiveCost"], row["BilledCost"]}) == 1


def test_the_file_adds_up_to_the_statements(tmp_path: Path) -> None:
    path = write(tmp_path)
    with path.open(newline="", encoding="utf-8") as file:
        read = list(csv.DictReader(file))
    assert tuple(read[0]) == COLUMNS
    assert [{column: value or None for column, value in row.items()} for row in read] == rows()
    assert total(Decimal(row["BilledCost"]) for row in read) == total(entry.charge.amount for entry in statements())


@pytest.mark.skipif(VALIDATOR is None, reason="focus-validator is not installed (it needs Python 3.12)")
def test_the_validator_accepts_it(tmp_path: Path) -> None:
    assert failures(write(tmp_path)) == NEVER_MET


def failures(path: Path) -> set[str]:
    """The rules that the validator finds broken in a file."""
    assert VALIDATOR is not None
    command = [VALIDATOR, "--data-file", str(path), "--validate-version", "1.2", "--block-download"]
    command += ["--applicability-criteria", ",".join(CRITERIA)]
    # It opens its list of currencies by a path relative to the folder that it is installed in.
    (installed,) = Path(VALIDATOR).resolve().parent.parent.glob("lib/python3*/site-packages")
    done = subprocess.run(command, capture_output=True, text=True, timeout=540, cwd=installed, check=False)
    path.with_name("report.txt").write_text(done.stdout + done.stderr, "utf-8")
    outcomes = dict(re.findall(r"^\S+ (\S+): (PASS|FAIL|SKIPPED)\b", done.stdout, re.MULTILINE))
    assert done.returncode == 0, done.stderr[-2000:]
    assert len(outcomes) > 500
    return {rule for rule, outcome in outcomes.items() if outcome == "FAIL"}


def write(folder: Path) -> Path:
    path = folder / "focus.csv"
    path.write_text("".join(focus_csv(statements(), account=ACCOUNT, currency="EUR")), "utf-8")
    return path
