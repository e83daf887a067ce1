"""Counting samples in capture windows while a drive goes by, against counting row by row."""

from __future__ import annotations

import numpy as np
import pytest

from triggers.backtest.meters.windows import SampledRows, WindowCounts
from triggers.drives.batches import Batch

SIGNALS = ("dense", "sparse", "silent")


def random_batch(rng: np.random.Generator, rows: int) -> Batch:
    """Irregular times; a signal in every row, one in a third of them, one in none."""
    t_ns = np.cumsum(rng.integers(1, 20, rows))
    sparse = np.where(rng.random(rows) < 0.3, 1.0, np.nan)
    return Batch(t_ns, {"dense": np.ones(rows), "sparse": sparse, "silent": None})


@pytest.mark.parametrize("call_rows", [0, 10**9], ids=["window by window", "all rows at once"])
@pytest.mark.parametrize("batch_rows", [1, 7, 100, 400])
@pytest.mark.parametrize(("before_ns", "after_ns"), [(0, 0), (5, 300), (700, 0), (2000, 3000)])
def test_windows_across_batches_count_every_sample_once(
    call_rows: int, batch_rows: int, before_ns: int, after_ns: int
) -> None:
    rng = np.random.default_rng(batch_rows + before_ns)
    drive = random_batch(rng, 400)
    fires_ns = np.sort(rng.choice(drive.t_ns, 20, replace=False))
    counts = WindowCounts(SIGNALS, call_rows=call_rows)
    latest: list[SampledRows] = []
    for first in range(0, len(drive), batch_rows):
        batch = drive.part(slice(first, first + batch_rows))
        begun_ns = fires_ns[np.isin(fires_ns, batch.t_ns)]
        counts.add(begun_ns - before_ns, begun_ns + after_ns, latest)
        counts.take(SampledRows.of(batch))
        latest.append(SampledRows.of(batch).tail(int(batch.t_ns[-1]) - before_ns, SIGNALS))
    samples, channels = counts.totals()
    for fire_ns, sampled, seen in zip(fires_ns, samples, channels, strict=True):
        inside = (drive.t_ns >= fire_ns - before_ns) & (drive.t_ns <= fire_ns + after_ns)
        sparse = drive.columns["sparse"]
        assert sparse is not None
        few = int((~np.isnan(sparse[inside])).sum())
        assert (sampled, seen) == (inside.sum() + few, 1 + (few > 0))


def test_what_is_kept_of_the_rows_before_is_no_longer_than_asked() -> None:
    batch = random_batch(np.random.default_rng(1), 100)
    tail = SampledRows.of(batch).tail(int(batch.t_ns[90]), ["sparse"])
    assert tail.t_ns.tolist() == batch.t_ns[90:].tolist()
    assert tail.t_ns.base is None
    mask = tail.sampled("sparse", slice(0, 10))
    assert mask is not None and mask.dtype == bool and len(mask) == 10
