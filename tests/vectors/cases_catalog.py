"""Vectors for what the signal catalog says of values: ranges, limits, and signals that are derived from others."""

from __future__ import annotations

from tests.vectors.case import Case
from tests.vectors.recordings import recording

RANGES = Case(
    name="ranges",
    says="A value outside its signal's range is unknown, whatever a host delivers; limits and derived signals follow.",
    signals="""
        signals:
          speed: {unit: km/h, rate: 10, min: 0, max: 200, yellow: [null, 130], red: [null, 160]}
          gap: {unit: m, rate: 10, min: 0.5}
          coolant: {unit: degC, rate: 10, yellow: [-20, 105], red: [-30, 115]}
          headway: {unit: ms, derived: "gap / speed", max: 20000, red: [800, null]}
          close: {type: bool, derived: "headway outside red for 200 ms"}
    """,
    triggers="""
        trigger lost { when missing(speed) }
        trigger moved { when changed(speed) }
        trigger fast { when speed outside yellow }
        trigger faster { when speed outside red }
        trigger highest { when max(speed over 400 ms) == 200 km/h }
        trigger odd_coolant { when coolant outside yellow and not coolant outside red }
        trigger near { when headway outside red }
        trigger long_near { when close }
        trigger far { when missing(headway) }
        trigger sampled { when age(speed) == 0 s }
    """,
    lines=recording("""
        0 speed=36 gap=40 coolant=-20; 100 speed=-0.0 gap=0.5; 200 speed=-5e-324 gap=0.49999999999999994 coolant=-20.5
        300 speed=200 gap=30 coolant=-30; 400 speed=200.00000000000003; 500 speed=36 coolant=-30.5; 600 speed=130 gap=8
        700 speed=130.1 gap=7.9 coolant=105; 800 speed=160 gap=7; 900 speed=160.1 gap=7 coolant=110; 1000 speed=inf
        1100 speed=90 gap=0.5 coolant=115; 1200 speed=90 gap=300; 1300 speed=72 gap=300 coolant=inf
        1400 speed=54 gap=300.1; 1500 speed=54 gap=299.9 coolant=115.1; 1600 speed=-inf; 1700 speed=36
        1900 speed=36 gap=7.9; 2000 gap=7.9; 2100 gap=7.9; 2200 gap=7.9 speed=400; 2300 speed=36 gap=9
    """),
)

CASES = (RANGES,)
