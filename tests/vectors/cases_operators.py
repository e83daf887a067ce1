"""Vectors for operators: values, windows, sequences, pairs, places, comparisons of heads, and how values are coded."""

from __future__ import annotations

from tests.vectors.case import Case
from tests.vectors.recordings import in_order, recording, series

ARITHMETIC = Case(
    name="arithmetic",
    says="Numbers are IEEE doubles; what is not finite is unknown; -0 is smaller than +0; thresholds carry units.",
    signals="""
        signals:
          x: {rate: 10}
          y: {rate: 10}
          heading: {unit: deg, rate: 10}
          speed: {unit: km/h, rate: 10}
    """,
    triggers="""
        trigger quotient { when x / y > 2 }
        trigger unknown { when missing(x / y) }
        trigger zero { when 1 / min(x, y) < 0 or 1 / max(x, y) < 0 }
        trigger root { when missing(sqrt(x)) }
        trigger turned { when wrap(heading - 190 deg) < -170 deg }
        trigger fast { when speed > 10 m/s }
        trigger exact { when x + y == 0.3 }
        trigger stable { when hysteresis(x, 2, 1) }
    """,
    lines=recording("""
        0 x=1 y=1 heading=0 speed=36; 100 x=6 y=2; 200 x=6 y=0; 300 x=-0.0 y=0.0; 400 x=0.0 y=-0.0; 500 x=-1 y=1
        600 x=1.5 y=1e-320; 700 x=1e308 y=1e-10; 800 x=0.1 y=0.2; 900 x=0.125 y=0.175; 1000 heading=200 x=2.5 y=9
        1100 heading=370 speed=36.000000000000007 x=1.5; 1200 heading=10 x=0.5; 1300 heading=-161 speed=35 x=1.5
        1400 heading=198.99999999999997 speed=36.1 x=2.5; 1500 x=0.30000000000000004 y=0; 1600 x=0.3; 1700 x=5e-324
    """),
)

WHOLE_NUMBERS = Case(
    name="whole_numbers",
    says="A remainder is exact and in [0, m); bits are those of whole numbers; floor goes down; -0 has sign 0.",
    signals="""
        signals:
          x: {rate: 10}
          m: {rate: 10}
          heading: {unit: deg, rate: 10}
    """,
    triggers="""
        trigger rest { when mod(x, m) > 0.5 }
        trigger none { when missing(mod(x, m)) }
        trigger zero { when mod(x, 0.1) == 0 }
        trigger quarter { when mod(heading, 90 deg) < 5 deg }
        trigger bits { when bits(x, 4503599627370502) == 4503599627370496 }
        trigger no_bits { when missing(bits(x, 1)) }
        trigger positive { when sign(x) == 1 and 1 / sign(abs(m)) > 0 }
        trigger zeros { when sign(x) == 0 }
        trigger floors { when floor(x / 2) == -1 }
        trigger below_zero { when 1 / floor(x) < 0 }
        trigger least { when min(x, m, 3, heading / 1 deg) < -1 }
        trigger held { when clamp(x, m, 2) == 2 }
        trigger close { when approx(heading, 90 deg, 0.5 deg) }
    """,
    lines=recording("""
        0 x=1 m=3 heading=0; 100 x=-1 m=3 heading=89.5; 200 x=-3; 300 x=-5e-324 m=1; 400 x=0.3; 500 x=-0.3
        600 x=2251799813685247.5 m=1; 700 x=2251799813685248; 800 x=7 m=0 heading=90.5; 900 x=7 m=-2; 1000 x=-0.0 m=0.1
        1100 x=4503599627370501; 1200 x=9007199254740991 heading=-1; 1300 x=9007199254740992; 1400 x=4503599627370496
        1500 x=1.7976931348623157e308 m=5.992310449541053e307; 1600 x=-1.7976931348623157e308; 1700 x=1e308 m=1e-308
        1800 x=inf m=1; 1900 x=4294967296.5; 2000 x=-0.5 heading=449.99; 2100 x=0.0 m=2; 2200 x=3 m=4; 2300 x=1.99 m=-5
    """),
)

