"""221 different triggers, as a team would have them after a year: heads, driving, sensors, places.

30 of them look at values in a window (extremes, means, slopes, shares); the others compare, hold, count and follow one
another. Thresholds are in each signal's unit. The same triggers are Polars expressions, see `both_ways`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, islice, product

from bench.speed.both_ways import InTime, Written, disagree, divergence, is_text, near, number, truth
from bench.speed.team_signals import GEARS, LIGHTS, NUMBER_HEADS, NUMBERS, PLACE, TEXT_HEAD, TRUTH_HEADS

COOLDOWN_S = 20


def triggers(over: InTime) -> dict[str, Written]:
    """All 221 conditions by the name of their trigger."""
    families = (
        _held, _pairs_of_signals, _heads, _shadow_sees_more, _flickers, _histories, _sequences, _places,
        _texts, _with_hysteresis, _counts, _arithmetic, _windows,
    )  # fmt: skip
    found: dict[str, Written] = {}
    for family in families:
        for position, condition in enumerate(family(over)):
            found[f"{family.__name__.strip('_')}_{position}"] = condition
    return found


def source(conditions: dict[str, Written]) -> str:
    """The trigger file."""
    return "\n".join(
        f"trigger {name} {{\n    when {condition.text}\n    cooldown {COOLDOWN_S} s\n}}"
        for name, condition in conditions.items()
    )


def _above(name: str, sigmas: float) -> Written:
    return number(name).above(NUMBERS[name].at(sigmas), NUMBERS[name].unit)


def _below(name: str, sigmas: float) -> Written:
    return number(name).below(NUMBERS[name].at(sigmas), NUMBERS[name].unit)


def _driving() -> Written:
    return number("ego.speed").above(5.0, "m/s")


def _held(over: InTime) -> Iterator[Written]:
    """42: a signal is high or low for a while."""
    holds_ms = cycle((100, 200, 300, 500, 1000))
    for name in islice(NUMBERS, 21):
        yield over.held(_above(name, 1.1), next(holds_ms))
        yield over.held(_below(name, -1.2), next(holds_ms))


def _pairs_of_signals(over: InTime) -> Iterator[Written]:
    """30: two signals at once, while driving."""
    names = list(NUMBERS)
    for index in range(30):
        first, second = names[index % len(names)], names[(index * 7 + 3) % len(names)]
        both = _above(first, 0.4 + 0.02 * index) & _below(second, -0.3)
        yield over.held(both, 200) & _driving() if index % 3 else both & _driving()


def _heads(over: InTime) -> Iterator[Written]:
    """18: active and shadow differ."""
    for share in (0.4, 0.5, 0.6, 0.7, 0.8):
        yield over.held(divergence("cut_in.prob").above(round(share * 0.25, 3)), 100)
        yield over.held(divergence("free_space").above(round(share * 10, 3), "m"), 200)
    for head, hold_ms in product((*TRUTH_HEADS, TEXT_HEAD), (200, 400)):
        yield over.held(disagree(head), hold_ms)
    yield disagree("cut_in.detected") & truth("ego.engaged")
    yield disagree("pedestrian.detected") & _driving()


def _shadow_sees_more(over: InTime) -> Iterator[Written]:
    """15: the shadow head is sure, the active head is not."""
    for low, hold_ms in product((0.55, 0.6, 0.65), (100, 200, 300)):
        sure = number("shadow.cut_in.prob").above(low) & number("active.cut_in.prob").below(low - 0.02)
        yield over.held(sure, hold_ms) & _driving()
    for head, side in product(TRUTH_HEADS, ("active", "shadow")):
        other = "shadow" if side == "active" else "active"
        yield over.held(truth(f"{side}.{head}") & ~truth(f"{other}.{head}"), 150) & _driving()
    yield over.rise(truth("shadow.cut_in.detected")) & ~truth("active.cut_in.detected")
    yield over.fall(truth("shadow.pedestrian.detected")) & truth("active.pedestrian.detected")


def _flickers(over: InTime) -> Iterator[Written]:
    """14: a detection that comes and goes."""
    signals = [f"{side}.{head}" for head in TRUTH_HEADS for side in ("active", "shadow")] + ["lane.valid", "lead.valid"]
    for signal, window_ms in product(signals, (1000, 2000)):
        yield over.flicker(truth(signal), window_ms).at_least(4 if window_ms == 1000 else 6)
    yield over.flicker(_above("lane.offset", 0.5), 2000).at_least(6)
    yield over.flicker(_below("lead.distance", -0.5), 3000).at_least(8)


def _histories(over: InTime) -> Iterator[Written]:
    """18: something happened shortly before, or did not."""
    brake = truth("driver.brake")
    yield over.fall(over.held(truth("ego.engaged"), 2000)) & over.once(brake, 1000)
    yield over.fall(over.held(truth("ego.engaged"), 5000)) & ~over.once(brake, 3000)
    for name, window_ms in product(("lane.offset", "lead.distance", "ego.yaw_rate", "ego.pitch"), (1000, 2000)):
        yield over.rise(_above(name, 1.0)) & ~over.once(brake, window_ms)
        yield over.rise(_below(name, -1.0)) & over.once(truth("driver.override"), window_ms)


def _sequences(over: InTime) -> Iterator[Written]:
    """16: one thing, then another."""
    firsts = [
        truth("shadow.cut_in.detected"),
        _below("lead.distance", -0.8),
        truth("driver.override"),
        _above("ego.steering_angle", 0.8),
    ]
    seconds = [
        _below("ego.accel.longitudinal", -0.8),
        truth("driver.brake"),
        truth("planner.degraded"),
        _above("ego.accel.lateral", 0.8),
    ]
    for (index, first), second in product(enumerate(firsts), seconds):
        yield over.then(first, second, 1000 + 500 * index)


def _places(over: InTime) -> Iterator[Written]:
    """6: near a known place, something happens."""
    happenings = [
        _above("lane.offset", 0.8),
        _below("lead.distance", -0.8),
        disagree(TEXT_HEAD),
        truth("driver.brake"),
        _above("ego.speed", 0.5),
        over.held(~truth("lane.valid"), 500),
    ]
    for index, happening in enumerate(happenings):
        at = (PLACE[0] + 0.01 * index, PLACE[1] - 0.015 * index)
        yield near("ego.latitude", "ego.longitude", at, 1500 + 500 * index) & happening


def _texts(over: InTime) -> Iterator[Written]:
    """10: gears and traffic lights."""
    for index, gear in enumerate(GEARS):
        yield over.held(is_text("ego.gear", index, gear) & _above("ego.speed", 0.5), 200)
    for index, light in enumerate(LIGHTS[1:], start=1):
        yield is_text(f"shadow.{TEXT_HEAD}", index, light) & ~is_text(f"active.{TEXT_HEAD}", index, light)
        yield over.held(is_text(f"active.{TEXT_HEAD}", index, light) & _driving(), 500)


def _with_hysteresis(over: InTime) -> Iterator[Written]:
    """8: high until it is low again."""
    for name in ("ego.speed", "lead.distance", "lane.offset", "weather.rain", "planner.cost", "ego.throttle"):
        measured = NUMBERS[name]
        yield over.hysteresis(number(name), measured.at(1.0), measured.at(0.2), measured.unit)
    shadow = NUMBER_HEADS["cut_in.prob"]
    for sigmas in (0.8, 1.2):
        yield over.hysteresis(number("shadow.cut_in.prob"), shadow.at(sigmas), shadow.at(0.0), "") & _driving()


def _counts(over: InTime) -> Iterator[Written]:
    """8: it happened several times."""
    for signal, window_ms in product(
        ("driver.brake", "driver.override", "weather.wipers", "lead.valid"), (10_000, 30_000)
    ):
        yield over.count(truth(signal), window_ms).at_least(4 if window_ms == 10_000 else 8)


def _arithmetic(over: InTime) -> Iterator[Written]:
    """6: values that no signal carries."""
    closing = number("ego.speed") - number("lead.speed")
    time_to_collision = number("lead.distance") / closing
    yield over.held(closing.above(4.0, "m/s") & time_to_collision.below(6.0, "s"), 300)
    yield over.held((number("lead.distance") / number("ego.speed")).below(1.2, "s") & _driving(), 500)
    yield over.held(abs(number("radar.lead.distance") - number("vision.lead.distance")).above(25.0, "m"), 500)
    yield over.held(abs(number("ego.accel.lateral")).above(2.0, "m/s^2"), 100)
    yield over.held(abs(number("ego.yaw_rate")).above(18.0, "deg/s") & _driving(), 300)
    yield abs(number("ego.pitch") - number("ego.roll")).above(5.0, "deg")


def _windows(over: InTime) -> Iterator[Written]:
    """30: values in a window."""
    for name, window_ms in product(("ego.speed", "lane.offset", "lead.distance"), (1000, 2000)):
        x, sigma = number(name), NUMBERS[name].sigma
        span = over.extreme("max", x, window_ms) - over.extreme("min", x, window_ms)
        yield span.above(round(sigma * (0.5 + 0.5 * window_ms / 1000), 3), NUMBERS[name].unit)
    for name, window_ms in product(("ego.accel.longitudinal", "ego.yaw_rate", "planner.cost"), (500, 1000)):
        yield over.held(over.avg(number(name), window_ms).above(NUMBERS[name].at(1.0), NUMBERS[name].unit), 200)
    for name, window_ms in product(("ego.speed", "lead.distance"), (1500, 3000)):
        yield over.delta(number(name), window_ms).below(round(-0.5 * NUMBERS[name].sigma, 3), NUMBERS[name].unit)
    for name, unit in (
        ("ego.speed", "m/s^2"),
        ("lead.distance", "m/s"),
        ("lead.speed", "m/s^2"),
        ("lane.offset", "m/s"),
    ):
        slope = over.rate(number(name), 1000)
        yield over.held(slope.below(round(-0.4 * NUMBERS[name].sigma, 3), unit), 200)
    for name in ("ego.throttle", "weather.rain", "localization.error"):
        yield over.ema(number(name), 2000).above(NUMBERS[name].at(0.9), NUMBERS[name].unit)
    for name, percent in (("lane.valid", 21), ("lead.valid", 13), ("driver.hands_on", 33)):
        yield over.share(truth(name), 5000).below(percent / 100, "ratio") & _driving()
    for name in ("lead.distance", "lane.width"):
        yield over.extreme("min", number(name), 2000).below(NUMBERS[name].at(-1.2), NUMBERS[name].unit)
    for name in ("ego.speed", "active.free_space"):
        measured = NUMBERS.get(name) or NUMBER_HEADS["free_space"]
        drop = over.past(number(name), 1000) - number(name)
        yield drop.above(round(0.6 * measured.sigma, 3), measured.unit)
