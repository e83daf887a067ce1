"""Windows: the span of a signal against Polars' rolling extremes, and `once` and `for` against RTAMT's monitors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.measure import Comparison, Contender, Role, compare
from bench.speed.by_hand_tables import after_cooldown
from bench.speed.made_drives import Drives, make_drives
from bench.speed.modules import catalog_of, drive_by_drive, inputs, loaded, said
from bench.speed.one_thread import pl
from triggers.language.webassembly.host.machine import Machine
from triggers.times import NS_PER_S

RATE_HZ = 100
SPAN = "trigger span { when max(x over 2 s) - min(x over 2 s) > 1.5 cooldown 5 s }"
_WINDOW_NS, _WINDOW_ROWS, _SPAN, _COOLDOWN_NS = 2 * NS_PER_S, 2 * RATE_HZ, 1.5, 5 * NS_PER_S
MONITORED = {"once": "once(x > 1 over 500 ms)", "historically": "x > -0.5 for 500 ms"}
"""Our expression for each of RTAMT's operators."""
_RTAMT = {"once": "once[0:49](x > 1)", "historically": "historically[0:50](x > -0.5)"}
Fires = NDArray[np.int64]


def run(*, quick: bool) -> Iterator[Comparison]:
    """Spans, then each of RTAMT's operators offline and online."""
    rounds = 2 if quick else 5
    yield compare_span(make_drives("x", drives=4 if quick else 200, rows=10_000, rate_hz=RATE_HZ, seed=5), rounds)
    for operator in MONITORED if find_spec("rtamt") else ():
        yield compare_monitors(operator, rows=2_000 if quick else 200_000, rounds=2 if quick else 3)


def compare_span(drives: Drives, rounds: int) -> Comparison:
    """`max - min` over 2 s by drive, compared with a threshold."""
    module = loaded(SPAN, catalog_of([f"x: {{rate: {RATE_HZ}}}"]))
    parts = drives.each(inputs(module))
    spans = SpansInPolars(drives)
    contenders = [
        _contender("module", Role.OWN, lambda: drive_by_drive(module, parts, end=True)["t_ns"]),
        _contender("Polars .rolling by drive", Role.PEER, spans.by_time),
        _contender("Polars rolling_max of 200 rows", Role.PEER, spans.by_rows),
    ]
    return compare("max(x over 2 s) - min(x over 2 s)", contenders, amount=drives.rows, unit="rows", rounds=rounds)


class SpansInPolars:
    """The trigger in Polars, one thread: by time as its rule says, and by rows, which regular drives allow."""

    def __init__(self, drives: Drives) -> None:
        self._table = pl.DataFrame({"t": drives.t_ns, "drive": drives.number, "x": drives.columns["x"]})

    def by_time(self) -> Fires:
        """`DataFrame.rolling` over (t - 2 s, t]."""
        rolled = self._table.lazy().rolling("t", period=f"{_WINDOW_NS}i", group_by="drive")
        return self._fires(rolled.agg(span=pl.col("x").max() - pl.col("x").min()))

    def by_rows(self) -> Fires:
        """Windows of a fixed number of rows."""
        highest = pl.col("x").rolling_max(_WINDOW_ROWS, min_samples=1)
        lowest = pl.col("x").rolling_min(_WINDOW_ROWS, min_samples=1)
        return self._fires(self._table.lazy().select("t", "drive", span=(highest - lowest).over("drive")))

    def _fires(self, spans: pl.LazyFrame) -> Fires:
        large, same = pl.col("span") > _SPAN, pl.col("drive") == pl.col("drive").shift(1)
        found = spans.filter(large & ~large.shift(1, fill_value=True) & same).select("t").collect()
        return after_cooldown(found["t"].to_numpy(), _COOLDOWN_NS)


def compare_monitors(operator: str, *, rows: int, rounds: int) -> Comparison:
    """The same property of one signal, and when it begins to hold."""
    drives = make_drives("x", drives=1, rows=rows, rate_hz=RATE_HZ, seed=6)
    x = drives.columns["x"]
    x[0] = -1.0  # RTAMT's `historically` holds on a truncated prefix, ours does not: here neither begins true
    module = loaded(f"trigger monitored {{ when {MONITORED[operator]} }}", catalog_of([f"x: {{rate: {RATE_HZ}}}"]))
    machine = Machine(module)

    def from_the_beginning() -> Fires:
        machine.reset()
        return machine.run(drives.t_ns, [x])["t_ns"]

    monitor = Monitor(_RTAMT[operator], drives)
    contenders = [
        _contender("module", Role.OWN, from_the_beginning),
        _contender("RTAMT offline", Role.PEER, monitor.offline, after=monitor.rises),
        _contender("RTAMT online", Role.PEER, monitor.online, after=monitor.rises),
    ]
    return compare(f"{operator} of RTAMT", contenders, amount=rows, unit="rows", rounds=rounds)


class Monitor:
    """A discrete-time monitor of RTAMT; its result is the robustness at each row."""

    def __init__(self, formula: str, drives: Drives) -> None:
        self._formula = f"out = {formula}"
        self._t_ns = drives.t_ns
        self._x = drives.columns["x"].tolist()
        self._trace = {"time": list(range(drives.rows)), "x": self._x}

    def offline(self) -> Fires:
        """The whole trace in one call."""
        return np.array([robustness for _, robustness in self._specification().evaluate(self._trace)])

    def online(self) -> Fires:
        """One sample per call."""
        update = self._specification().update
        return np.array([update(row, [("x", x)]) for row, x in enumerate(self._x)])

    def rises(self, robustness: Fires) -> Fires:
        """Times at which it begins to be true."""
        holds = robustness > 0
        return self._t_ns[1:][holds[1:] & ~holds[:-1]]

    def _specification(self) -> Any:
        import rtamt  # noqa: PLC0415 - it is not available for every Python

        specification = rtamt.StlDiscreteTimeSpecification()
        for name in ("x", "out"):
            specification.declare_var(name, "float")
        specification.spec = self._formula
        specification.parse()
        return specification


def _contender(
    name: str, role: Role, work: Callable[[], Fires], after: Callable[[Fires], Fires] = lambda found: found
) -> Contender:
    latest: list[Fires] = []

    def timed(_: int) -> None:
        latest[:] = [work()]

    return Contender(name=name, role=role, run=timed, result=lambda: said(after(latest[0])))