CHOICES = Case(
    name="choices",
    says="default and if take one value; prev is the value at the update before; a change is between known values.",
    signals="""
        signals:
          x: {rate: 10, max_age: 0.25}
          y: {rate: 10, max_age: 0.25}
          p: {type: bool, rate: 10, max_age: 0.25}
          gear: {type: text, values: [P, R, N, D], rate: 10, max_age: 0.25}
          other: {type: text, values: [D, P, S], update: on_change, initial: S}
    """,
    triggers="""
        trigger stands_in { when default(x, y) > 3 }
        trigger none { when missing(default(x, y)) }
        trigger silent { when default(not p, true) }
        trigger other_text { when default(gear, other) == "S" }
        trigger none_text { when default(gear, "none") == "none" }
        trigger branch { when if(p, x, y) > 3 }
        trigger no_branch { when missing(if(p, x, y)) }
        trigger same { when if(p, gear, other) == "D" }
        trigger either { when if(p, x > 3, y > 3) }
        trigger before { when prev(x) > 3 }
        trigger repeated { when prev(x + y) == x + y }
        trigger was_true { when prev(p) and not p }
        trigger was_parked { when prev(gear) == "P" and gear != "P" }
        trigger shifted { when changed(gear) from "P" to "D" }
        trigger left { when changed(gear) from "P" }
        trigger reached { when changed(x) to 4 }
        trigger opened { when changed(p) from false to true }
    """,
    lines=recording("""
        0 x=1 y=2 p=0 gear=0; 100 x=4 y=2 p=1 gear=3; 200 x=4 p=1 gear=0; 250 y=4; 300 x=2 y=5 p=0 gear=inf
        400 x=inf y=5 p=0 gear=3; 500 y=1 p=1 other=0; 600 p=1 other=2; 700 x=4 y=4 p=inf gear=3; 800 x=4 y=4; 1200
        1300 x=1 y=9 p=0 gear=0; restart
        1400 x=4 y=9 p=1 gear=3; 1500 x=5 y=0 p=0 gear=1; 4000; 4100 x=4 y=4 p=1 gear=0; 4200 x=1 y=4 p=0 gear=3; end
        4300 x=2 y=3 p=1 gear=0; 4400 x=4 y=4 p=0 gear=3
    """),
)

CODING = Case(
    name="coding",
    says="A text is the index into its values, a bool 0 or 1; on_change never expires; initial is not a sample.",
    signals="""
        max_gap: 1
        signals:
          gear: {type: text, values: [P, R, N, D], update: on_change, initial: P}
          lights: {type: text, values: ["off", low, high], rate: 10}
          door: {type: bool, update: on_change, initial: false}
          belt: {type: bool, rate: 10, max_age: 0.25}
          active.kind: {type: text, values: [car, truck], rate: 10}
          shadow.kind: {type: text, values: [none, truck, car], rate: 10}
          clock: {rate: 10}
    """,
    triggers="""
        trigger reverse { when gear == "R" and door }
        trigger shifted { when changed(gear) }
        trigger parked { when gear in ("P", "N") }
        trigger dark { when lights != "off" }
        trigger unbelted { when not belt }
        trigger opened { when rise(door) }
        trigger sampled { when not missing(age(door)) }
        trigger other_kind { when disagree(kind) }
    """,
    lines=recording("""
        0 lights=0 belt=1; 100 gear=3 belt=1; 200 door=1 lights=2; 300 gear=1 belt=0; 400 belt=1; 500 gear=1 lights=0
        600 door=0 belt=0; 700 gear=2 lights=1; 800 gear=0 belt=1; 900 active.kind=0 shadow.kind=2; 1000 door=2
        1100 active.kind=1 shadow.kind=2; 1200 active.kind=1 shadow.kind=1; 1300 active.kind=0 shadow.kind=0
        1400 clock=1; 4000; 4100 door=1 gear=1; 4200 gear=0; 4300 belt=0 lights=1; 4400 belt=1; 4600; 4700 belt=0 gear=3
    """),
)

