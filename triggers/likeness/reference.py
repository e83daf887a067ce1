"""The reference set of `signals-v1`: frozen numbers from generated drives, which say what is ordinary for a channel.

`signals_v1.npz` is part of the vector's version. It was written by `tools/likeness_reference.py`, whose first lines say
from which drives; a clip is never compared with itself, so braking at 9 m/s^2 does not look like braking at 2.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, fields
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triggers.likeness.channels import Channel
from triggers.likeness.features import LIMIT
from triggers.likeness.grids import Array

FILE = "signals_v1.npz"
SOFT = 10.0
"""A number of an unknown dimension is compressed: this much counts as 1, ten times as much as 3."""
_SMALLEST_DEVIATION = 0.02


@dataclass(frozen=True)
class Reference:
    """What is ordinary, by channel (a row of each array), and over all channels (the last row of the last two).

    `low` and `high` are robust ends of a channel's values in its base unit, `biases` the kernels' thresholds, `mean`
    and `deviation` those of its features.
    """

    names: NDArray[np.str_]
    dimensions: NDArray[np.int8]
    low: Array
    high: Array
    biases: Array
    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]

    def digest(self) -> str:
        """SHA-256 of all numbers, whatever the file's compression."""
        told = hashlib.sha256()
        for field in fields(self):
            array: NDArray[Any] = getattr(self, field.name)
            told.update(f"{field.name} {array.dtype.str} {array.shape}\n".encode())
            told.update(np.ascontiguousarray(array).tobytes())
        return told.hexdigest()

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {str(name): row for row, name in enumerate(self.names)}

    def row(self, name: str) -> int:
        """The row of a channel's features; the last one for a channel that is not in the set."""
        return self._rows.get(name, len(self.names))

    def scaled(self, name: str, channel: Channel, grid: Array) -> Array:
        """A grid on a scale on which the ordinary is from -1 to 1.

        The ends are the declared states; else those of this signal, or of all of this dimension, in the set.
        """
        if channel.states:
            low, high = 0.0, float(max(1, channel.states - 1))
        else:
            ends = self._ends(name, channel)
            if ends is None:
                low, high, grid = -1.0, 1.0, np.arcsinh(grid / SOFT)
            else:
                low, high = ends
        scaled: Array = np.clip((2 * grid - high - low) / (high - low), -LIMIT, LIMIT)
        return scaled

    def _ends(self, name: str, channel: Channel) -> tuple[float, float] | None:
        same = (self.dimensions == np.array(channel.dimension, np.int8)).all(axis=1) & (self.high > self.low)
        if not any(channel.dimension):  # bare numbers have nothing in common
            same[:] = False
        row = self._rows.get(name)
        if row is not None and (self.dimensions[row] == np.array(channel.dimension, np.int8)).all():
            return float(self.low[row]), float(self.high[row])
        return (float(self.low[same].min()), float(self.high[same].max())) if same.any() else None

    def standardised(self, name: str, values: Array) -> Array:
        """The features of a channel as deviations from what is ordinary for it, each at most 4 in size."""
        row = self.row(name)
        deviation = np.maximum(self.deviation[row].astype(np.float64), _SMALLEST_DEVIATION)
        deviations: Array = np.clip((values - self.mean[row]) / deviation, -4.0, 4.0)
        return deviations

    def to_bytes(self) -> bytes:
        """The file's content."""
        file = io.BytesIO()
        np.savez_compressed(file, **{field.name: getattr(self, field.name) for field in fields(self)})
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Reference:
        """What `to_bytes` has written."""
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return cls(**{field.name: arrays[field.name] for field in fields(cls)})


@cache
def reference() -> Reference:
    """The reference set of this version, read once."""
    return Reference.from_bytes((files("triggers.likeness") / FILE).read_bytes())
