"""Rules for datasets, as pure functions: on which side of a split a clip is.

A side is decided by a hash, so that it does not depend on the other clips: a cell or vehicle that is in `train` stays
there in later versions, whatever else they have.
"""

from __future__ import annotations

import hashlib
import math

from triggers.contracts.api.datasets.versions import ALL_PERCENT, Split, SplitRequest

CELL_DEGREES = 0.05
"""The height of a place cell in degrees of latitude, 5.6 km. It is about as wide as it is high."""
_HASH_BYTES = 8


def place_cell(latitude: float, longitude: float) -> str:
    """The cell that a position is in. Rows go from south to north, and have fewer cells where the Earth is narrower.

    >>> place_cell(52.52, 13.40)
    'p2850:2353'
    """
    row = min(math.floor((latitude + 90) / CELL_DEGREES), round(180 / CELL_DEGREES) - 1)
    middle = (row + 0.5) * CELL_DEGREES - 90
    columns = max(1, round(360 / CELL_DEGREES * math.cos(math.radians(middle))))
    return f"p{row}:{math.floor((longitude + 180) / 360 * columns) % columns}"


def side_of(request: SplitRequest, *, vehicle: str, latitude: float | None, longitude: float | None) -> Split:
    """The side of a clip. One without a position goes with its vehicle, also where places decide."""
    has_place = latitude is not None and longitude is not None
    by_place = request.by == "place" and has_place
    group = place_cell(latitude, longitude) if by_place else f"v{vehicle}"  # type: ignore[arg-type]
    hashed = hashlib.sha256(f"{request.seed}\n{group}".encode()).digest()[:_HASH_BYTES]
    percent = int.from_bytes(hashed, "big") / 256**_HASH_BYTES * ALL_PERCENT
    if percent < request.train:
        return "train"
    return "val" if percent < request.train + request.val else "test"
