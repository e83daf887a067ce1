"""What an extraction needs to know of a clip's signals, from the signal catalogs of the campaigns that it is for."""

from __future__ import annotations

from collections.abc import Sequence

from ingest.extraction.outputs import ExtractionRequest
from triggers.contracts.clip import RecordingManifest
from triggers.signals.catalog import SignalCatalog

DERIVED_BASE_BYTES = 256 * 1024
"""What derived files may have in any case: a thumbnail and the signals of a short clip."""


def request_for(
    recording: RecordingManifest, catalogs: Sequence[SignalCatalog], *, clip_bytes: int, derived_share: float
) -> ExtractionRequest:
    """The child's request: position from the first catalog whose signals the recording has."""
    latitude = longitude = None
    for catalog in catalogs:
        position = catalog.position
        if latitude is None and position and {position.latitude, position.longitude} <= set(recording.signals):
            latitude, longitude = position.latitude, position.longitude
    return ExtractionRequest(
        recording=recording,
        latitude=latitude,
        longitude=longitude,
        sent_on_change=tuple(name for name in recording.signals if _sent_on_change(name, catalogs)),
        derived_bytes=DERIVED_BASE_BYTES + int(derived_share * clip_bytes),
    )


def _sent_on_change(name: str, catalogs: Sequence[SignalCatalog]) -> bool:
    declared = [catalog.signals[name].update for catalog in catalogs if name in catalog.signals]
    return bool(declared) and all(update == "on_change" for update in declared)
