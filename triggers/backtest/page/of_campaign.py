"""What a report says of one campaign: the forecast that approvers see, and how its settings differ from a version's."""

from __future__ import annotations

from pydantic import ValidationError

from triggers.contracts.api.backtests.reports import ReportView
from triggers.contracts.api.backtests.stated import StatedReport
from triggers.contracts.api.campaigns import BacktestForecast, BudgetExpected, TriggerExpected
from triggers.contracts.campaign import CampaignSettings
from triggers.errors import Conflict, InvalidInput


def require_program(programs: list[str], name: str, digest: str) -> None:
    """Conflict unless a backtest ran the very program of a campaign or of one of its versions."""
    if digest not in programs:
        ran = ", ".join(each[:12] for each in programs[:5]) or "none"
        raise Conflict(
            f"the backtest did not run the program of {name} ({digest}), but others ({ran})",
            remedy="run it again with this trigger file and signal catalog",
        )


def forecast_of(report: ReportView, settings: CampaignSettings, digest: str) -> BacktestForecast:
    """What a report forecasts for a campaign; InvalidInput for one over clips, which has no forecast."""
    forecast = report.forecast
    if forecast is None:
        raise InvalidInput(
            "this backtest has no forecast: it ran over clips, which were recorded because something happened",
            remedy="run one over recorded drives, with --drives",
        )
    quantities = TriggerExpected.model_fields
    try:
        return BacktestForecast(
            program_digest=digest,
            drives=report.drives,
            hours=report.hours,
            vehicles=forecast.vehicles,
            hours_per_day=forecast.hours_per_day,
            triggers={
                trigger.name: TriggerExpected(**{name: getattr(expected, name) for name in quantities})
                for trigger in settings.triggers
                if (expected := forecast.triggers.get(trigger.name)) is not None
            },
            budgets=tuple(
                BudgetExpected(**use.model_dump(exclude={"campaign"}))
                for use in report.budgets
                if use.campaign == settings.name
            ),
        )
    except ValidationError as error:
        raise InvalidInput(
            f"the report has a forecast that cannot be: {error.errors()[0]['msg']}",
            remedy="run the backtest again, and send its report as it is",
        ) from error


def differences(stated: StatedReport, settings: CampaignSettings, catalog_digest: str) -> list[str]:
    """In what the report was made otherwise than a version is, though its program is the same; empty if in nothing."""
    found = []
    ran = [each.settings for each in stated.run.campaigns if each.settings.name == settings.name]
    if not ran:
        found.append("the report's file has no campaign of this name: its settings are those of others")
    elif ran[0] != settings:
        now, then = settings.model_dump(mode="json"), ran[0].model_dump(mode="json")
        changed = ", ".join(name for name in now if now[name] != then.get(name))
        found.append(f"the report was made with other settings: {changed} of the campaign are not those of the version")
    if stated.run.catalog_digest != catalog_digest:
        found.append("the report was made with another text of the signal catalog")
    forecast = {} if stated.report.forecast is None else stated.report.forecast.triggers
    for trigger in settings.triggers:
        expected, kept = forecast.get(trigger.name), settings.one_in(trigger)
        if expected is not None and expected.sample_one_in != kept:
            found.append(
                f"the forecast keeps 1 in {expected.sample_one_in} fires of {trigger.name}, and the version 1 in {kept}"
            )
    return found
