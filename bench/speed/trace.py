"""A trace of one trigger over an hour at 100 Hz: every part of its condition at every tick, with and without a file.

The goal is 3 s. The reference interpreter, which gives the same values tick by tick, shows why the module does it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench.engines import Engines
from bench.measure import Comparison, Contender, Role, compare
from bench.speed.backtest import CATALOG, RATE_HZ, decode, written
from bench.speed.made_drives import make_drives
from triggers.drives.drive import Drive
from triggers.language.parts import PartsProgram, parts_program
from triggers.language.reference.interpreter import Interpreter
from triggers.trace.run import TraceBlock, TraceRun
from triggers.trace.table import writing

RECORDED = tuple("abcdefgh")
SOURCE = """
let braking = a < -1.5 for 100 ms
let turning = max(abs(b) over 2 s) > 1 and abs(c - d) > 0.5
trigger traced { when braking and turning and not (e > 2 or f > 2) and delta(g over 1 s) > 0.1 and avg(h over 1 s) < 1 }
"""


def run(engines: Engines, *, quick: bool) -> Iterator[Comparison]:
    """One hour, or a minute if it is to be quick."""
    made = make_drives(RECORDED, drives=1, rows=6_000 if quick else 360_000, rate_hz=RATE_HZ, seed=9)
    program = parts_program(SOURCE, "bench.trigger", "traced", CATALOG)
    with engines.scratch("trace") as folder:
        (drive,) = written(made, folder)
        file = folder / "trace.parquet"
        sums: dict[str, str] = {}

        def trace(_: int) -> None:
            sums["trace"] = _summed(TraceRun(program, drive, CATALOG).blocks())

        def trace_into_file(_: int) -> None:
            sums["file"] = _summed(writing(file, program, TraceRun(program, drive, CATALOG).blocks()))

        contenders = [
            Contender(name="trace", role=Role.OWN, run=trace, result=lambda: sums["trace"]),
            Contender(
                name="trace into a Parquet file", role=Role.OWN, run=trace_into_file, result=lambda: sums["file"]
            ),
            Contender(
                name="pyarrow, the columns it needs", role=Role.LIMIT, run=lambda _: decode([drive], list(RECORDED))
            ),
            Contender(name="reference interpreter", role=Role.LIMIT, run=lambda _: _interpreted(program, drive)),
        ]
        title = f"trace of {len(program.parts)} parts over an hour at {RATE_HZ} Hz"
        yield compare(title, contenders, amount=made.rows, unit="rows", rounds=2 if quick else 5)


def _summed(blocks: Iterator[TraceBlock]) -> str:
    """How often each part was known, which reads every value."""
    known = [np.count_nonzero(~np.isnan(block.values), axis=1) for block in blocks]
    return repr(np.sum(known, axis=0).tolist())


def _interpreted(program: PartsProgram, drive: Drive) -> None:
    Interpreter(program.ir).run(drive.rows(CATALOG, list(RECORDED)))
