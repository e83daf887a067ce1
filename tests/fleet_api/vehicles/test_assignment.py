"""Assignment: a pure function of campaign, vehicle and time, and the same from every replica."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fleet_api.vehicles.assignment import RunningCampaigns, assignments_of, is_assigned, share_at
from storage.campaigns.life import raise_revision
from storage.campaigns.queries import RunningCampaign
from storage.database import Database
from tests.support.fleet import add_version, campaign_settings
from triggers.contracts.campaign import BudgetLimits, Comparison, RolloutStage

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


def assigned(each: RunningCampaign, vehicle_id: str = "car-1", *, at: datetime = BEGAN, **attributes: Any) -> bool:
    """Whether a vehicle gets it."""
    return is_assigned(each, vehicle_id, attributes, now_ns=ns(at))


def test_the_share_follows_the_stages() -> None:
    shares = [share_at(STAGES, elapsed) for elapsed in (0, DAY_NS - 1, DAY_NS, 2 * DAY_NS - 1, 2 * DAY_NS, 99 * DAY_NS)]
    assert shares == [0.1, 0.1, 0.5, 0.5, 1.0, 1.0]


def test_a_share_of_the_fleet_is_admitted_and_stays() -> None:
    fleet = [f"car-{number}" for number in range(1000)]
    staged = campaign(rollout=STAGES)
    by_day = [{v for v in fleet if assigned(staged, v, at=BEGAN + timedelta(days=day))} for day in range(3)]
    assert 60 < len(by_day[0]) < 140
    assert by_day[0] < by_day[1] < by_day[2] == set(fleet)


def test_first_and_last_day_are_included_in_utc() -> None:
    dated = campaign(active_from=date(2026, 1, 6), active_to=date(2026, 1, 7))
    moments = [
        datetime(2026, 1, 5, 23, 59, 59, tzinfo=UTC),
        datetime(2026, 1, 6, tzinfo=UTC),
        datetime(2026, 1, 7, 23, 59, 59, tzinfo=UTC),
        datetime(2026, 1, 8, tzinfo=UTC),
    ]
    assert [assigned(dated, at=moment) for moment in moments] == [False, True, True, False]


def test_targets_are_matched() -> None:
    targeted = campaign(target=Comparison(attribute="region", op="==", values=("EU",)))
    assert [assigned(targeted, region="EU"), assigned(targeted, region="US"), assigned(targeted)] == [
        True,
        False,
        False,
    ]


def test_important_campaigns_come_first() -> None:
    running = [campaign("a", priority=10), campaign("c", priority=90), campaign("b", priority=90)]
    assert [each.campaign for each in assignments_of(running, "car-1", {}, now_ns=ns(BEGAN))] == ["b", "c", "a"]


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
    assert (revision, [each.campaign for each in campaigns]) == (1, ["braking"])
    assert known.at(database, 0)[0] == 1, "an older revision never comes back"
