"""The language: the whole process of `longtail check`, conditions on objects, and the reference interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bench.engines import Engines
from bench.language import tracked
from bench.measure import Comparison, Contender, Role, compare
from triggers.drives.drive import Drive
from triggers.language.compile import compile_source
from triggers.language.reference.interpreter import Interpreter
from triggers.language.rows import HEARTBEAT_NS, Row
from triggers.signals.catalog import SignalCatalog
from triggers.times import NS_PER_S

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples/css_car/hard_braking.trigger"
SIGNALS = ROOT / "examples/css_car/signals.yaml"
DRIVE = Path(os.environ.get("LONGTAIL_TEST_DRIVES", ROOT.parent / "shared" / "data")) / "css_car_a" / "signals.parquet"
SLOW_SOURCE = EXAMPLE.read_text("utf-8")
DENSE_SOURCE = """
trigger dense {
    when avg(ego.accel.longitudinal over 1 s) < -2 m/s^2 for 500 ms
        or abs(ego.yaw_rate) > 30 deg/s and ego.speed > 5 m/s
        or max(imu.accel.z over 200 ms) - min(imu.accel.z over 200 ms) > 8 m/s^2
    cooldown 5 s
    capture 5 s before, 5 s after { signals ego.* }
}
"""
"""Three signals of 100 Hz, with windows: nearly every row is a tick."""
_BRAKING_M_S2 = -2.0
_WINDOW_NS = 1_500_000_000
_HOLD_NS = 500_000_000
_COOLDOWN_NS = 10 * NS_PER_S


def run(_: Engines, *, quick: bool) -> Iterator[Comparison]:
    """The process, conditions on objects, then the interpreter where the recorded drive is at hand."""
    yield compare_check(rounds=3 if quick else 9)
    yield from tracked.comparisons(quick=quick)
    if not DRIVE.exists():
        sys.stderr.write(f"bench: the interpreter is left out, there is no {DRIVE} (set LONGTAIL_TEST_DRIVES)\n")
        return
    catalog = SignalCatalog.load(SIGNALS)
    seconds = 120 if quick else None
    rounds = 2 if quick else 5
    slow, dense = evaluator(SLOW_SOURCE, catalog), evaluator(DENSE_SOURCE, catalog)
    rows = rows_of(catalog, slow.inputs, seconds)
    by_hand = _by_hand(rows, slow.inputs[0])
    yield compare_interpreter("one signal of 2 Hz", SLOW_SOURCE, catalog, rows, rounds, peers=[by_hand])
    rows = rows_of(catalog, dense.inputs, seconds)
    yield compare_interpreter("three signals of 100 Hz, one of 2 Hz", DENSE_SOURCE, catalog, rows, rounds)


def compare_check(*, rounds: int) -> Comparison:
    """`longtail check` on an example, and what Python alone takes to start and end."""
    command = [str(Path(sys.executable).with_name("longtail")), "check", str(EXAMPLE), "--signals", str(SIGNALS)]
    contenders = [
        _process("longtail check", Role.OWN, [*command, "--json"], expected='"ok": true'),
        _process("python -c pass", Role.LIMIT, [sys.executable, "-c", "pass"], expected=""),
    ]
    return compare("longtail check, whole process", contenders, amount=1, unit="", rounds=rounds)


def _process(name: str, role: Role, command: Sequence[str], *, expected: str) -> Contender:
    """A process that has to succeed and to say what is expected, each time."""
    result = None if role is Role.LIMIT else lambda: "it succeeded"

    def start(_: int) -> None:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        if expected not in done.stdout:
            raise ValueError(f"{name} said {done.stdout[:200]!r}")

    return Contender(name=name, role=role, run=start, result=result)


def evaluator(source: str, catalog: SignalCatalog) -> Interpreter:
    """A new interpreter of all triggers of a text."""
    compilation = compile_source(source, filename="bench.trigger", catalog=catalog)
    if compilation.triggers is None:
        raise ValueError(f"the benchmark's own triggers do not compile: {compilation.diagnostics}")
    return Interpreter(compilation.triggers.ir)


def rows_of(catalog: SignalCatalog, signals: Iterable[str], seconds: int | None) -> list[Row]:
    """The recorded drive's rows, or those of its first seconds, with the samples of these signals."""
    found: list[Row] = []
    for row in Drive(DRIVE).rows(catalog, frozenset(signals)):
        if seconds is not None and row.t_ns > seconds * NS_PER_S:
            break
        found.append(row)
    return found


