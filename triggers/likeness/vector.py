"""The vector `signals-v1`: 64 numbers of length 1 from a clip's signals and the time of its fire.

1. each signal on a grid of 10 Hz from 8 s before to 4 s after the fire, held as the language holds it (`grids`)
2. in the scale of the reference set (`reference`)
3. under fixed kernels, and its statistics (`features`), as deviations from what is ordinary
4. all channels' features added up through matrices of signs, which a channel's name and the version determine
   (Achlioptas, "Database-friendly random projections", 2003); a missing signal adds nothing
5. divided by its length

Nothing is drawn or learnt when it runs, so the same input gives the same vector on every machine, but for the last
digits of a sum. The cosine of two vectors is the likeness of two clips.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from triggers.drives.series import SignalSeries
from triggers.likeness import features as f
from triggers.likeness import grids as grid
from triggers.likeness.channels import MAX_CHANNELS, Channel
from triggers.likeness.grids import Array, filled, grids
from triggers.likeness.reference import SOFT, Reference, reference
from triggers.likeness.version import DIMENSIONS, NAME

KERNEL_WEIGHT, STATISTICS_WEIGHT, PRESENCE_WEIGHT = 1.0, 0.5, 0.1
"""How much each group of features weighs, whatever its size; chosen on drives that `bench/likeness` does not report."""

Vector = NDArray[np.float32]


def signals_vector(signals: Mapping[str, SignalSeries], channels: Mapping[str, Channel], fire_ns: int) -> Vector | None:
    """The vector of a clip; None when none of its channels has a value around the fire."""
    return vector_of(grids(signals, channels, fire_ns), channels, reference())


def vector_of(of_channels: Mapping[str, Array], channels: Mapping[str, Channel], known: Reference) -> Vector | None:
    """The vector of channels that are on the grid already."""
    total = np.zeros(DIMENSIONS)
    for name, values in of_channels.items():
        scaled = known.scaled(name, channels[name], filled(values))
        deviations = known.standardised(name, f.features(scaled, known.biases))
        presence = PRESENCE_WEIGHT * float(np.isfinite(values).mean())
        total += np.concatenate([deviations * _weights(), [presence]]) @ _signs(name)
    length = float(np.linalg.norm(total))
    return (total / length).astype(np.float32) if length > 0 else None


@lru_cache(maxsize=1)
def _weights() -> Array:
    kernels = f.FEATURES - f.STATISTICS
    of_groups = ((KERNEL_WEIGHT, kernels), (STATISTICS_WEIGHT, f.STATISTICS))
    return np.concatenate([np.full(size, weight / np.sqrt(size)) for weight, size in of_groups])


@lru_cache(maxsize=512)
def _signs(name: str) -> NDArray[np.int8]:
    """-1 or 1 for each feature of this channel, its presence the last, and each number of the vector."""
    count = (f.FEATURES + 1) * DIMENSIONS
    stream = hashlib.shake_256(f"{NAME} {name}".encode()).digest((count + 7) // 8)
    bits = np.unpackbits(np.frombuffer(stream, np.uint8), count=count)
    signs: NDArray[np.int8] = (bits.astype(np.int8) * 2 - 1).reshape(-1, DIMENSIONS)
    return signs


def embedding_id(known: Reference) -> str:
    """The digest of everything that the vector depends on, after its name: what `version.EMBEDDING_ID` must be."""
    depends = {
        "grid": (grid.BEFORE_S, grid.AFTER_S, grid.RATE_HZ, MAX_CHANNELS),
        "kernels": (f.LENGTH, f.DILATIONS, f.QUANTILES, f.THRESHOLDS, f.LIMIT, f.CLEARLY, f.FEATURES),
        "weights": (KERNEL_WEIGHT, STATISTICS_WEIGHT, PRESENCE_WEIGHT, SOFT),
        "dimensions": DIMENSIONS,
        "reference": known.digest(),
    }
    return f"{NAME}.{hashlib.sha256(repr(sorted(depends.items())).encode()).hexdigest()[:32]}"
