"""Planned vehicle-days: as many as the rollout admits."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.triggers.assignment.rollouts import BEGAN, DAY_NS, STAGES, ns, settings_with
from triggers.assignment.planned import planned_days
from triggers.assignment.rules import obstacle
from triggers.contracts.campaign import CampaignSettings


def vehicle_days(settings: CampaignSettings, days: float) -> list[float]:
    planned = planned_days(
        settings,
        1000,
        rollout_from_ns=ns(BEGAN),
        now_ns=ns(BEGAN),
        until_ns=ns(BEGAN + timedelta(days=days)),
    )
    return [day.vehicle_days for day in planned]


def test_days_end_at_midnight_and_the_last_one_with_the_plan() -> None:
    planned = planned_days(
        settings_with(), 10, rollout_from_ns=ns(BEGAN), now_ns=ns(BEGAN), until_ns=ns(BEGAN) + 2 * DAY_NS
    )
    ends = [datetime(2026, 1, 6), datetime(2026, 1, 7), datetime(2026, 1, 7, 12)]
    assert [day.until_ns for day in planned] == [ns(end.replace(tzinfo=UTC)) for end in ends]
    assert [day.vehicle_days for day in planned] == [5, 10, 5]


def test_each_stage_counts_for_its_part_of_a_day() -> None:
    """Stages change at noon."""
    assert vehicle_days(settings_with(rollout=STAGES), 4) == pytest.approx([50, 300, 750, 1000, 500])


def test_days_outside_the_campaigns_own_have_no_vehicles() -> None:
    limited = settings_with(active_from=date(2026, 1, 6), active_to=date(2026, 1, 7))
    assert vehicle_days(limited, 4) == [0, 1000, 1000, 0, 0]


def test_no_time_has_no_days() -> None:
    assert vehicle_days(settings_with(), 0) == []


def test_the_plan_is_what_assignment_admits() -> None:
    """Hour by hour over 500 vehicles, by the rule that check-ins follow."""
    settings = settings_with(rollout=STAGES, active_from=date(2026, 1, 6))
    hours = [ns(BEGAN + timedelta(hours=hour)) for hour in range(72)]
    admitted = sum(
        obstacle(settings, f"car-{vehicle}", {}, rollout_from_ns=ns(BEGAN), now_ns=now_ns) is None
        for vehicle in range(500)
        for now_ns in hours
    )
    assert sum(vehicle_days(settings, 3)) / 2 == pytest.approx(admitted / 24, rel=0.06)