WINDOWS = Case(
    name="windows",
    says="A window is (t - W, t]: its left end is open, and it moves with heartbeats too.",
    signals="""
        signals:
          x: {rate: 10}
          p: {type: bool, rate: 10}
    """,
    triggers="""
        trigger spread { when max(x over 500 ms) - min(x over 500 ms) >= 3 }
        trigger mean { when avg(x over 300 ms) > 1.5 }
        trigger change { when delta(x over 300 ms) < -2 }
        trigger slope { when rate(x over 300 ms) > 9 1/s }
        trigger smooth { when ema(x over 400 ms) > 1.25 }
        trigger share { when share(p over 1 s) > 60 % }
        trigger often { when count(p over 1 s) >= 3 }
        trigger flickers { when flicker(p over 1 s) >= 5 }
        trigger lately { when once(p over 300 ms) and not p }
        trigger echo { when past(x, 250 ms) > 2.5 }
        trigger empty { when missing(avg(x over 300 ms)) }
    """,
    lines=in_order(
        series("x", [0, 0, 1, 2, 3, 3, 2, 0, 0, None, None, None, None, 4, 1, 1, 1.5, 0, 3, 3, 0, 0], step_ms=110),
        series("p", [0, 1, 0, 1, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 0], step_ms=150, start_ms=20),
    ),
)

OVERFLOW = Case(
    name="overflow",
    says="When samples come faster than declared, a window covers the latest entries and the overflow counter rises.",
    signals="""
        signals:
          x: {rate: 10}
    """,
    triggers="""
        trigger spread { when max(x over 1 s) - min(x over 1 s) > 4 }
        trigger mean { when avg(x over 1 s) > 2 }
        trigger change { when delta(x over 500 ms) > 3 }
    """,
    lines=series("x", [((k * 7) % 50) / 10 if k % 60 < 45 else 5.0 for k in range(180)], step_ms=7),
)

SEQUENCES = Case(
    name="sequences",
    says="`then` needs a rise of A before the rise of B and consumes it; `without` fires when B stayed away.",
    signals="""
        signals:
          a: {type: bool, rate: 10, max_age: 0.35}
          b: {type: bool, rate: 10, max_age: 0.35}
    """,
    triggers="""
        trigger followed { when a then b within 400 ms }
        trigger alone { when a without b within 400 ms }
        trigger twice { when count(a then b within 400 ms over 2 s) >= 2 }
    """,
    lines=recording("""
        0 a=0 b=0; 100 a=1 b=0; 200 a=1 b=1; 300 a=0 b=0; 400 a=0 b=1; 500 a=0 b=0; 600 a=1 b=1; 700 a=0 b=0; 800 b=1
        900 a=1 b=0; 1000 a=0 b=0; 1100 a=0 b=0; 1200 a=0 b=0; 1300 a=0 b=1; 1400 a=1 b=0; 1500 a=0 b=0; 1600 a=1 b=0
        1700 a=0 b=0; 1800 a=0 b=0; 1900 a=0 b=0; 2000 a=1 b=0; 2100 a=1 b=inf; 2200 a=1 b=0; 2400 a=1 b=0; 2500 a=0 b=0
        2600 a=1 b=0; 3050 a=0 b=0; 3100 a=1 b=0; 3200 a=inf b=0; 3300 a=0 b=1; 3400 a=0 b=0; 3500 a=1 b=0; 3900 a=1 b=1
    """),
)

LASTING = Case(
    name="lasting",
    says="Short runs, `then ... after`, chains, `since`, latches, and a clock that ticks at heartbeats.",
    signals="""
        signals:
          a: {type: bool, rate: 10, max_age: 0.35}
          b: {type: bool, rate: 10, max_age: 0.35}
    """,
    triggers="""
        trigger brief { when a for at most 200 ms }
        trigger bridged { when a for at most 300 ms tolerating 100 ms }
        trigger later { when a then b after 200 ms within 500 ms }
        trigger chain { when a then b within 400 ms then not a within 300 ms }
        trigger ever { when b since fall(a) }
        trigger lately { when not a since b within 300 ms }
        trigger unclear { when missing(a since b) }
        trigger latched { when latch(a, b) }
        trigger baseline { when every 700 ms }
        trigger sampled { when every 300 ms and a }
    """,
    lines=recording("""
        20 a=0 b=0; 100 a=1 b=0; 200 a=1 b=1; 300 a=0 b=0; 400 a=0 b=1; 500 a=0 b=0; 600 a=1 b=1; 700 a=0 b=0; 800 b=1
        900 a=1 b=0; 1000 a=0 b=0; 1100 a=0 b=0; 1200 a=0 b=0; 1300 a=0 b=1; 1400 a=1 b=0; 1500 a=0 b=0; 1600 a=1 b=0
        1700 a=0 b=0; 1800 a=1 b=1; 1900 a=inf b=0; 2000 a=1 b=0; 2100 a=0 b=inf; 2200 a=1 b=0; 2300 a=1 b=0
        2500 a=1 b=1; 2600 a=0 b=0; 3050 a=0 b=0; 3100 a=1 b=0; 3200 a=inf b=0; 3300 a=0 b=1; 3400 a=0 b=0
        3500 a=1 b=0; 3900 a=1 b=1
        7000 a=0 b=0; 7050 a=1 b=0; 7090 a=1 b=0; 7130 a=0 b=0; 7350 a=1 b=1; 7390 a=1 b=0; 7800 a=0 b=0
    """),
)

