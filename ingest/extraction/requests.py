"""What an extraction needs to know of a clip's signals, from the signal catalogs of the campaigns that it is for."""

from __future__ import annotations

from collections.abc import Sequence

from ingest.extraction.outputs import ExtractionRequest
from triggers.clips.messages.cost import most_list_cost
from triggers.contracts.clip import MAX_MESSAGES, RecordingManifest
from triggers.signals.catalog import SignalCatalog
from triggers.times import NS_PER_S

MESSAGES_BASE, RATE_SLACK, CAMERA_HZ = 100_000, 1.5, 120.0
"""The bounds of `allowed_messages`; of all signals together, so that one of them may be faster than it is declared."""
UNDECLARED_HZ, UNDECLARED_LIST_HZ = 1000.0, 100.0
"""What declares no rate, as a signal that is sent on change, may be fast."""
MAX_SIGNALS_HZ = 100_000.0
"""Of all signals together, lists apart: far more than a car's, and bounded work whatever a small file unpacks to."""
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
    """What reading a recording may cost, in samples: RATE_SLACK times its signals, lists and cameras at their most."""
    seconds = (recording.end_ns - recording.start_ns) / NS_PER_S
    lists_hz = {name: cost for name in recording.signals if (cost := _list_cost_per_s(name, catalogs))}
    signals_hz = sum(_declared_hz(name, catalogs) for name in recording.signals if name not in lists_hz)
    per_s = min(signals_hz, MAX_SIGNALS_HZ) + sum(lists_hz.values()) + CAMERA_HZ * len(recording.cameras)
    return min(MAX_MESSAGES, MESSAGES_BASE + int(RATE_SLACK * seconds * per_s))


def _declared_hz(name: str, catalogs: Sequence[SignalCatalog]) -> float:
    """The highest rate that a catalog declares of a signal."""
    declared = [catalog.signals[name].rate for catalog in catalogs if name in catalog.signals]
    rates = [rate for rate in declared if rate is not None]
    return max(rates) if rates and len(rates) == len(declared) else UNDECLARED_HZ


def _list_cost_per_s(name: str, catalogs: Sequence[SignalCatalog]) -> float:
    """What the samples of a list cost in a second if all have as many objects as they may; 0 if it is no list.

    Clips have the objects beyond a list's `max`, too: only programs leave them out.
    """
    declared = [catalog.objects[name] for catalog in catalogs if name in catalog.objects]
    costs = [(each.rate or UNDECLARED_LIST_HZ) * most_list_cost(len(each.value_fields)) for each in declared]
    return max(costs, default=0.0)


def _sent_on_change(name: str, catalogs: Sequence[SignalCatalog]) -> bool:
    declared = [catalog.signals[name].update for catalog in catalogs if name in catalog.signals]
    return bool(declared) and all(update == "on_change" for update in declared)
