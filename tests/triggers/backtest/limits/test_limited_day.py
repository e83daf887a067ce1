"""A day of a fleet under the limits of campaigns: which share of its clips they refuse, and bytes by network."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest

from triggers.backtest.forecast import NS_PER_HOUR, ForecastFleet, make_forecast
from triggers.backtest.limits.clip_ring import ClipRing, Integers, Numbers
from triggers.backtest.limits.limited_day import LimitedDay, limited_days
from triggers.backtest.page.limited import refusals
from triggers.backtest.plan import make_plan
from triggers.backtest.result import DriveResult
from triggers.errors import InvalidInput
from triggers.language.compile import compile_source
from triggers.signals.catalog import SignalCatalog

CATALOG = SignalCatalog.parse("signals: {ego.speed: {unit: m/s, rate: 10}}", name="signals")
SIZE = 1000
FLEET = ForecastFleet(vehicles=100, hours_per_day=1.0)
TEN_AN_HOUR = tuple((place + 0.5) / 10 for place in range(100))
"""Of a drive of ten hours, in h."""
IN_AN_HOUR = TEN_AN_HOUR[:10]


def drive(at_h: Iterable[float], *, hours: float = 10.0, name: str = "d", **sizes: Sequence[int]) -> DriveResult:
    """A drive on which triggers fired at these times; each has SIZE bytes, or by trigger those that are given."""
    fires_ns = np.array([round(at * NS_PER_HOUR) for at in at_h], np.int64)
    result = DriveResult(name, Path(name), last_ns=round(hours * NS_PER_HOUR), recorded_ns=round(hours * NS_PER_HOUR))
    for trigger, of_trigger in (sizes or {"a": [SIZE] * len(fires_ns)}).items():
        if len(fires_ns):
            result.fires_ns[trigger] = fires_ns
            result.clip_bytes[trigger] = result.recording_bytes[trigger] = np.array(of_trigger, np.int64)
    return result


def day(
    clauses: str,
    *drives: DriveResult,
    fleet: ForecastFleet = FLEET,
    capture: str = "1 s before, 1 s after",
    of_trigger: str = "",
    of_b: str = "",
) -> LimitedDay:
    """The day of a campaign with these clauses, which collects `a` and `b`."""
    source = f"""
        trigger a {{ when ego.speed > 1 m/s capture {capture} {of_trigger} }}
        trigger b {{ when ego.speed > 2 m/s capture {capture} {of_b} }}
        campaign c {{ collect a, b {clauses} }}"""
    compilation = compile_source(source, filename="file.trigger", catalog=CATALOG)
    compilation.require_ok("file.trigger")
    plan = make_plan(compilation)
    (found,) = limited_days(plan.campaigns, drives, fleet, CATALOG)
    forecast = make_forecast(plan, drives, fleet, CATALOG)
    assert forecast.fleet_day is not None and found.clips_per_fleet_day == forecast.fleet_day.clips
    return found


def test_what_a_vehicles_day_has_no_room_for_is_refused() -> None:
    found = day("budget 4 clips per vehicle per day", drive(TEN_AN_HOUR))
    assert found.refused is not None
    assert found.refused.mean == pytest.approx(0.6)
    assert [(each.limit, each.amount, each.trigger) for each in found.refused_by] == [("vehicle_day_clips", 4, None)]
    assert found.refused_by[0].share == pytest.approx(0.6)
    assert found.uploaded_bytes_per_fleet_day.mean == pytest.approx(100 * 4 * SIZE)
    in_bytes = day("budget 4999 B per vehicle per day", drive(TEN_AN_HOUR))
    assert in_bytes.refused is not None and in_bytes.refused.mean == pytest.approx(0.6)


def test_where_nothing_is_refused_vehicles_may_be_busier_than_the_drives() -> None:
    limit = "budget 11 clips per vehicle per day"
    found = day(limit, drive(TEN_AN_HOUR))
    assert found.refused is not None and (found.refused.mean, found.refused.low, found.refused_by) == (0, 0, ())
    high = found.clips_per_fleet_day.high / 100
    assert high > 12
    # of one drive rates may differ by as much as their mean: those of vehicles have an exponential distribution
    assert found.refused.high == pytest.approx(math.exp(-11 / high), abs=0.03)
    many = day(limit, *(drive(TEN_AN_HOUR, name=f"d{number}") for number in range(30)))
    assert many.refused is not None
    assert 0 < many.refused.high < found.refused.high / 2, "drives that are alike say that vehicles are"
    far = day("budget 200 clips per vehicle per day", drive(TEN_AN_HOUR))
    assert far.refused is not None and far.refused.high == 0


def test_the_interval_is_what_is_refused_at_the_ends_of_the_forecast() -> None:
    some = day("budget 4 clips per vehicle per day", drive(TEN_AN_HOUR))
    assert some.refused is not None
    assert 0 < some.refused.low < 1 - 4 / (some.clips_per_fleet_day.low / 100), "few clips say little of their share"


def test_clustered_clips_are_refused_more_often_than_even_ones() -> None:
    limit = "budget 20 clips per vehicle per day"
    even, clustered = day(limit, drive(TEN_AN_HOUR)), day(limit, drive([5 + at / 100 for at in TEN_AN_HOUR]))
    assert even.refused is not None and clustered.refused is not None
    assert even.refused.mean == 0
    assert 0.7 < clustered.refused.mean < 0.9


def test_a_day_goes_over_short_drives_and_round_the_ring() -> None:
    short = [drive([0.05], hours=0.1, name=f"d{number}") for number in range(3)]
    found = day("budget 4 clips per vehicle per day", *short)
    assert found.refused is not None and found.refused.mean == pytest.approx(0.6)


def test_without_limits_of_a_day_nothing_is_refused_and_the_forecast_is_uploaded() -> None:
    drives = [drive([0.3, 0.31, 4.0], name="x"), drive([7.77], name="y", a=[7 * SIZE])]
    found = day("budget 1 TB total", *drives)
    assert found.refused is not None and (found.refused.mean, found.refused.high, found.refused_by) == (0, 0, ())
    plan = make_plan(
        compile_source(
            "trigger a { when ego.speed > 1 m/s capture 1 s before, 1 s after }", filename="f", catalog=CATALOG
        )
    )
    expected = make_forecast(plan, drives, FLEET, CATALOG).triggers["a"].fleet_day.bytes
    uploaded = found.uploaded_bytes_per_fleet_day
    assert uploaded.mean == pytest.approx(expected.mean)
    assert uploaded.low < uploaded.mean < uploaded.high


def test_totals_of_the_fleet_refuse_what_is_beyond_them() -> None:
    half = day("budget 500 kB total", drive(TEN_AN_HOUR))
    assert half.refused is not None and half.refused.mean == pytest.approx(0.5)
    assert half.refused_by[0].limit == "total_bytes"
    assert half.uploaded_bytes_per_fleet_day.mean == pytest.approx(500_000)
    assert half.uploaded_bytes_per_fleet_day.high == pytest.approx(500_000)
    clips = day("budget 100 clips, 500 kB total", drive(TEN_AN_HOUR))
    assert clips.refused is not None and clips.refused.mean == pytest.approx(0.9)
    assert [each.limit for each in clips.refused_by] == ["clips"]


def test_a_triggers_own_budget_refuses_beside_that_of_its_campaign() -> None:
    of_both = drive(TEN_AN_HOUR, a=[SIZE] * 100, b=[SIZE] * 100)
    found = day("budget 14 clips per vehicle per day", of_both, of_trigger="budget 5 clips per vehicle per day")
    refused = {(each.limit, each.trigger): each.share for each in found.refused_by}
    assert found.refused is not None and found.refused.mean == pytest.approx(0.3)
    assert refused[("vehicle_day_clips", "a")] > refused[("vehicle_day_clips", None)] > 0
    assert sum(refused.values()) == pytest.approx(0.3)
    total = day("budget 1 GB total", of_both, of_trigger="budget 250 clips")
    assert [(each.trigger, each.limit) for each in total.refused_by] == [("a", "clips")]
    assert total.refused is not None and total.refused.mean == pytest.approx(0.375)


def test_clips_that_are_too_large_widen_the_interval_by_what_few_drives_say_of_them() -> None:
    sizes = [SIZE, 9 * SIZE] * 5
    one, many = (
        day("budget 1 GB total upload up to 5 kB on wifi", *drives)
        for drives in (
            [drive(range(10), a=sizes)],
            [drive(range(10), name=f"d{number}", a=sizes) for number in range(20)],
        )
    )
    for found in (one, many):
        assert found.refused is not None and found.refused.mean == pytest.approx(0.5)
        assert found.refused.low < 0.5 < found.refused.high
    assert one.refused is not None and many.refused is not None
    assert one.refused.low < many.refused.low and many.refused.high < one.refused.high
    all_of_them = day("budget 1 GB total upload up to 500 B on wifi", drive(range(10)))
    assert all_of_them.refused is not None and (all_of_them.refused.low, all_of_them.refused.high) == (1, 1)


@pytest.mark.parametrize(
    ("upload", "networks", "share"),
    [
        ("", ["wifi"], 0.0),
        ("upload on cellular", ["cellular"], 1.0),
        ("upload on wifi, on cellular", ["wifi", "cellular"], 1.0),
        ("upload on wifi, up to 5 kB on cellular", ["wifi", "cellular"], 0.1),
    ],
)
def test_bytes_over_cellular_networks_are_those_of_clips_that_may(
    upload: str, networks: list[str], share: float
) -> None:
    found = day(f"budget 1 GB total {upload}", drive(range(10), a=[SIZE, 9 * SIZE] * 5))
    uploaded, cellular = found.uploaded_bytes_per_fleet_day, found.cellular_bytes_per_fleet_day
    assert list(found.networks) == networks
    assert cellular.mean == pytest.approx(share * uploaded.mean)
    assert cellular.high == pytest.approx(share * uploaded.high, rel=0.05)


def test_sampling_is_drawn_and_always_the_same() -> None:
    fires = [(place + 0.5) / 100 for place in range(1000)]
    first, second = (day("sample 1 in 10 budget 4 clips per vehicle per day", drive(fires)) for _ in range(2))
    assert first == second
    assert first.refused is not None and 0.6 < first.refused.mean < 0.64  # of 10 +- 3 clips


def test_what_never_fired_has_no_share_and_an_upper_limit_of_bytes() -> None:
    found = day("budget 1 GB total upload on cellular", drive([]))
    assert found.refused is None and found.refused_by == ()
    assert found.uploaded_bytes_per_fleet_day.mean == 0 < found.uploaded_bytes_per_fleet_day.high
    assert found.cellular_bytes_per_fleet_day == found.uploaded_bytes_per_fleet_day


def test_a_day_is_of_drives_on_which_all_triggers_ran() -> None:
    often = drive(IN_AN_HOUR, hours=1.0, name="often")
    often.fires_ns["b"], often.recording_bytes["b"] = often.fires_ns["a"][:1], often.recording_bytes["a"][:1]
    lacking = [drive([0.5], hours=1.0, name=f"d{number}", b=[SIZE]) for number in range(9)]
    for each in lacking:
        each.left_out["a"] = InvalidInput("it has no speed")
    found = day("budget 1 TB total", often, *lacking, of_b="budget 2 clips per vehicle per day")
    assert found.refused is not None and found.refused.mean == 0, "of b, a day of one hour has one clip"
    assert found.uploaded_bytes_per_fleet_day.mean == pytest.approx(100 * 11 * SIZE)


def test_without_a_drive_on_which_all_triggers_ran_nobody_knows() -> None:
    lacking = drive(TEN_AN_HOUR, a=[SIZE] * 100)
    lacking.left_out["b"] = InvalidInput("it has no speed")
    found = day("budget 4 clips per vehicle per day", lacking)
    assert found.refused is None and found.refused_by == () and found.unknown is not None
    assert found.uploaded_bytes_per_fleet_day.mean == pytest.approx(100 * 10 * SIZE)
    assert found.uploaded_bytes_per_fleet_day.low == 0 == found.cellular_bytes_per_fleet_day.high
    (remark,) = refusals([found])
    assert remark.startswith("it is not known") and "no drive on which all of its triggers ran" in remark


def test_without_a_fleet_there_is_no_day() -> None:
    source = "trigger a { when ego.speed > 1 m/s } campaign c { collect a budget 1 GB total }"
    plan = make_plan(compile_source(source, filename="f", catalog=CATALOG))
    assert limited_days(plan.campaigns, [drive(TEN_AN_HOUR)], None, CATALOG) == ()


def test_days_of_a_trigger_that_fires_all_the_time_stay_few() -> None:
    often = drive([3 * place / 3600 for place in range(12_000)])
    found = day("budget 10 clips per vehicle per day", often, fleet=ForecastFleet(1, 24.0))
    assert found.refused is not None and math.isclose(found.refused.mean, 1 - 10 / 28_800, rel_tol=1e-3)


@pytest.mark.parametrize(
    ("clauses", "refused"),
    [
        ("budget 40000 clips per vehicle per day", 0.8),
        ("budget 40 MB per vehicle per day", 0.8),
        ("budget 10000000 clips per vehicle per day", 0.0),
        ("budget 60000 clips per vehicle per day", None),
    ],
)
def test_of_a_busy_day_the_first_clips_say_what_becomes_of_the_others(clauses: str, refused: float | None) -> None:
    busy = drive([24 * (place + 0.5) / 200_000 for place in range(200_000)], hours=24.0)
    found = day(clauses, busy, fleet=ForecastFleet(1, 24.0), capture="0 s before, 0 s after")
    assert (found.refused and found.refused.mean) == (refused if refused is None else pytest.approx(refused, abs=1e-3))
    admitted = 200_000 * (1 - (refused or 0.0))
    assert found.uploaded_bytes_per_fleet_day.mean == pytest.approx(admitted * SIZE, rel=1e-3)
    assert [("not known" in remark) for remark in refusals([found])] == ([] if refused == 0 else [refused is None])


def test_of_a_busy_day_each_trigger_has_its_own_room() -> None:
    half = [24 * (place + 0.5) / 100_000 for place in range(100_000)]
    busy = drive(half, hours=24.0, a=[SIZE] * 100_000, b=[SIZE] * 100_000)
    found = day(
        "budget 1 TB total",
        busy,
        fleet=ForecastFleet(1, 24.0),
        capture="0 s before, 0 s after",
        of_b="budget 20000 clips per vehicle per day",
    )
    assert found.refused is not None and found.refused.mean == pytest.approx(0.4, abs=1e-3)
    assert [each.trigger for each in found.refused_by] == ["b"]


def test_days_stay_few_however_short_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[float] = []
    of_ring = ClipRing.day

    def counted(ring: ClipRing, start_h: float, hours: float) -> tuple[Integers, Numbers]:
        begun.append(start_h)
        return of_ring(ring, start_h, hours)

    monkeypatch.setattr(ClipRing, "day", counted)
    found = day("budget 4 clips per vehicle per day", drive(TEN_AN_HOUR), fleet=ForecastFleet(100, 1e-3))
    assert found.refused is not None and found.refused.mean == 0
    assert 6_000 < len(begun) <= 2 * 6_000, "days as they were, and of busier vehicles"
