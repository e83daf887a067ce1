"""Which metrics of the alert rules each source of the API has: an evaluation goes by that when one cannot be read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import pytest

from fleet_api.watching import source
from fleet_api.watching.alerts.watch import COUNTS, RULES_HERE, SOURCE_OF
from fleet_api.watching.source import WatchSource
from ingest.metrics import names
from ingest.metrics.sources import Disks
from storage.counts.outcomes import OutcomeCounts
from storage.database import Database
from storage.ledger import FleetTerms
from storage.rates.forecasts import Kept
from storage.watching.fleet import FleetNumbers, Planned
from storage.watching.numbers import Budget, Numbers
from tests.ingest.steward.forecasts.forecasts_support import backtest
from triggers.errors import Overloaded

MOMENT = datetime(2026, 12, 24, tzinfo=UTC)
BUDGETS = {name: Budget(limit=100, held=20, settled=10) for name in ("braking", "over")}
NUMBERS = Numbers(
    fleet=BUDGETS["over"],
    bytes=BUDGETS,
    clips=BUDGETS,
    completed={"over": "budget"},
    queues=dict.fromkeys(("open_uploads", "received_uploads", "unsent_events", "waiting_extractions"), 1),
    dead_letters={"invalid_manifest": 1},
)
ESTIMATE = {"mean": 700.0, "low": 500.0, "high": 900.0}
FORECAST = Kept(
    campaign="braking",
    version=1,
    unit="bytes",
    made_at=MOMENT,
    until=MOMENT,
    open_ended=False,
    rollout_from=None,
    progress=0.0,
    from_backtest=True,
    spent=0,
    forecast={
        "demand": ESTIMATE,
        "limit": None,
        "end": {"expected_ns": 10**18, "earliest_ns": None, "latest_ns": None},
    },
)
OF_TRIGGER = replace(FORECAST, trigger="other", forecast={**FORECAST.forecast, "limit": 600})
COUNTED = FleetNumbers(
    outcomes={("braking", 1): OutcomeCounts(fired=5, catalogued=3, in_flight=2, unaccounted=1, armed_ns=10**15)},
    plans={("braking", 1): Planned(backtest(2.0, 1000).model_dump(mode="json"), ran_lately=True)},
    budget_forecasts=[FORECAST, OF_TRIGGER],
    vehicles=dict.fromkeys(("enrolled", "seen", "quarantined", "stalled"), 1),
    label_jobs={"maneuvers": {"done": 1}},
)
"""Everything that alerts may be about."""


def not_counted(*_: Any) -> NoReturn:
    raise Overloaded("counting took too long", retry_after_s=1)


def read(database: Database) -> set[str]:
    """The metrics that the database's source has values of."""
    watching = WatchSource(Database(database.url, pool_size=2), FleetTerms())
    try:
        return {family.metric.name for family in watching.families() if list(family.samples)}
    finally:
        watching.close()


def test_the_source_of_every_metric_in_a_rule_is_the_one_that_reads_it(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "numbers", lambda *_: NUMBERS)
    monkeypatch.setattr(source, "fleet_numbers", not_counted)
    before_a_count = read(database)
    monkeypatch.setattr(source, "fleet_numbers", lambda *_: COUNTED)
    of_count = read(database) - before_a_count
    disks = Disks({"data": tmp_path})
    told: dict[str, str | None] = {
        **dict.fromkeys(before_a_count, WatchSource.name),
        **dict.fromkeys(of_count, COUNTS),
        **{family.metric.name: disks.name for family in disks.families()},
        names.COLLECTED.name: None,
    }
    needed = {series.name for rule in RULES_HERE for series in rule.condition.series()}
    assert {name: SOURCE_OF.get(name, WatchSource.name) for name in needed} == {name: told[name] for name in needed}
    assert SOURCE_OF.keys() <= needed, "no metric is named that no rule is about"
