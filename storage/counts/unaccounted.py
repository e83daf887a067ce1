"""Fires that vehicles handed over but that are nowhere in the cloud. There should be none; two counts find them.

A vehicle counts a fire as handed over once the gateway has acknowledged its clip's last byte, and the gateway does
that only after the upload's row says `received`. So at any later moment each such fire is in the catalog's `fires`
(catalogued or failed) or in the manifest of a received upload. Where a vehicle has handed over more fires than are in
both together, up to the watermark of its report, the difference is lost: an upload's row or a clip's fires are gone.

It is a lower bound, and never a false alarm. A vehicle reports how many it handed over, not which; a fire that it
counted differently and that the cloud has all the same (catalogued since the report, or overruled) hides a lost one,
the former until the next report. All numbers must be of one moment: the newest report may speak of what was received
an instant ago, and what is received may be catalogued in the next.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from triggers.contracts.clip import ClipManifest
from triggers.errors import InvalidInput

MAX_MANIFESTS = 500
"""How many received uploads of vehicles with missing fires are examined. With more, nothing can be said until the
assembler has caught up, which is a problem in itself."""

FireId = tuple[str, str, int, int]
"""Vehicle, campaign, version and ordinal."""


@dataclass
class Handovers:
    """Fires handed over but not yet decided, and those of them that may have been received, at one moment."""

    _missing: dict[tuple[str, str, int], tuple[int, int]] = field(default_factory=dict)
    """By vehicle, campaign and version: the watermark, and how many more were handed over than the cloud decided."""
    _received: set[FireId] = field(default_factory=set)
    _undecidable: set[str] = field(default_factory=set)
    """Vehicles with an upload whose fires cannot be read; it is about to fail, with a dead letter."""
    _manifests: int = 0

    def add_missing(self, campaign: str, version: int, vehicle_id: str, *, watermark: int, fires: int) -> None:
        """A vehicle has handed over `fires` more fires of a version than are catalogued or failed."""
        self._missing[vehicle_id, campaign, version] = watermark, fires

    def add_received(self, vehicle_id: str, manifest: bytes) -> None:
        """An upload that is whole and not yet assembled, of a vehicle with missing fires."""
        self._manifests += 1
        try:
            fires = ClipManifest.from_stored_json(manifest, what="the manifest of a received upload").recording.fires
        except InvalidInput:
            self._undecidable.add(vehicle_id)
            return
        self._received.update((vehicle_id, fire.campaign, fire.version, fire.ordinal) for fire in fires)

    def unaccounted(self) -> dict[tuple[str, int], int]:
        """Fires by campaign and version, over all vehicles; versions without any are left out."""
        if self._manifests >= MAX_MANIFESTS:
            return {}
        waiting: Counter[tuple[str, str, int]] = Counter()
        for vehicle_id, campaign, version, ordinal in self._received:
            watermark, _ = self._missing.get((vehicle_id, campaign, version), (0, 0))
            waiting[vehicle_id, campaign, version] += ordinal <= watermark
        lost: Counter[tuple[str, int]] = Counter()
        for key, (_, missing) in self._missing.items():
            vehicle_id, campaign, version = key
            if vehicle_id not in self._undecidable:
                lost[campaign, version] += max(0, missing - waiting[key])
        return {version: fires for version, fires in lost.items() if fires}