PAIRS = Case(
    name="pairs",
    says="disagree and divergence look at two signals where their samples lie within the skew, and keep that value.",
    signals="""
        signals:
          active.lead.distance: {unit: m, rate: 20}
          shadow.lead.distance: {unit: km, rate: 10, max_age: 0.3}
          active.lead.seen: {type: bool, rate: 20}
          shadow.lead.seen: {type: bool, rate: 10, max_age: 0.3}
    """,
    triggers="""
        trigger apart { when divergence(lead.distance) > 5 m for 100 ms }
        trigger near_in_time { when divergence(active.lead.distance, shadow.lead.distance within 5 ms) > 5 m }
        trigger other { when disagree(lead.seen) }
        trigger stale { when missing(divergence(lead.distance)) }
    """,
    lines=in_order(
        series("active.lead.distance", [40 - k for k in range(40)], step_ms=50),
        series("shadow.lead.distance", [0.04 - 0.0014 * k for k in range(12)], step_ms=100, start_ms=4),
        series("shadow.lead.distance", [0.02, 0.02, 0.01], step_ms=100, start_ms=1610),
        series("active.lead.seen", [k > 12 for k in range(40)], step_ms=50),
        series("shadow.lead.seen", [k > 5 for k in range(20)], step_ms=100, start_ms=30),
    ),
)

COMPARE = Case(
    name="compare",
    says="`compare` counts once a new pair: active and shadow false or true, and pairs that were unknown.",
    signals="""
        signals:
          active.cut_in.detected: {type: bool, rate: 20}
          shadow.cut_in.detected: {type: bool, rate: 10}
    """,
    triggers="""
        trigger shadow_alone { when shadow.cut_in.detected and not active.cut_in.detected }
        campaign cut_in {
            collect shadow_alone
            compare cut_in.detected
            budget 100 clips
        }
    """,
    lines=[
        *in_order(
            series("active.cut_in.detected", [k % 7 > 3 for k in range(30)], step_ms=50),
            series("shadow.cut_in.detected", [k % 5 > 1 for k in range(15)], step_ms=100, start_ms=10),
        ),
        *recording("""
            1500 active.cut_in.detected=1 shadow.cut_in.detected=1; 1550 active.cut_in.detected=inf
            1600 shadow.cut_in.detected=0; 1700 active.cut_in.detected=1 shadow.cut_in.detected=inf; restart
            1900 active.cut_in.detected=0; 1990 shadow.cut_in.detected=0; 9000 shadow.cut_in.detected=0
            9010 active.cut_in.detected=1; 9020 active.cut_in.detected=1; 9200; end
        """),
    ],
)

