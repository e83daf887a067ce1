"""The API's views of forecasts, and of how good those of the past were."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from storage.rates.forecasts import Kept
from triggers.contracts.api.budget import AccountUnit
from triggers.contracts.api.rates.estimates import Estimate
from triggers.contracts.api.rates.forecasts import CalibrationView, EndView, ForecastView, StageName
from triggers.statistics.budget_forecast.kept import Calibration, stage_of
from triggers.times import NS_PER_S


def forecast_view(kept: Kept, *, spent: int | None = None) -> ForecastView:
    """A forecast; `spent` is what has settled by now, None for what had when it was made."""
    document = kept.forecast
    per_day, remaining, total, demand = (
        Estimate(**document[name]) for name in ("per_day", "remaining", "total", "demand")
    )
    return ForecastView(
        campaign=kept.campaign,
        version=kept.version,
        trigger=kept.trigger,
        unit=kept.unit,
        made_at=kept.made_at,
        until=kept.until,
        open_ended=kept.open_ended,
        stage=_stage(stage_of(kept.progress).value),
        from_backtest=kept.from_backtest,
        spent=kept.spent if spent is None else spent,
        limit=document["limit"],
        per_day=per_day,
        remaining=remaining,
        total=total,
        demand=demand,
        end=_end(document["end"]),
        factor=document["factor"],
        actual=kept.actual,
        compared_until=kept.compared_until,
        expected=None if kept.compared_until is None else Estimate.of(kept.shown),
    )


def calibration_view(unit: AccountUnit, found: Calibration) -> CalibrationView:
    """How good the forecasts of a stage were."""
    return CalibrationView(
        unit=unit,
        stage=_stage(found.stage.value),
        forecasts=found.forecasts,
        held=found.held,
        held_share=None if found.held_share is None else Estimate.of(found.held_share),
        median_error=found.median_error,
        factor=found.factor,
    )


def _stage(name: str) -> StageName:
    stages: Mapping[str, StageName] = {
        "before": "before",
        "first_half": "first_half",
        "second_half": "second_half",
    }
    return stages[name]


def _end(document: dict[str, Any] | None) -> EndView | None:
    if document is None:
        return None
    expected, earliest, latest = (_moment(document[f"{name}_ns"]) for name in ("expected", "earliest", "latest"))
    return EndView(expected=expected, earliest=earliest, latest=latest)


def _moment(t_ns: int | None) -> datetime | None:
    return None if t_ns is None else datetime.fromtimestamp(t_ns // NS_PER_S, UTC)
