"""Vectors for the rules of time, firing and state: those in which a host itself has a part."""

from __future__ import annotations

from random import Random

from tests.vectors.case import Case
from tests.vectors.recordings import MS, Event, Line, in_order, recording, series


def _jittered() -> list[Line]:
    """Three signals of different rates with irregular steps, losses, silences, and one leap of the clock."""
    random = Random(11)
    lines, t_ns = [], 0
    for index in range(180):
        t_ns += random.randrange(3 * MS, 30 * MS) + (random.choice((60, 450)) * MS if index % 37 == 36 else 0)
        if index == 120:
            t_ns -= 700 * MS
        samples = {}
        for name, share in (("fast", 0.9), ("slow", 0.15), ("flag", 0.3)):
            if random.random() < share:
                samples[name] = float(random.randrange(2)) if name == "flag" else round(random.random(), 3)
        lines.append(Line(Event.ROW, t_ns, samples))
    return lines


HOLD_EDGE_COOLDOWN = Case(
    name="hold_edge_cooldown",
    says="A hold is fulfilled once its condition has been true long enough; a rise during the cooldown is suppressed.",
    signals="""
        signals:
          speed: {unit: m/s, rate: 50}
          brake: {unit: "%", rate: 50}
    """,
    triggers="""
        trigger braking {
            when (brake > 30 % for 100 ms) and speed > 20 km/h
            cooldown 1 s
        }
        trigger pressed { when rise(brake > 80 %) }
    """,
    lines=in_order(
        series("speed", [10.0 - 0.05 * k for k in range(100)], step_ms=20),
        series("brake", [100.0 if 5 <= k % 20 < 7 + k // 10 else 0.0 for k in range(100)], step_ms=20),
    ),
)

HEARTBEATS = Case(
    name="heartbeats",
    says="Between rows a program ticks at multiples of 100 ms: holds are fulfilled there, samples expire there.",
    signals="""
        signals:
          slow: {rate: 1, max_age: 1.2}
          other: {rate: 100}
    """,
    triggers="""
        trigger held { when slow > 0.5 for 350 ms }
        trigger expired { when missing(slow) }
        trigger late { when age(slow) > 750 ms }
    """,
    lines=in_order(
        series("slow", [0, 1, 1, None, 0, 1, None, 1], step_ms=1000, start_ms=7),
        series("other", [1.0] * 40, step_ms=37, start_ms=3000),
        recording("1500; 1557; 6400; 7999"),
    ),
)

SEGMENTS = Case(
    name="segments",
    says="A gap beyond max_gap, and a clock that runs back, begin a segment; a running cooldown goes on.",
    signals="""
        max_gap: 0.5
        signals:
          x: {rate: 10, max_age: 0.6}
          lit: {type: bool, update: on_change}
    """,
    triggers="""
        trigger rises { when x > 0.5 cooldown 2 s }
        trigger held { when lit for 450 ms }
        trigger falls { when fall(lit) }
    """,
    lines=recording("""
        0 x=0 lit=0; 100 x=1; 200 x=0; 300 x=1 lit=1
        800 x=0; 900 x=1
        1401 x=1 lit=1; 1500 x=0; 1600 x=1 lit=0; 1700
        9000 x=1 lit=1; 9100 x=0; 9200 x=1
        5000 x=0 lit=0; 5100 x=1; 5200 x=0 lit=1; 5600 x=1; 5700 x=0; 6100 x=0; 6500 x=0; 6999 x=1; 7100 x=0; 7200 x=1
        7201 lit=0; 7000 x=0 lit=1; 7050 x=1; 7450 x=0; 7460
    """),
)

INFINITE_SAMPLES = Case(
    name="infinite_samples",
    says="An infinite sample means measured but invalid: its signal is unknown until the next finite one.",
    signals="""
        signals:
          x: {rate: 10, max_age: 0.35}
          y: {rate: 10, max_age: 0.35}
    """,
    triggers="""
        trigger held { when x > 0.5 for 200 ms }
        trigger tolerant { when x > 0.5 for 300 ms tolerating 100 ms }
        trigger gone { when missing(x) }
        trigger seen { when age(x) > 150 ms }
        trigger sum { when x + y > 1 }
    """,
    lines=recording("""
        0 x=0 y=0; 100 x=1 y=1; 200 y=inf; 300 x=inf; 400 x=1 y=1; 500 x=1; 600 x=1 y=-inf; 700; 900 x=-inf y=2
        1000 x=0 y=0; 1100 x=1 y=inf; 1200 x=1 y=inf; 1300 x=1 y=0.5; 1400 x=0; 1500 x=1e308 y=1e308; 1600 x=1 y=1
    """),
)

EQUAL_TIMESTAMPS = Case(
    name="equal_timestamps",
    says="Rows of equal time are one row, in which a signal's last sample wins; the newest waits until it is whole.",
    signals="""
        signals:
          x: {rate: 20}
          y: {rate: 20}
    """,
    triggers="""
        trigger x_rises { when x > 0.5 }
        trigger both { when x > 0.5 and y > 0.5 }
        trigger unequal { when x != y }
    """,
    lines=recording("""
        0 x=0; 0 y=0; 50 x=1; 50 x=0; 100 x=1; 100 y=1; 150 x=0 y=0; 200 x=1; 200; 200 y=1; 250 x=0; 250 x=1
        250 x=0 y=0; 300 y=1; 300 x=inf; 300 x=1; 350 x=0 y=0; 350.000001 x=1; 400 x=0; 450 x=1; 450 y=1
    """),
)

RESTART = Case(
    name="restart",
    says="A saved and restored state goes on as if nothing had been: holds, windows, sequences, cooldowns, counters.",
    signals="""
        max_gap: 3
        signals:
          x: {rate: 10}
          lit: {type: bool, update: on_change, initial: false}
    """,
    triggers="""
        trigger held { when x > 0.5 for 1 s }
        trigger window { when max(x over 2 s) - min(x over 2 s) > 2.5 }
        trigger mean { when avg(x over 1 s) > 0.9 cooldown 5 s }
        trigger switched { when lit then x < 0 within 3 s }
    """,
    lines=[
        *in_order(series("x", [0, 1, 1, 1, 1, 3, 1], step_ms=100), recording("250 lit=1")),
        Line(Event.RESTART),
        *series("x", [1, 1, 1, 1, 1, 0.2, 0.2, 2, 2, 2, 2, 2, 2, 2, 2, 2], step_ms=100, start_ms=700),
        Line(Event.RESTART),
        *series("x", [-1, -1, -1, 0.6, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2], step_ms=100, start_ms=2400),
        Line(Event.RESTART),  # after it a gap: the restored instance knows the last row's time
        *series("x", [0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0], step_ms=100, start_ms=7000),
    ],
)

END_OF_DRIVE = Case(
    name="end_of_drive",
    says="After a drive's last row there are no heartbeats; the next drive begins a segment, and cooldowns go on.",
    signals="""
        max_gap: 10
        signals:
          lit: {type: bool, update: on_change}
          x: {rate: 10}
    """,
    triggers="""
        trigger held { when lit for 500 ms }
        trigger rises { when x > 0.5 cooldown 2 s }
    """,
    lines=recording("""
        0 lit=0 x=0; 100 lit=1 x=1; 200 x=0; end
        2000 x=1; 2100 x=0; 2150 x=1; 2200 lit=0 x=0; 2300 lit=1; 2700 x=1; end; restart
        3000 lit=0 x=0; 3100 lit=1 x=1; 3900 x=0; end; end
        4000 x=0; 4100 x=1
    """),
)

TIME_RANGE = Case(
    name="time_range",
    says="Times are 64 bit wide: from 0 on, nanoseconds since 1970 today, up to the last one that there is.",
    signals="""
        signals:
          x: {rate: 10}
    """,
    triggers="""
        trigger rises { when x > 0.5 cooldown 300 ms }
        trigger held { when x > 0.5 for 250 ms }
        trigger before { when past(x, 200 ms) > 0.5 }
    """,
    lines=[
        *series("x", [0, 1, 1, 0, 1, 1, 1, 1, 0], step_ms=100),
        *series("x", [0, 1, 1, 0, 1, 1, 1, 1, 0], step_ms=100, start_ms=1_800_000_000_007),
        *series("x", [0, 1, 1, 0, 1, 1, 1, 1, 0, 1], step_ms=100, start_ms=9_223_372_036_854 - 1000),
        *recording("9223372036854.775807 x=0"),
        *series("x", [0, 1, 0, 1], step_ms=100, start_ms=50),
    ],
)

MANY_FIRES = Case(
    name="many_fires",
    says="run stops where its fire buffer might not hold a block's fires, even before its first row: call it again.",
    signals="""
        max_gap: 0.5
        signals:
          x: {rate: 100, max_age: 2}
    """,
    triggers="\n".join(
        f"trigger above_{level} {{ when x > {level} }}\ntrigger held_{level} {{ when x > {level} for {90 * level} ms }}"
        for level in range(1, 5)
    ),
    lines=[
        line
        for start_ms in (0, 1000, 3050, 2000, 4000)  # gaps, over which holds are fulfilled, and a leap back
        for line in recording(f"""
            {start_ms} x=0; {start_ms + 10} x=5; {start_ms + 20} x=1.5; {start_ms + 30} x=4.5; {start_ms + 40} x=3.5
            {start_ms + 80} x=0.5; {start_ms + 90} x=2.5; {start_ms + 300} x=0; {start_ms + 310} x=5
        """)
    ],
    fire_capacity=1,
)

JITTER = Case(
    name="jitter",
    says="Irregular rows of several rates, as recordings are: the rules of time all at once.",
    signals="""
        max_gap: 0.4
        signals:
          fast: {rate: 100, max_age: 0.05}
          slow: {rate: 5}
          flag: {type: bool, rate: 10}
    """,
    triggers="""
        trigger agreed { when fast > 0.5 and (slow > 0.3 for 150 ms) }
        trigger flagged { when flag for 120 ms tolerating 60 ms cooldown 400 ms }
        trigger gone { when missing(fast) or missing(flag) }
        trigger often { when count(fast > 0.6 over 200 ms) >= 2 }
    """,
    lines=_jittered(),
)

CASES = (
    HOLD_EDGE_COOLDOWN,
    HEARTBEATS,
    SEGMENTS,
    INFINITE_SAMPLES,
    EQUAL_TIMESTAMPS,
    RESTART,
    END_OF_DRIVE,
    TIME_RANGE,
    MANY_FIRES,
    JITTER,
)
