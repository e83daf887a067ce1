"""An approver sees what a campaign's forecast costs by the deployment's price book, or why that is not known."""

from __future__ import annotations

from datetime import date
from typing import Any

from fleet_api.costs.expected import expected_cost
from tests.fleet_api.api_server import Api, campaign_text
from tests.triggers.costs.books import BOOK, WORKED_EXAMPLE
from triggers.contracts.api.campaigns import BacktestForecast
from triggers.contracts.campaign import BudgetLimits, CampaignSettings, Network, TriggerSettings, UploadRoute

DAY = date(2026, 1, 1)
NS_PER_DAY = 86_400_000_000_000


def forecast(high: float | None = 30e9) -> BacktestForecast:
    volume: dict[str, Any] = {"mean": 10e9, "low": 5e9, "high": high}
    clips = {"mean": 100.0, "low": 100.0, "high": 100.0}
    return BacktestForecast.model_validate(
        {
            "program_digest": "0" * 64,
            "drives": 3,
            "hours": 1.5,
            "vehicles": 1,
            "hours_per_day": 1.0,
            "triggers": {
                "swerve": {
                    "fires_per_fleet_day": clips,
                    "clips_per_fleet_day": clips,
                    "bytes_per_fleet_day": volume,
                    "bytes_per_vehicle_day": volume,
                }
            },
            "budgets": (),
        }
    )


def campaign(*networks: Network, retain_ns: int | None = None) -> CampaignSettings:
    return CampaignSettings(
        name="swerves",
        triggers=(TriggerSettings.model_validate({"name": "swerve", "cooldown_ns": 0, "capture": CAPTURE}),),
        budget=BudgetLimits(total_bytes=1),
        upload=tuple(UploadRoute(network=network) for network in networks),
        retain_ns=retain_ns,
    )


CAPTURE = {"before_ns": 1, "after_ns": 1, "signals": ("ego.speed",)}


def test_a_days_clips_cost_what_the_worked_example_costs() -> None:
    shown = expected_cost(forecast(), campaign(Network.WIFI), version=3, text=WORKED_EXAMPLE, today=DAY)
    assert (shown.price_book, shown.currency, shown.day, shown.unknown) == (3, "EUR", DAY, None)
    (cost,) = shown.costs
    assert (cost.trigger, cost.network) == ("swerve", Network.WIFI)
    assert (cost.mean, cost.low, cost.high) == ("1.724000000", "0.862000000", "5.172000000")


def test_each_network_of_the_campaign_has_its_cost_and_retention_ends_it() -> None:
    settings = campaign(Network.WIFI, Network.CELLULAR, retain_ns=30 * NS_PER_DAY + 1)
    shown = expected_cost(forecast(), settings, version=1, text=WORKED_EXAMPLE, today=DAY)
    assert [(cost.network, cost.mean) for cost in shown.costs] == [
        (Network.WIFI, "0.710000000"),
        (Network.CELLULAR, "9.210000000"),
    ]


def test_what_is_not_known_is_said() -> None:
    without_bounds = expected_cost(forecast(None), campaign(Network.WIFI), version=1, text=BOOK, today=DAY)
    assert (without_bounds.costs, without_bounds.currency) == ([], None)
    assert "a quantity without bounds" in (without_bounds.unknown or "")
    too_early = expected_cost(forecast(), campaign(Network.WIFI), version=1, text=BOOK, today=date(2025, 1, 1))
    assert "no prices for 2025-01-01" in (too_early.unknown or "")
    unreadable = expected_cost(forecast(), campaign(Network.WIFI), version=1, text="a newer form", today=DAY)
    assert "the price book:1" in (unreadable.unknown or "")


def test_an_approver_sees_it_in_the_review(api: Api) -> None:
    digest = api.apply(campaign_text()).json()["program_digest"]
    sent = forecast().model_dump(mode="json") | {"program_digest": digest}
    sent["triggers"] = {"hard_brake": sent["triggers"]["swerve"]}
    assert api.apply(campaign_text(), forecast=sent).json()["version"] == 1
    assert api.get("/v1/campaigns/braking/1").json()["review"]["expected_cost"] is None, "no price book is published"
    prices = WORKED_EXAMPLE.replace("2026-01-01", "2020-01-01")
    assert api.post("/v1/price-books", {"prices": prices}, "operator").status_code == 201
    shown = api.get("/v1/campaigns/braking/1").json()["review"]["expected_cost"]
    assert (shown["price_book"], shown["currency"], shown["unknown"]) == (1, "EUR", None)
    assert [(cost["trigger"], cost["network"]) for cost in shown["costs"]] == [("hard_brake", "wifi")]
    assert float(shown["costs"][0]["low"]) < float(shown["costs"][0]["mean"]) < float(shown["costs"][0]["high"])
