"""A vehicle's list of campaigns: in their order, and the same from every replica."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fleet_api.vehicles.assignment import RunningCampaigns, assignments_of
from storage.campaigns.life import raise_revision
from storage.campaigns.queries import RunningCampaign
from storage.database import Database
from tests.support.fleet import add_version, campaign_settings
from triggers.contracts.campaign import BudgetLimits, RolloutStage

BEGAN = datetime(2026, 1, 5, 12, tzinfo=UTC)
DAY_NS = 86400 * 10**9
STAGES = (
    RolloutStage(share=0.1, duration_ns=DAY_NS),
    RolloutStage(share=0.5, duration_ns=DAY_NS),
    RolloutStage(share=1.0),
)


def campaign(name: str = "braking", **changes: Any) -> RunningCampaign:
    """A running campaign."""
    settings = campaign_settings(name, BudgetLimits()).model_copy(update=changes)
    return RunningCampaign(name, 1, settings, "0" * 64, BEGAN)


def ns(moment: datetime) -> int:
    """As ns since the epoch."""
    return int(moment.timestamp()) * 10**9


def test_important_campaigns_come_first() -> None:
    running = [campaign("a", priority=10), campaign("c", priority=90), campaign("b", priority=90)]
    assert [assignment.campaign for assignment in assignments_of(running, "car-1", {}, now_ns=ns(BEGAN))] == [
        "b",
        "c",
        "a",
    ]


@given(st.permutations(["a", "b", "c", "d"]), st.sampled_from(["x", "y", "z"]))
def test_the_order_in_which_campaigns_are_known_does_not_matter(names: list[str], vehicle_id: str) -> None:
    def of(order: list[str]) -> object:
        return assignments_of([campaign(name, rollout=STAGES) for name in order], vehicle_id, {}, now_ns=ns(BEGAN))

    assert of(names) == of(sorted(names))


def test_what_runs_is_read_again_when_the_revision_rises_and_only_then(database: Database) -> None:
    known = RunningCampaigns()
    assert known.at(database, 0) == (0, ())
    with database.begin() as connection:
        add_version(connection, "braking")
    assert known.at(database, 0) == (0, ()), "the revision did not rise"
    with database.begin() as connection:
        raise_revision(connection)
    revision, campaigns = known.at(database, 1)
    assert (revision, [running.campaign for running in campaigns]) == (1, ["braking"])
    assert known.at(database, 0)[0] == 1, "an older revision never comes back"
