"""One vector, in the child: reads the clip's signals, which hostile bytes may have written, and computes it."""

from __future__ import annotations

from pathlib import Path

from ingest.extraction.likeness.contract import SIGNALS_FILE, VectorRequest, VectorResult
from triggers.drives.series import read_series
from triggers.likeness.vector import signals_vector


def vector_in(folder: Path, request: VectorRequest) -> VectorResult:
    """The vector of the signals in the folder. InvalidInput when they are not what extraction writes."""
    signals = read_series(folder / SIGNALS_FILE, only=request.channels)
    found = signals_vector(signals, request.by_name(), request.fire_ns)
    return VectorResult(vector=None if found is None else tuple(found.tolist()))
