"""Known time over batches, against a walk through all rows."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from triggers.backtest.meters.known_time import KnownTime
from triggers.drives.batches import Batch
from triggers.signals.catalog import SignalCatalog

CATALOG = SignalCatalog.parse(
    """
max_gap: 0.5
signals:
  dense: {rate: 20}
  slow: {rate: 5, max_age: 0.3}
  told: {type: bool, update: on_change}
  begun: {type: bool, update: on_change, initial: false}
""",
    name="c",
)
NEEDS = {"all": frozenset(CATALOG.signals), "one": frozenset(("slow",)), "two": frozenset(("slow", "told"))}


def random_drive(seed: int, rows: int = 300) -> Batch:
    """Irregular steps with gaps; samples that are missing or infinite, and signals without any for a while."""
    rng = np.random.default_rng(seed)
    t_ns = np.cumsum((rng.choice([0.01, 0.05, 0.1, 0.4, 0.7], rows, p=[0.4, 0.3, 0.2, 0.05, 0.05]) * 1e9).astype(int))
    columns: dict[str, np.ndarray[tuple[int], np.dtype[np.float64]] | None] = {}
    for name, share in (("dense", 1.0 if seed % 2 else 0.9), ("slow", 0.3), ("told", 0.02), ("begun", 0.02)):
        values = np.where(rng.random(rows) < share, 1.7e308 if seed % 3 == 1 else 1.0, math.nan)  # the sum overflows
        values[rng.random(rows) < (0.0 if seed % 2 else 0.02)] = math.inf
        columns[name] = values
    return Batch(t_ns, columns)


def by_hand(drive: Batch) -> tuple[dict[str, int], dict[str, int]]:
    """Unknown ns by signal, and by trigger; walks through the times at which anything can change."""
    unknown, together = dict.fromkeys(CATALOG.signals, 0), dict.fromkeys(NEEDS, 0)
    until_ns = dict.fromkeys(CATALOG.signals, -1)
    t_ns = drive.t_ns.tolist()
    for row, now_ns in enumerate(t_ns):
        begins = row == 0 or now_ns - t_ns[row - 1] > CATALOG.max_gap_ns
        if not begins:
            edges = sorted({t_ns[row - 1], now_ns, *(u for u in until_ns.values() if t_ns[row - 1] < u < now_ns)})
            for since_ns, next_ns in itertools.pairwise(edges):
                missing = {name for name, known_ns in until_ns.items() if known_ns <= since_ns}
                for name in missing:
                    unknown[name] += next_ns - since_ns
                for trigger, needed in NEEDS.items():
                    together[trigger] += next_ns - since_ns if needed & missing else 0
        for name, signal in CATALOG.signals.items():
            lasts_ns = signal.max_age_ns or 2**62
            if begins:
                until_ns[name] = now_ns + lasts_ns if signal.initial is not None else -1
            column = drive.columns[name]
            assert column is not None
            if not math.isnan(column[row]):
                until_ns[name] = now_ns + lasts_ns if math.isfinite(column[row]) else -1
    return unknown, together


@pytest.mark.parametrize("batch_rows", [1, 7, 1000])
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.filterwarnings("error")
def test_unknown_time_is_that_of_a_walk_through_all_rows(seed: int, batch_rows: int) -> None:
    drive = random_drive(seed)
    known = KnownTime(CATALOG.signals, NEEDS, CATALOG.max_gap_ns)
    for first in range(0, len(drive), batch_rows):
        part = drive.part(slice(first, first + batch_rows))
        empty = {name: None if v is None or np.isnan(v).all() else v for name, v in part.columns.items()}
        known.take(Batch(part.t_ns, empty))
    assert (known.unknown_ns, known.unknown_together_ns) == by_hand(drive)
    assert known.unknown_ns["slow"] > 0
