"""No test begins in the last minute of a day."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.support.calendar_borders import ends_soon


@pytest.mark.parametrize(
    ("moment", "soon"),
    [
        ("2026-12-31T23:58:59+00:00", False),
        ("2026-12-31T23:59:30+00:00", True),
        ("2027-01-01T00:00:00+00:00", False),
        ("2027-01-01T00:59:30+01:00", True),
        ("2026-12-31T23:59:30+01:00", False),
    ],
)
def test_the_last_minute_of_a_day_of_utc_is_waited_out(moment: str, soon: bool) -> None:
    assert ends_soon(datetime.fromisoformat(moment)) is soon
