"""Assignment: a pure function of a campaign's settings, the vehicle and the time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.triggers.assignment.rollouts import BEGAN, DAY_NS, STAGES, ns, settings_with
from triggers.assignment.rollout import share_at
from triggers.assignment.rules import Obstacle, next_change_ns, obstacle
from triggers.contracts.campaign import CampaignSettings, Comparison, RolloutStage


def assigned(settings: CampaignSettings, vehicle_id: str = "car-1", *, at: datetime = BEGAN, **attributes: Any) -> bool:
    """Whether a vehicle runs the campaign, of which the rollout began at BEGAN."""
    return obstacle(settings, vehicle_id, attributes, rollout_from_ns=ns(BEGAN), now_ns=ns(at)) is None


def test_the_share_follows_the_stages() -> None:
    shares = [share_at(STAGES, elapsed) for elapsed in (0, DAY_NS - 1, DAY_NS, 2 * DAY_NS - 1, 2 * DAY_NS, 99 * DAY_NS)]
    assert shares == [0.1, 0.1, 0.5, 0.5, 1.0, 1.0]


def test_a_share_of_the_fleet_is_admitted_and_stays() -> None:
    fleet = [f"car-{number}" for number in range(1000)]
    staged = settings_with(rollout=STAGES)
    by_day = [{v for v in fleet if assigned(staged, v, at=BEGAN + timedelta(days=day))} for day in range(3)]
    assert 60 < len(by_day[0]) < 140
    assert by_day[0] < by_day[1] < by_day[2] == set(fleet)


def test_a_rollout_that_is_held_admits_whom_it_admitted_then_and_changes_nobody_by_time() -> None:
    staged, fleet = settings_with(rollout=STAGES), [f"car-{number}" for number in range(200)]
    held_ns, later_ns = ns(BEGAN) + DAY_NS // 2, ns(BEGAN) + 9 * DAY_NS
    then, later = (
        {v for v in fleet if obstacle(staged, v, {}, rollout_from_ns=ns(BEGAN), now_ns=at, held_ns=held_ns) is None}
        for at in (held_ns, later_ns)
    )
    assert then == later and 0 < len(then) < 60
    assert next_change_ns(staged, rollout_from_ns=ns(BEGAN), now_ns=held_ns, is_held=True) is None


def test_first_and_last_day_are_included_in_utc() -> None:
    dated = settings_with(active_from=date(2026, 1, 6), active_to=date(2026, 1, 7))
    moments = [
        datetime(2026, 1, 5, 23, 59, 59, tzinfo=UTC),
        datetime(2026, 1, 6, tzinfo=UTC),
        datetime(2026, 1, 7, 23, 59, 59, tzinfo=UTC),
        datetime(2026, 1, 8, tzinfo=UTC),
    ]
    assert [assigned(dated, at=moment) for moment in moments] == [False, True, True, False]


def test_what_stands_in_the_way_of_an_assignment_is_told_the_days_first() -> None:
    targeted = {"target": Comparison(attribute="region", op="==", values=("EU",)), "rollout": STAGES}
    settings = settings_with(active_to=date(2026, 1, 6), **targeted)

    def told(vehicle_id: str, at: datetime, **attributes: Any) -> Obstacle | None:
        return obstacle(settings, vehicle_id, attributes, rollout_from_ns=ns(BEGAN), now_ns=ns(at))

    fleet = [f"car-{number}" for number in range(50)]
    assert {told(each, datetime(2026, 1, 8, tzinfo=UTC), region="EU") for each in fleet} == {Obstacle.DAYS}
    assert {told(each, BEGAN, region="US") for each in fleet} == {told("car-1", BEGAN)} == {Obstacle.TARGET}
    assert {told(each, BEGAN, region="EU") for each in fleet} == {None, Obstacle.STAGE}


def test_targets_are_matched() -> None:
    targeted = settings_with(target=Comparison(attribute="region", op="==", values=("EU",)))
    assert [assigned(targeted, region="EU"), assigned(targeted, region="US"), assigned(targeted)] == [
        True,
        False,
        False,
    ]


def test_a_vehicle_whose_version_is_not_one_is_told_from_those_that_the_target_leaves_out() -> None:
    target = Comparison(attribute="software", op=">=", values=("3.2.1",), as_versions=True)
    settings = settings_with(target=target)

    def told(**attributes: Any) -> Obstacle | None:
        return obstacle(settings, "car-1", attributes, rollout_from_ns=ns(BEGAN), now_ns=ns(BEGAN))

    assert told(software="3.10") is None
    assert told(software="3.2.1-rc1") is told() is Obstacle.TARGET
    assert told(software="v4") is told(software=3.3) is Obstacle.NOT_A_VERSION


def test_before_its_rollout_began_the_first_stage_holds() -> None:
    fleet = [f"car-{number}" for number in range(200)]
    staged = settings_with(rollout=STAGES)
    before, at_first = ([assigned(staged, v, at=BEGAN - timedelta(days=d)) for v in fleet] for d in (9, 0))
    assert before == at_first


days = st.none() | st.dates(date(2026, 1, 1), date(2026, 1, 12))
moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 14), timezones=st.just(UTC))


@given(first=days, last=days, rollout=st.sampled_from([STAGES, STAGES[1:], STAGES[2:]]), moment=moments, later=moments)
def test_nothing_changes_by_time_alone_before_the_moment_that_is_named(
    first: date | None, last: date | None, rollout: tuple[RolloutStage, ...], moment: datetime, later: datetime
) -> None:
    settings = settings_with(active_from=first, active_to=last, rollout=rollout)
    change_ns = next_change_ns(settings, rollout_from_ns=ns(BEGAN), now_ns=ns(moment))
    if later >= moment and (change_ns is None or ns(later) < change_ns):
        for vehicle in ("car-1", "car-2", "car-3", "car-4"):
            assert assigned(settings, vehicle, at=moment) == assigned(settings, vehicle, at=later)


def test_a_midnight_without_a_or_last_day_of_a_campaign_changes_nothing() -> None:
    settings = settings_with(active_from=date(2026, 1, 3), active_to=date(2026, 1, 9))
    named = [
        next_change_ns(settings, rollout_from_ns=ns(BEGAN), now_ns=ns(BEGAN + timedelta(days=d))) for d in (-4, 0, 9)
    ]
    assert named == [ns(datetime(2026, 1, 3, tzinfo=UTC)), ns(datetime(2026, 1, 10, tzinfo=UTC)), None]
    assert next_change_ns(settings_with(), rollout_from_ns=ns(BEGAN), now_ns=ns(BEGAN)) is None