def compare_interpreter(
    name: str, source: str, catalog: SignalCatalog, rows: Sequence[Row], rounds: int, *, peers: Sequence[Contender] = ()
) -> Comparison:
    """Rows per second with everything in memory, against `peers` and a loop that only looks at the samples."""
    contenders = [_interpreting(source, catalog, rows), *peers, _looking(rows, evaluator(source, catalog).inputs)]
    found = compare(f"interpreter: {name}", contenders, amount=len(rows), unit="rows", rounds=rounds)
    drive_s = (rows[-1].t_ns - rows[0].t_ns) / NS_PER_S
    found.extra["times as fast as the drive was driven"] = drive_s / found.timings[0].median_s
    return found


def _interpreting(source: str, catalog: SignalCatalog, rows: Sequence[Row]) -> Contender:
    fires: list[int] = []

    def interpret(_: int) -> None:
        fires[:] = [firing.t_ns for firing in evaluator(source, catalog).run(rows)]

    return Contender(name="reference interpreter", role=Role.OWN, run=interpret, result=lambda: repr(fires))


def _looking(rows: Sequence[Row], signals: Sequence[str]) -> Contender:
    def look(_: int) -> None:
        seen = 0
        for row in rows:
            samples = row.samples
            for signal in signals:
                if samples.get(signal) is not None:
                    seen += 1

    return Contender(name="loop over samples", role=Role.LIMIT, run=look)


def _by_hand(rows: Sequence[Row], signal: str) -> Contender:
    fires: list[int] = []

    def watch(_: int) -> None:
        fires[:] = HardBraking(signal).run(rows)

    return Contender(name="written by hand", role=Role.PEER, run=watch, result=lambda: repr(fires))


class HardBraking:
    """The example's trigger, `rate(speed over 1.5 s) < -2 m/s^2 for 500 ms`, written by hand."""

    def __init__(self, signal: str) -> None:
        self._signal = signal
        self._window: deque[tuple[int, float]] = deque()
        self._since_ns: int | None = None
        self._fires: list[int] = []
        self._was_braking = False
        self._quiet_until_ns = 0

    def run(self, rows: Sequence[Row]) -> list[int]:
        """Times of the fires; the rows must have no gap of 2 s or more."""
        beat_ns = rows[0].t_ns // HEARTBEAT_NS * HEARTBEAT_NS
        for row in rows:
            while beat_ns < row.t_ns:
                if not self._window or self._window[-1][0] <= beat_ns - HEARTBEAT_NS:
                    self._look(beat_ns)
                beat_ns += HEARTBEAT_NS
            speed = row.samples.get(self._signal)
            if speed is not None:
                self._window.append((row.t_ns, speed))
                self._look(row.t_ns)
        return self._fires

    def _look(self, t_ns: int) -> None:
        window = self._window
        while window and window[0][0] <= t_ns - _WINDOW_NS:
            window.popleft()
        if len(window) < 2:
            self._since_ns = None
            return
        (first_ns, first), (last_ns, last) = window[0], window[-1]
        if (last - first) / ((last_ns - first_ns) / NS_PER_S) >= _BRAKING_M_S2:
            self._since_ns, self._was_braking = None, False
            return
        self._since_ns = t_ns if self._since_ns is None else self._since_ns
        braking = t_ns - self._since_ns >= _HOLD_NS
        if braking and not self._was_braking and t_ns >= self._quiet_until_ns:
            self._fires.append(t_ns)
            self._quiet_until_ns = t_ns + _COOLDOWN_NS
        self._was_braking = braking
