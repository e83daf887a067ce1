"""Use cases for forecasts: what budgets will be spent, and how good forecasts were."""

from __future__ import annotations

from fleet_api.forecasts.views import calibration_view, forecast_view
from fleet_api.services import Services
from storage.campaigns import names
from storage.campaigns.queries import get_versions
from storage.ledger.accounts import total_key
from storage.rates import forecasts, spending
from storage.rates.forecasts import UNITS, kept_forecasts
from triggers.contracts.api.rates.forecasts import ForecastList, PastForecasts
from triggers.contracts.users import Role, User
from triggers.errors import InvalidInput
from triggers.statistics.budget_forecast.kept import Stage, calibrate


def show_forecasts(services: Services, user: User, *, campaign: str | None, trigger: str = "") -> ForecastList:
    """The newest forecasts of one campaign, of the own budget of a trigger in it, or of all campaigns that run or wait.

    NotFound without such a campaign, or such a trigger with a budget of its own; InvalidInput for a trigger alone.
    """
    user.require(Role.VIEWER)
    with services.database.begin() as connection:
        if campaign is not None:
            get_versions(connection, campaign, limit=1)
        found = forecasts.current(connection, campaign)
        if trigger:
            if campaign is None:
                raise InvalidInput("`trigger` is sent without `campaign`", remedy="send both")
            names.require_trigger(connection, campaign, trigger, own_budget=True)
            found = [each for each in found if each.trigger == trigger]
        spent = spending.settled(connection, {each.campaign for each in found})
        past = {unit: kept_forecasts(forecasts.counted(connection, unit)) for unit in UNITS}
    return ForecastList(
        forecasts=[
            forecast_view(each, spent=spent.get(total_key(each.campaign, each.unit, each.trigger), 0)) for each in found
        ],
        past=[calibration_view(unit, calibrate(kept, stage)) for unit, kept in past.items() if kept for stage in Stage],
    )


def past_forecasts(services: Services, user: User, campaign: str, trigger: str, *, limit: int) -> PastForecasts:
    """The forecasts of a campaign, or of the own budget of a trigger in it, as they were kept, the newest first;
    NotFound without such a campaign, and without such a trigger with a budget of its own in any approved version."""
    user.require(Role.VIEWER)
    with services.database.begin() as connection:
        get_versions(connection, campaign, limit=1)
        if trigger:
            names.require_trigger(connection, campaign, trigger, ever=True, own_budget=True)
        found = forecasts.past(connection, campaign, trigger, limit=limit)
    return PastForecasts(forecasts=[forecast_view(each) for each in found])
