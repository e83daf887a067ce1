"""Reports of backtests as authors send them, made without a drive: of a trigger text, with the figures of a fleet."""

from __future__ import annotations

from typing import Any

from tests.fleet_api.api_server import SIGNALS
from triggers.contracts.api.backtests.stated import RanCampaign, WhatRan
from triggers.contracts.base import text_digest
from triggers.language.compile import compile_source
from triggers.signals.catalog import SignalCatalog


def expected(mean: float) -> dict[str, float]:
    return {"mean": mean, "low": mean / 2, "high": mean * 2}


def _counts(fires: int) -> dict[str, Any]:
    return {
        "fires": fires,
        "suppressed": 0,
        "drives": 2,
        "hours": 10.0,
        "known_hours": 10.0,
        "per_hour": fires / 10,
        "per_known_hour": fires / 10,
        "per_1000_km": None,
        "clip_bytes": 1000,
        "recordings": fires,
        "recording_bytes": 1000,
        "largest_drive": "secret street",
        "largest_share": 0.9,
        "unknown": {},
        "condition": {"true": 0.1, "false": 0.9, "unknown": 0.0},
        "parts": [],
        "why_not": "it came closest on drive secret street",
    }


def report_of(source: str, signals: str = SIGNALS, **changes: Any) -> dict[str, Any]:
    """A report of the programs of a text over two drives of 5 h; `changes` are of its `report`."""
    compilation = compile_source(source, filename="f", catalog=SignalCatalog.parse(signals, name="c"))
    campaigns = tuple(
        RanCampaign(settings=each.settings, digest=each.digest) for each in compilation.campaigns.values()
    )
    triggers = [trigger.name for campaign in campaigns for trigger in campaign.settings.triggers]
    volume = {
        f"{what}_per_{per}_day": expected(20.0) for what in ("fires", "clips", "bytes") for per in ("vehicle", "fleet")
    }
    run = WhatRan(
        longtail="1.0",
        file="f.trigger",
        source=source,
        catalog="c",
        catalog_digest=text_digest(signals),
        campaigns=campaigns,
    )
    drive = {"hours": 5.0, "km": None, "fires": 10, "share": 0.5, "first_ns": 0, "last_ns": 18_000_000_000_000}
    found = {"column": "lat", "problem": "outside", "count": 1, "drives": 1, "first_drive": "secret street", "row": 1}
    report = {
        "drives": 2,
        "rows": 1000,
        "hours": 10.0,
        "km": None,
        "triggers": {name: _counts(20) for name in triggers},
        "overlap": [],
        "compared": {},
        "events": [],
        "overflows": 0,
        "forecast": {
            "vehicles": 100,
            "hours_per_day": 2.0,
            "confidence": 0.95,
            "method": "poisson",
            "triggers": {name: {"sample_one_in": 1, **volume} for name in triggers},
            **volume,
        },
        "by_drive": [{"drive": name, **drive} for name in ("secret street", "b")],
        "left_out": [{"trigger": name, "drives": 1, "reason": "secret street has no column"} for name in triggers],
        "findings": [{**found, "value": "48.137"}],
        "uncounted": [],
        "budgets": [],
        "programs": [each.digest for each in campaigns],
        "failed_drives": [{"drive": "secret street", "problem": "p", "remedy": ""}],
    }
    fires = [{"trigger": name, "drive": "secret street", "t": 5.0} for name in triggers]
    return {"run": run.model_dump(mode="json"), "report": report | changes, "fires": fires}
