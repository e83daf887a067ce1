"""What would have become of fires: recordings that they share, and the limits of campaigns that drop their clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from triggers.backtest.limits.outcomes import FireFate, fire_outcomes
from triggers.backtest.plan import make_plan
from triggers.backtest.result import DriveResult
from triggers.language.compile import compile_source
from triggers.signals.catalog import SignalCatalog

CATALOG = SignalCatalog.parse("signals: {ego.speed: {unit: m/s, rate: 10}}", name="signals")
S = 1_000_000_000
SIZE = 1000


def fates(campaigns: str, *times_s: int, of_trigger: str = "") -> list[tuple[int, FireFate, str | None]]:
    """Recording, fate and reason of fires at these times, whose recordings have 1,000 bytes each."""
    source = f"trigger a {{ when ego.speed > 1 m/s capture 1 s before, 1 s after {of_trigger} }}\n" + campaigns
    compilation = compile_source(source, filename="file.trigger", catalog=CATALOG)
    compilation.require_ok("file.trigger")
    drive = DriveResult("d", Path("d"), fires_ns={"a": np.array([t * S for t in times_s], np.int64)})
    drive.clip_bytes = {"a": np.full(len(times_s), SIZE)}
    drive.recording_bytes = {"a": np.full(len(times_s), SIZE)}
    outcomes = fire_outcomes(make_plan(compilation), drive, CATALOG, at_most=100)
    assert [each.t_ns for each in outcomes] == [t * S for t in times_s]
    return [(each.recording, each.fate, each.reason) for each in outcomes]


def test_fires_whose_windows_touch_share_a_recording() -> None:
    kept = FireFate.KEPT, None
    assert fates("campaign c { collect a budget 1 GB total }", 10, 12, 20) == [(0, *kept), (0, *kept), (1, *kept)]


def test_no_campaign_keeps_what_none_collects() -> None:
    assert fates("", 10) == [(0, FireFate.UNCOLLECTED, None)]


def test_a_sampled_campaign_keeps_by_chance() -> None:
    assert fates("campaign c { collect a sample 1 in 4 budget 1 GB total }", 10) == [(0, FireFate.SAMPLED, None)]


def test_a_trigger_says_for_itself_whether_it_is_sampled() -> None:
    campaign = "campaign c { collect a sample 1 in 4 budget 1 GB total }"
    assert fates(campaign, 10, of_trigger="sample 1 in 1") == [(0, FireFate.KEPT, None)]
    campaign = "campaign c { collect a budget 1 clips per vehicle per day then drop }"
    assert [fate for _, fate, _ in fates(campaign, 10, 20, of_trigger="sample 1 in 2")] == [FireFate.SAMPLED] * 2


def test_a_triggers_own_day_drops_beside_that_of_its_campaign() -> None:
    campaign = "campaign c { collect a budget 3 clips per vehicle per day then drop }"
    drops = fates(campaign, 10, 20, 30, of_trigger="budget 2500 B per vehicle per day then drop")
    assert [fate for _, fate, _ in drops] == [FireFate.KEPT, FireFate.KEPT, FireFate.DROPPED]
    told = "2000 of the 2500 bytes that `a` in c has for a vehicle's day were used, and its clip has 1000"
    assert drops[2][2] == told
    keeps = fates(campaign, 10, 20, 30, of_trigger="budget 2500 B per vehicle per day")
    assert [fate for _, fate, _ in keeps] == [FireFate.KEPT] * 3
    ((_, fate, reason),) = fates(campaign, 10, of_trigger="budget 500 B total")
    told = "its clip has 1000 bytes, more than the 500 of the budget in total in `a` in c"
    assert (fate, reason) == (FireFate.DROPPED, told)


@pytest.mark.parametrize(
    ("clauses", "what"),
    [
        ("budget 1 GB total upload up to 500 B on wifi", "500 of `upload`"),
        ("budget 500 B per vehicle per day, 1 GB total", "500 of the budget of a vehicle's day"),
        ("budget 500 B total", "500 of the budget in total"),
    ],
)
def test_a_clip_that_is_larger_than_a_limit_is_dropped(clauses: str, what: str) -> None:
    ((_, fate, reason),) = fates(f"campaign c {{ collect a {clauses} }}", 10)
    assert (fate, reason) == (FireFate.DROPPED, f"its clip has 1000 bytes, more than the {what} in c")


def test_a_spent_day_drops_only_where_the_campaign_says_so() -> None:
    day = "budget 2500 B per vehicle per day"
    drops = fates(f"campaign c {{ collect a {day} then drop, 1 GB total }}", 10, 20, 30)
    assert [fate for _, fate, _ in drops] == [FireFate.KEPT, FireFate.KEPT, FireFate.DROPPED]
    assert drops[2][2] == "2000 of the 2500 bytes that c has for a vehicle's day were used, and its clip has 1000"
    clips = fates("campaign c { collect a budget 2 clips per vehicle per day then drop, 1 GB total }", 10, 20, 30)
    assert [fate for _, fate, _ in clips] == [FireFate.KEPT, FireFate.KEPT, FireFate.DROPPED]
    assert clips[2][2] == "all of the 2 clips that c has for a vehicle's day were used"
    keeps = fates(f"campaign c {{ collect a {day}, 1 GB total }}", 10, 20, 30)
    assert [fate for _, fate, _ in keeps] == [FireFate.KEPT] * 3


def test_one_campaign_that_keeps_it_is_enough() -> None:
    both = "campaign c { collect a budget 500 B total }\ncampaign d { collect a budget 1 GB total }"
    assert fates(both, 10) == [(0, FireFate.KEPT, None)]
