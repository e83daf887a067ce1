"""What an approver looks at: every setting with its unit, the program's cost, and the difference to what runs now."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from fleet_api.campaigns.difference import unified
from fleet_api.campaigns.reports.views import summary_view as report_summary
from fleet_api.campaigns.settings_text import settings_text
from fleet_api.costs.expected import expected_cost
from storage.campaigns.queries import StoredContent, settings_of
from storage.campaigns.reports import AttachedSummary
from triggers.contracts.api.campaigns import BacktestForecast, CostView, ReviewView
from triggers.contracts.api.costs.expected import ExpectedCostView
from triggers.contracts.base import text_digest
from triggers.errors import InvalidInput
from triggers.language.webassembly.host.manifest import read_manifest


def review(
    content: StoredContent,
    other: StoredContent | None,
    *,
    runs: int | None,
    catalogs: list[str],
    prices: tuple[int, str] | None,
    today: date,
    report: AttachedSummary | None,
    backtest_digest: str | None,
) -> ReviewView:
    """The review of a version; `other` is the version that runs, unless it is the same one or none runs.

    `catalogs` are the published versions of its signal catalog, `prices` the newest price book: version and text,
    `report` that of the author's backtest, `backtest_digest` covers it and the forecast.
    """
    forecast = None if content.forecast is None else forecast_of(content.forecast)
    return ReviewView(
        catalog_digest=text_digest(content.signal_catalog),
        catalogs=catalogs,
        settings=_settings(content),
        cost=cost_of_program(content.program),
        forecast=forecast,
        expected_cost=None if forecast is None or prices is None else _expected(forecast, content, prices, today),
        report=None if report is None else report_summary(report),
        backtest_digest=backtest_digest,
        runs=runs,
        difference="" if other is None else "\n".join(differences(other, content).values()),
    )


def _expected(
    forecast: BacktestForecast, content: StoredContent, prices: tuple[int, str], today: date
) -> ExpectedCostView:
    version, text = prices
    return expected_cost(forecast, settings_of(content.settings), version=version, text=text, today=today)


def cost_of_program(program: bytes) -> CostView | None:
    """What a program costs a vehicle; None for bytes that are not a module of this release's format."""
    try:
        manifest = read_manifest(program)
    except InvalidInput:
        return None
    return CostView(
        state_bytes=manifest.state.size_bytes,
        operations_per_tick=manifest.cost.operations_per_tick,
        operations_per_block=manifest.cost.operations_per_block,
        burst_operations=manifest.cost.burst_operations,
    )


def forecast_of(stored: dict[str, Any]) -> BacktestForecast:
    """A forecast, parsed from its column."""
    return BacktestForecast.model_validate_json(json.dumps(stored))


def _settings(content: StoredContent) -> dict[str, str]:
    # As the bundle has them: the database keeps a JSON object's members in an order of its own.
    return settings_text(settings_of(content.settings).model_dump(mode="json"))


def differences(old: StoredContent, new: StoredContent) -> dict[str, str]:
    """How a version differs from another one: a unified difference for each part of it that does, by its name."""
    texts = (
        ("settings", _listed(_settings(old)), _listed(_settings(new))),
        ("cost", _cost(old), _cost(new)),
        ("trigger text", old.source, new.source),
        ("signal catalog", old.signal_catalog, new.signal_catalog),
    )
    parts = {
        what: unified(
            before, after, old_name=f"version {old.version}: {what}", new_name=f"version {new.version}: {what}"
        )
        for what, before, after in texts
    }
    return {what: text for what, text in parts.items() if text}


def _listed(settings: dict[str, str]) -> str:
    return "\n".join(f"{path}: {text}" for path, text in settings.items())


def _cost(content: StoredContent) -> str:
    cost = cost_of_program(content.program)
    return "" if cost is None else "\n".join(f"{name}: {value:,}" for name, value in cost.model_dump().items())
