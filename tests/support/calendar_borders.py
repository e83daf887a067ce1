"""No test begins right before a day ends: what it counts by day, month or year would be counted for two of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.waiting import wait_for

LAST = timedelta(minutes=1)
"""Of each day. What takes longer than this asks for no dates."""


def ends_soon(now: datetime) -> bool:
    """Whether this moment is in the last minute of a day of UTC."""
    return (now + LAST).astimezone(UTC).date() != now.astimezone(UTC).date()


@pytest.fixture(autouse=True)
def no_day_ends() -> None:
    """Wait for the new day in the last minute of the old one, once a day."""
    wait_for(lambda: not ends_soon(datetime.now(UTC)), within_s=2 * LAST.total_seconds(), what="the new day")
