"""What an extraction needs to know of a clip's signals, from the signal catalogs of the campaigns that it is for."""

from __future__ import annotations

from collections.abc import Sequence

from ingest.extraction.outputs import ExtractionRequest
from triggers.contracts.clip import RecordingManifest
from triggers.signals.catalog import SignalCatalog
from triggers.times import NS_PER_S

MESSAGES_BASE, RATE_SLACK, UNDECLARED_HZ, CAMERA_HZ = 100_000, 1.5, 1000.0, 120.0
"""The bounds of `allowed_messages`; of all signals together, so that one of them may be faster than it is declared."""
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
        max_messages=allowed_messages(recording, catalogs),
        derived_bytes=DERIVED_BASE_BYTES + int(derived_share * clip_bytes),
    )


def allowed_messages(recording: RecordingManifest, catalogs: Sequence[SignalCatalog]) -> int:
    """How many samples and frames a recording may have: RATE_SLACK times what its signals and cameras give at most."""
    seconds = (recording.end_ns - recording.start_ns) / NS_PER_S
    signals_hz = sum(_declared_hz(name, catalogs) for name in recording.signals)
    return MESSAGES_BASE + int(RATE_SLACK * seconds * (signals_hz + CAMERA_HZ * len(recording.cameras)))


def _declared_hz(name: str, catalogs: Sequence[SignalCatalog]) -> float:
    """The highest rate that a catalog declares; what declares none, as a signal that is sent on change, may be fast."""
    declared = [catalog.signals[name].rate for catalog in catalogs if name in catalog.signals]
    rates = [rate for rate in declared if rate is not None]
    return max(rates) if rates and len(rates) == len(declared) else UNDECLARED_HZ


def _sent_on_change(name: str, catalogs: Sequence[SignalCatalog]) -> bool:
    declared = [catalog.signals[name].update for catalog in catalogs if name in catalog.signals]
    return bool(declared) and all(update == "on_change" for update in declared)
