"""The export of a deployment as FOCUS 1.2: every mandatory column, and what the FinOps Foundation's validator says."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests.fleet_api.api_server import Api
from tests.fleet_api.costs.test_focus import MANDATORY, NEVER_MET, VALIDATOR, failures
from tests.fleet_api.statements.calendar import arrive, move, prepare
from tests.triggers.costs.books import BOOK
from triggers.contracts.campaign import Network

pytestmark = pytest.mark.integration


@pytest.fixture
def exported(api: Api) -> str:
    """Three months of two campaigns, the last with corrections: a price changed, and a tier was gone through."""
    prepare(api.database, "braking", "swerve")
    assert api.post("/v1/price-books", {"prices": BOOK}, "operator").is_success
    clip = arrive(api.database, {"braking": 10}, "2026-01-05T12:00")
    move(api.database, clip, "DEEP_ARCHIVE", "2026-02-20T12:00")
    arrive(api.database, {"braking": 3, "swerve": 1}, "2026-02-05T12:00", network=Network.CELLULAR)
    costs = api.as_client("operator").costs
    for month in ("2026-01", "2026-02", "2026-03"):
        costs.close(month)
    assert api.post("/v1/price-books", {"prices": BOOK.replace("wifi: 0.05", "wifi: 0.06")}, "operator").is_success
    costs.close("2026-04")
    return b"".join(costs.focus()).decode()


def test_every_mandatory_column_is_there_and_only_the_class_is_null(exported: str) -> None:
    rows = list(csv.DictReader(io.StringIO(exported)))
    assert len(rows) > 10
    assert {row["ChargeClass"] for row in rows} == {"", "Correction"}
    for row in rows:
        assert {column for column in MANDATORY if not row[column]} <= {"ChargeClass"}
    assert {row["SkuId"] for row in rows} >= {"transfer:wifi", "transfer:cellular", "storage:hot", "storage:archive"}


@pytest.mark.skipif(VALIDATOR is None, reason="focus-validator is not installed (it needs Python 3.12)")
def test_the_validator_accepts_what_a_deployment_exports(exported: str, tmp_path: Path) -> None:
    path = tmp_path / "focus.csv"
    path.write_text(exported, "utf-8")
    assert failures(path) == NEVER_MET
