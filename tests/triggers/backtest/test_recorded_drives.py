"""The events that the recorded drives are known for, found by triggers written for them, and nothing else.

The drives' own description finds them on a 10 Hz grid, with values interpolated between samples and centred difference
quotients over one second; a trigger looks back only, so it is late by its hold or window.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.support.paths import RECORDED_DRIVES, REPOSITORY
from triggers.backtest.plan import make_plan
from triggers.backtest.run import run
from triggers.drives.find import find_drives
from triggers.language.compile import compile_source
from triggers.language.text.diagnostics import render_all
from triggers.signals.catalog import SignalCatalog

CSS_CAR = SignalCatalog.load(REPOSITORY / "examples/css_car/signals.yaml")
COMMA = SignalCatalog.load(REPOSITORY / "examples/comma_rav4/signals.yaml")
CSS_CAR_C = SignalCatalog.parse(
    """
signals:
  ego.speed:  {unit: m/s, rate: 0.143, column: obd_speed}
  gnss.speed: {unit: m/s, rate: 5, column: gps_speed, max_age: 1.0}
""",
    name="css_car_c",
)
TRUCK = SignalCatalog.parse(
    """
signals:
  wheels.speed: {unit: m/s, rate: 10, column: wheel_based_speed}
  gnss.speed: {unit: m/s, rate: 1, column: gps_speed}
  gnss.heading: {unit: deg, rate: 1, column: heading}
  gnss.latitude: {unit: deg, rate: 1, column: gps_lat}
  gnss.longitude: {unit: deg, rate: 1, column: gps_lon}
  engine.speed: {unit: rpm, rate: 100, column: engine_speed}
  driver.brake: {type: bool, rate: 10, column: brake_switch}
  driver.pedal: {unit: "%", rate: 20, column: accel_pedal}
  active.speed.value: {unit: m/s, rate: 10, column: wheel_based_speed}
  shadow.speed.value: {unit: m/s, rate: 1, column: gps_speed}
