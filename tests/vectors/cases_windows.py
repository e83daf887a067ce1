"""Vectors for windows that compute with all of their numbers: sums, deviations, integrals, samples, quantiles."""

from __future__ import annotations

from tests.vectors.case import Case
from tests.vectors.recordings import in_order, series

SUMS = Case(
    name="sums",
    says="Sums, deviations and integrals are those of the window's update ticks; what has left it leaves no trace.",
    signals="""
        signals:
          x: {rate: 10}
          far: {rate: 10}
          p: {type: bool, rate: 10}
    """,
    triggers="""
        trigger sum { when sum(x over 500 ms) > 6 }
        trigger exact { when sum(far over 300 ms) == 4 }
        trigger steady { when std(x over 400 ms) < 0.25 }
        trigger spread { when std(far over 400 ms) > 1.4 }
        trigger area { when integral(x over 600 ms) >= 0.5 s }
        trigger nothing { when missing(sum(x over 300 ms)) }
        trigger alone { when samples(x over 300 ms) <= 1 }
        trigger told { when samples(p over 400 ms) >= 3 }
    """,
    lines=in_order(
        series("x", [0, 1, 1, 1, 3, 0.5, 0, 0, None, None, None, 2, None, 4, 1, 1, 1.5, 0, 3, 3, 0, 0], step_ms=110),
        series("far", [1, 1, 3e38, 1e19, 1, 1, 1, 1, -1e300, 1, 1, 3, 1, 1e308, 1e308, 1, 4, 1, 1, 1], step_ms=90),
        series("p", [0, 1, None, None, 0, 1, 1, 1, None, 1], step_ms=150, start_ms=20),
    ),
)

QUANTILES = Case(
    name="quantiles",
    says="A quantile is the value at place ceil(q * n) of the window's values in order, of few or many.",
    signals="""
        signals:
          x: {rate: 10}
          slow: {rate: 1}
    """,
    triggers="""
        trigger middle { when median(x over 500 ms) > 1 }
        trigger high { when quantile(x over 1 s, 90 %) >= 3 }
        trigger low { when quantile(x over 300 ms, 1 / 4) == 0.5 }
        trigger zero { when quantile(x over 400 ms, 2 / 3) == 0 }
        trigger nothing { when missing(median(x over 300 ms)) }
        trigger crowded { when median(slow over 1 s) > 2 }
    """,
    lines=in_order(
        series(
            "x", [0, 1, 2, 2, 1, 3, 1e300, 0.5, 1, 1, None, None, None, 4, None, -0.0, 0, -0.0, -0.0, 5], step_ms=95
        ),
        series("slow", [(k * 7) % 5 - k % 3 for k in range(110)], step_ms=13, start_ms=5),
        series("slow", [3, 3, 3, 1, 1, 4], step_ms=210, start_ms=1800),
    ),
)

CASES = (SUMS, QUANTILES)
