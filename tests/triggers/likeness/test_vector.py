"""The vector `signals-v1`: frozen, of length 1, in units, and near for clips in which the same happened."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench.likeness.events import generated, plain_statistics, precision_at, vectors
from triggers.drives.series import SignalSeries
from triggers.likeness.channels import Channel, channels_of
from triggers.likeness.features import CONVOLUTIONS, DILATIONS, KERNELS, LENGTH, convolved
from triggers.likeness.grids import AT_FIRE, RATE_HZ, STEPS, filled, on_grid
from triggers.likeness.reference import reference
from triggers.likeness.vector import Vector, embedding_id, signals_vector
from triggers.likeness.version import DIMENSIONS, EMBEDDING_ID
from triggers.signals.catalog import SignalCatalog

FIRE_NS = 1_767_600_000 * 10**9
CATALOG = SignalCatalog.parse(
    """
signals:
  ego.speed:     {unit: km/h, rate: 10}
  ego.accel:     {unit: m/s^2, rate: 10}
  ego.latitude:  {unit: deg, rate: 5}
  ego.longitude: {unit: deg, rate: 5}
  cabin.load:    {rate: 10}
  door:          {type: text, values: [shut, ajar, open], update: on_change}
position: {latitude: ego.latitude, longitude: ego.longitude}
""",
    name="signals.yaml",
)
CHANNELS = channels_of([CATALOG], CATALOG.signals)


def series(values: np.ndarray) -> SignalSeries:
    """Samples at every step of the grid."""
    return SignalSeries(FIRE_NS + (np.arange(STEPS, dtype=np.int64) - AT_FIRE) * 10**8, values.astype(np.float64))


def braking(m_s2: float) -> dict[str, SignalSeries]:
    """A car at 90 km/h that brakes for a second and a half when the trigger fires."""
    accel = np.zeros(STEPS)
    accel[AT_FIRE : AT_FIRE + 15] = -m_s2
    speed = np.maximum(0, 25 + np.cumsum(accel) / RATE_HZ) * 3.6
    return {"ego.accel": series(accel), "ego.speed": series(speed)}


def vector(signals: dict[str, SignalSeries]) -> Vector:
    found = signals_vector(signals, CHANNELS, FIRE_NS)
    assert found is not None
    return found


def test_the_numbers_that_the_version_stands_for_are_frozen() -> None:
    """A change of kernels, weights or the reference set is another embedding, never the same one with other numbers."""
    known = reference()
    assert embedding_id(known) == EMBEDDING_ID == "signals-v1.a3b137d68aeb069af86f4e92d9fae96e"
    other = replace(known, biases=known.biases + 1e-9)
    assert embedding_id(other) != EMBEDDING_ID
    first = vector(braking(6.0))[:4]
    assert first == pytest.approx([0.169677, -0.325762, 0.126739, -0.131846], abs=1e-5)


def test_a_vector_has_length_1_and_depends_neither_on_the_day_nor_on_the_place() -> None:
    signals = braking(6.0)
    found = vector(signals)
    assert found.shape == (DIMENSIONS,)
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-6)
    later = {name: SignalSeries(each.t_ns + 10**15, each.values) for name, each in signals.items()}
    assert np.array_equal(found, signals_vector(later, CHANNELS, FIRE_NS + 10**15))  # type: ignore[arg-type]
    elsewhere = signals | {"ego.latitude": series(np.full(STEPS, 48.0)), "ego.longitude": series(np.full(STEPS, 11.0))}
    assert np.array_equal(found, vector(elsewhere))
    assert np.array_equal(found, vector(dict(reversed(signals.items()))))


def test_strength_counts_so_hard_braking_is_nearer_to_harder_than_to_gentle_braking() -> None:
    hard, harder, gentle = (vector(braking(m_s2)) for m_s2 in (8.0, 9.0, 1.5))
    assert hard @ harder > hard @ gentle + 0.2


def test_units_are_those_of_the_catalog() -> None:
    in_m_s = {**CHANNELS, "ego.speed": Channel.of(CATALOG.signals["ego.speed"].model_copy(update={"unit": "m/s"}))}
    signals = braking(6.0)
    metres = signals | {"ego.speed": series(signals["ego.speed"].values / 3.6)}
    found = signals_vector(metres, in_m_s, FIRE_NS)
    assert found is not None
    assert found @ vector(signals) == pytest.approx(1, abs=1e-6)


def test_a_signal_that_the_reference_set_does_not_know_counts_too() -> None:
    rises = np.linspace(0, 4, STEPS)
    with_load = vector(braking(6.0) | {"cabin.load": series(rises)})
    assert with_load @ vector(braking(6.0)) < 0.99
    assert with_load @ vector(braking(6.0) | {"cabin.load": series(rises * 1.05)}) > 0.99


def test_nothing_known_around_the_fire_is_no_vector() -> None:
    assert signals_vector({}, CHANNELS, FIRE_NS) is None
    assert signals_vector({"unknown": series(np.ones(STEPS))}, CHANNELS, FIRE_NS) is None
    assert signals_vector(braking(6.0), CHANNELS, FIRE_NS + 10**12) is None


def test_a_sample_holds_for_max_age_and_one_sent_on_change_until_the_next() -> None:
    one = SignalSeries(np.array([FIRE_NS - 10**9]), np.array([2.0]))
    aged = on_grid(one, Channel.of(CATALOG.signals["ego.accel"]), FIRE_NS)  # max_age: three periods, 0.3 s
    assert np.flatnonzero(np.isfinite(aged)).tolist() == [AT_FIRE - 10 + step for step in range(4)]
    held = on_grid(one, Channel.of(CATALOG.signals["door"]), FIRE_NS)
    assert np.isfinite(held).sum() == STEPS - AT_FIRE + 10
    assert filled(held).tolist() == [2.0] * STEPS


def test_the_kernels_are_all_84_and_convolve_as_written_out() -> None:
    assert len({tuple(row) for row in KERNELS.tolist()}) == 84
    assert not KERNELS.sum(axis=1).any()
    grid = np.sin(np.arange(STEPS) / 7.0)
    found = convolved(grid)
    assert found.shape == (CONVOLUTIONS, STEPS)
    for row, step in ((0, 0), (83, 60), (84, STEPS - 1), (84 * 4 + 17, 30)):
        dilation = DILATIONS[row // 84]
        taken = [min(max(step + (k - LENGTH // 2) * dilation, 0), STEPS - 1) for k in range(LENGTH)]
        assert found[row, step] == pytest.approx(sum(KERNELS[row % 84][k] * grid[taken[k]] for k in range(LENGTH)))


def test_the_nearest_clips_are_of_the_same_event_more_often_than_by_plain_statistics() -> None:
    clips, channels = generated(seed=31, drives=12)
    found = precision_at(10, vectors(clips, channels), clips)
    plain = precision_at(10, plain_statistics(clips, channels), clips)
    assert found["all"] > plain["all"] + 0.1
    assert found["all"] > 0.75