position: {latitude: gnss.latitude, longitude: gnss.longitude}
""",
    name="css_j1939_b",
)


@dataclass(frozen=True)
class RecordedEvent:
    """A condition, the times in s at which its events begin, and how late its fires may be."""

    when: str
    begins_s: tuple[float, ...]
    late_s: float
    cooldown: str = "10 s"


# Both speeds on one time axis, one second late, by linear interpolation between each one's latest two samples.
INTERPOLATED = """
let wheels = past(ego.speed - rate(ego.speed over 1 s) * (500 ms - age(ego.speed)), 500 ms)
let space = gnss.speed - rate(gnss.speed over 2 s) * (1 s - age(gnss.speed))
let apart = abs(wheels - space)
"""
# A ninth episode, 583.6-584.8, is only one of the interpolation, across a GNSS sample that is missing: no measured pair
# of speeds is further apart than 0.67 m/s there, and a trigger that looks back one second is past it by then.
APART = (15.6, 1000.2, 1585.9, 1590.6, 1627.3, 2121.4, 2240.2, 2353.1)
PAIRED = "divergence(active.speed.value, shadow.speed.value within 150 ms)"
"""At the default skew, half the longer period, a braking car alone puts the two 1.5 m/s apart."""
CAR_A = {
    "braking": RecordedEvent("rate(ego.speed over 1.5 s) < -2 m/s^2 for 500 ms", (105.9, 2239.8), 1.7),
    "no_gnss": RecordedEvent("missing(gnss.speed) for 20 s", (18.5 + 20,), 3.5),
    "standing": RecordedEvent("ego.speed < 2 km/h for 3 s", (0.1 + 3, 171.1 + 3, 429.4 + 3), 0.3),
    "far_apart": RecordedEvent(f"{PAIRED} > 1.5 m/s for 500 ms", (15.6,), 0.6),
    "far_apart_interpolated": RecordedEvent("apart > 1.5 m/s for 500 ms", (15.6,), 1.8),
    "apart": RecordedEvent("apart > 0.7 m/s for 700 ms", APART, 2.9, cooldown="3 s"),
}
CAR_C = {
    "braking": RecordedEvent("rate(gnss.speed over 1.1 s) < -2 m/s^2 for 900 ms", (1547.1,), 1.7),
    "stop_in_traffic": RecordedEvent(
        "gnss.speed < 0.5 m/s for 10 s and once(gnss.speed > 3 m/s over 15 s)", (446.1 + 10, 711.6 + 10), 0.3
    ),
    "goes_on": RecordedEvent("gnss.speed < 0.5 m/s for 10 s then gnss.speed > 3 m/s within 30 s", (473.7, 730.3), 4.5),
}
RAV4 = {
    "engages": RecordedEvent("rise(ego.cruise.active)", (9.05,), 0.1),
    "apart": RecordedEvent("divergence(speed.value) > 0.3 m/s for 500 ms", (57.8,), 0.8),
    "strongest_braking": RecordedEvent("rate(ego.speed over 1 s) < -2.1 m/s^2", (59.3,), 0.5),
    "stronger_braking": RecordedEvent("rate(ego.speed over 1 s) < -2.3 m/s^2", (), 0.0),
    "closest_lead": RecordedEvent("lead.distance < 23.1 m", (59.99,), 0.01),
    "closer_lead": RecordedEvent("lead.distance < 23.06 m", (), 0.0),
}
PARKED = {
    "moves": RecordedEvent("wheels.speed > 0.5 m/s or avg(gnss.speed over 5 s) > 1 m/s", (), 0.0),
    "brakes": RecordedEvent("rate(wheels.speed over 1 s) < -0.5 m/s^2 or fall(wheels.speed < 0.1 m/s)", (), 0.0),
    "starts": RecordedEvent("wheels.speed < 0.1 m/s for 5 s then wheels.speed > 1 m/s within 10 s", (), 0.0),
    "leaves": RecordedEvent(
        "not near(41.413, -92.8785, 30 m) or abs(delta(gnss.latitude over 10 s)) > 0.0002 deg", (), 0.0
    ),
    "revs": RecordedEvent("engine.speed > 800 rpm or engine.speed < 600 rpm", (), 0.0),
    "drives": RecordedEvent("changed(driver.brake) or driver.pedal > 5 %", (), 0.0),
    "apart": RecordedEvent("divergence(speed.value) > 1 m/s for 500 ms", (), 0.0),
    "idles": RecordedEvent("engine.speed between 640 rpm and 660 rpm for 20 s", (20.0,), 0.1, cooldown="1 h"),
}


@pytest.mark.drives
@pytest.mark.parametrize(
    ("name", "catalog", "lets", "events"),
    [
        ("css_car_a", CSS_CAR, INTERPOLATED, CAR_A),
        ("css_car_c", CSS_CAR_C, "", CAR_C),
        ("comma2k19_rav4", COMMA, "", RAV4),
        ("css_j1939_b", TRUCK, "", PARKED),
    ],
    ids=["css_car_a", "css_car_c", "comma2k19_rav4", "css_j1939_b"],
)
def test_the_known_events_of_a_drive_are_found_and_nothing_else(
    name: str, catalog: SignalCatalog, lets: str, events: dict[str, RecordedEvent]
) -> None:
    if not (RECORDED_DRIVES / name / "signals.parquet").is_file():
        pytest.skip(f"no recorded drive {RECORDED_DRIVES / name}")
    fires = fires_of(name, catalog, lets, events)
    for trigger, event in events.items():
        times = fires.get(trigger, [])
        assert len(times) == len(event.begins_s), (trigger, times)
        for begin, fired in zip(event.begins_s, times, strict=True):
            assert begin - 0.1 <= fired <= begin + event.late_s, (trigger, begin, fired)


def fires_of(name: str, catalog: SignalCatalog, lets: str, events: dict[str, RecordedEvent]) -> dict[str, list[float]]:
    """Times in s at which each event's trigger fires, by a backtest of the drive."""
    blocks = [f"trigger {name} {{ when {event.when} cooldown {event.cooldown} }}" for name, event in events.items()]
    compilation = compile_source("\n".join([lets, *blocks]), filename="events", catalog=catalog)
    assert compilation.ok, render_all(compilation.diagnostics)
    result = run(make_plan(compilation), find_drives([RECORDED_DRIVES / name]), catalog, lambda _rows: None)
    assert not result.failures
    fires: dict[str, list[float]] = {}
    for fire in result.drives[0].fires:
        fires.setdefault(fire.trigger, []).append(fire.t_ns / 1e9)
    return fires