EVENTS = Case(
    name="events",
    says="`compare events` matches rises of active, shadow and driver; what could not be seen is unresolved.",
    signals="""
        signals:
          active.cut_in.detected: {type: bool, rate: 20}
          shadow.cut_in.detected: {type: bool, rate: 10}
          driver.brake: {type: bool, update: on_change, initial: false}
    """,
    triggers="""
        trigger shadow_alone { when shadow.cut_in.detected and not active.cut_in.detected }
        campaign cut_in {
            collect shadow_alone
            compare cut_in.detected, events cut_in.detected with driver.brake within 400 ms
            budget 100 clips
        }
    """,
    lines=[
        *in_order(
            series("active.cut_in.detected", [k in (4, 20, 21, 44, 45, 70) for k in range(80)], step_ms=50),
            series("shadow.cut_in.detected", [k in (2, 15, 16, 22, 36) for k in range(40)], step_ms=100, start_ms=10),
            recording("""
                1055 driver.brake=1; 1300 driver.brake=0; 1395 driver.brake=1; 1800 driver.brake=0; 2555 driver.brake=1
                2560 driver.brake=inf; 3605 driver.brake=0; 3615 driver.brake=1
            """),
        ),
        *recording("""
            4000 active.cut_in.detected=1 shadow.cut_in.detected=0; restart
            4050 active.cut_in.detected=0; 4110 shadow.cut_in.detected=1; 4200 active.cut_in.detected=1; end
            4300 active.cut_in.detected=0 shadow.cut_in.detected=0; 4350 active.cut_in.detected=1
            9000 active.cut_in.detected=0 shadow.cut_in.detected=0; 9700 shadow.cut_in.detected=1
            9800 active.cut_in.detected=0; 9900 active.cut_in.detected=inf; 9950 active.cut_in.detected=0
            10000 shadow.cut_in.detected=0; 10300 active.cut_in.detected=1 shadow.cut_in.detected=0; 10400; end
        """),
    ],
)

PLACES = Case(
    name="places",
    says="near and inside look at the catalog's position; unknown where one of its coordinates is.",
    signals="""
        signals:
          latitude: {unit: deg, rate: 10}
          longitude: {unit: deg, rate: 10}
        position: {latitude: latitude, longitude: longitude}
    """,
    triggers="""
        fence triangle { (48.0, 11.0), (48.0, 11.5), (48.5, 11.0) }
        trigger around { when near(48.137, 11.575, 2 km) }
        trigger within { when inside(triangle) }
        trigger left { when fall(inside(triangle)) }
        trigger lost { when missing(inside(triangle)) }
    """,
    lines=in_order(
        series("latitude", [48.1 + 0.003 * k for k in range(30)], step_ms=100),
        series("longitude", [11.6 - 0.002 * k for k in range(30)], step_ms=100),
        recording("""
            3000 latitude=48.0 longitude=11.1; 3100 latitude=47.9; 3200 longitude=inf; 3300 latitude=48.1 longitude=11.0
            3400 latitude=48.25 longitude=11.25; 3500 latitude=48.25 longitude=11.249; 3600 latitude=48.5 longitude=11.0
            3700 latitude=48.155 longitude=11.575; 3800 latitude=48.1549; 3900 latitude=48.137 longitude=11.602
        """),
    ),
)

SINCE = Case(
    name="since",
    says="`since A` begins with the tick at which A rises, and again at each rise; before the first it is unknown.",
    signals="""
        max_gap: 1
        signals:
          x: {rate: 10}
          p: {type: bool, rate: 10}
          a: {type: bool, rate: 5}
          mode: {type: text, values: ["off", low, high], rate: 10}
    """,
    triggers="""
        trigger spread { when max(x since a) - min(x since a) >= 3 }
        trigger sum { when sum(x since a) > 10 }
        trigger exact { when sum(x since a) == 2 }
        trigger counted { when count(p since a) >= 2 }
        trigger impulses { when count(changed(x) since a) >= 4 }
        trigger late { when time since a >= 350 ms }
        trigger risen { when x > x at a + 2 }
        trigger was_high { when (mode at a) == "high" }
        trigger was_on { when p at a }
        trigger unknown { when missing(x at a) }
        trigger begun { when not missing(time since a) }
    """,
    lines=recording("""
        0 x=5 p=1 a=1 mode=2; 100 x=9 p=0; 200 x=1 p=1 a=0 mode=1; 300 x=2; 400 x=4 p=0 a=1 mode=2; 500 x=3 p=1
        600 x=7 p=0 a=1; 700 p=1; 800 x=-inf a=0 mode=0; 900 p=0 mode=1; 1000 a=1; 1100 x=1e16; 1200 x=1; 1300 x=1
        1400 x=-1e16 p=1; 1500 p=0 a=0; 1600 p=1 a=1 x=3 mode=2; 1700 p=0 x=4; 1800; 1900; 2000; 2100 x=9; 2200 x=8
        3500 x=1 a=0; 3600 a=1 x=2 mode=2 p=0; 3700 x=5; 3750 p=1; 3800 x=6 p=0; 3900 p=1; 4000 a=0; 4050 a=1 x=-1
    """),
)

DISTANCE = Case(
    name="distance",
    says="The distance is the trapezoidal rule over the speed, from a segment's beginning; a fault counts nothing.",
    signals="""
        max_gap: 2
        signals:
          ego.speed: {unit: km/h, rate: 2}
          a: {type: bool, update: on_change, initial: false}
    """,
    triggers="""
        trigger window { when distance over 2 s >= 30 m }
        trigger standing { when distance over 2 s < 1 m }
        trigger since { when distance since a >= 25 m }
        trigger unknown { when not missing(distance over 3 s) }
        trigger every { when every 100 m }
    """,
    lines=recording("""
        0 ego.speed=36; 500 ego.speed=36; 1000 ego.speed=72 a=1; 1500 ego.speed=72; 2000 ego.speed=-72; 2500
        3000 ego.speed=72; 3500 ego.speed=5000 a=0; 4000 ego.speed=0; 4500 ego.speed=0; 5000 ego.speed=0 a=1
        5500 ego.speed=0; 6000 ego.speed=0; 6500 ego.speed=-inf; 7000 ego.speed=100; 7500 ego.speed=110.1; 8000
        11000 ego.speed=36 a=1; 12000 ego.speed=36; 13000 ego.speed=36; 14000 ego.speed=36; 15000 ego.speed=90
        16000 ego.speed=90 a=0; 17000 a=1; 18000 ego.speed=90
    """),
)

PLACES_TRAVELLED = Case(
    name="distance_by_position",
    says="Without a speed in the catalog the distance is the sum of great circles between positions.",
    signals="""
        max_gap: 2
        signals:
          lat: {unit: deg, rate: 1}
          lon: {unit: deg, rate: 1}
          a: {type: bool, rate: 1, max_age: 5}
        position: {latitude: lat, longitude: lon}
    """,
    triggers="""
        trigger kilometre { when distance since a > 1 km }
        trigger moves { when distance over 2 s > 300 m }
    """,
    lines=recording("""
        0 lat=48 lon=11 a=0; 1000 lat=48.001 lon=11 a=1; 2000 lat=48.003 lon=11.001; 3000 lat=48.006; 4000 lon=11.003
        5000 lat=48.009 lon=11.004 a=1; 6000 lat=91 lon=11; 7000 lat=48.015 lon=11.005; 8000 lat=48.015 lon=371.005
        9000 lat=-30 lon=-100 a=0
    """),
)

SUN = Case(
    name="sun",
    says="Sun and solar time are unknown before 2000: such a recording has a clock of its own.",
    signals="""
        signals:
          lat: {unit: deg, rate: 1}
          lon: {unit: deg, rate: 1}
        position: {latitude: lat, longitude: lon}
    """,
    triggers="""
        trigger unknown { when missing(sun_elevation) or missing(solar_time) }
        trigger morning { when solar_time between 6 h and 9 h }
        trigger low { when sun_elevation < 0 deg }
        trigger exact { when solar_time == 7.5 h }
        trigger high { when sun_elevation > 60 deg }
    """,
    lines=recording("""
        0 lat=48 lon=11; 1000 lat=48 lon=-67.5; 1782043199000 lat=48 lon=191; 1782043200000 lat=48 lon=-67.5
        1782043201000 lat=48 lon=0; 1782043202000 lat=48 lon=191; 1782043203000 lat=95 lon=-70; 1782043204000
    """),
)

CASES = (
    ARITHMETIC,
    WHOLE_NUMBERS,
    CHOICES,
    CODING,
    WINDOWS,
    OVERFLOW,
    SINCE,
    SUN,
    DISTANCE,
    PLACES_TRAVELLED,
    SEQUENCES,
    LASTING,
    PAIRS,
    COMPARE,
    EVENTS,
    PLACES,
)
