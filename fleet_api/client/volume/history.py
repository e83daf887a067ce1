"""Histories of clips and fires, and latencies."""

from __future__ import annotations

from fleet_api.client.transport import Transport, path_of
from triggers.contracts.api.watching.history import HistoryView, LatencyList
from triggers.errors import InvalidInput
from triggers.written_numbers import is_whole_number

FIRE = "VEHICLE/CAMPAIGN/VERSION/ORDINAL"


class History:
    """What `client.history` can do."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def clip(self, clip_id: str) -> HistoryView:
        """What happened to a clip, and what it waits for; NotFound for one that nobody announced."""
        return self._transport.get(HistoryView, path_of("clips", clip_id, "history"))

    def fire(self, vehicle_id: str, campaign: str, version: int, ordinal: int) -> HistoryView:
        """The same of a fire, by its identity; NotFound when nothing is known of it."""
        return self._transport.get(HistoryView, path_of("fires", vehicle_id, campaign, version, ordinal, "history"))

    def of(self, written: str) -> HistoryView:
        """The history of a clip by its id, or of a fire that is written as VEHICLE/CAMPAIGN/VERSION/ORDINAL."""
        if "/" not in written:
            return self.clip(written)
        parts = written.split("/")
        if len(parts) != 4 or not all(is_whole_number(part) for part in parts[2:]):
            raise InvalidInput(f"{written!r} is neither a clip nor a fire", remedy=f"write a clip's id, or {FIRE}")
        return self.fire(parts[0], parts[1], int(parts[2]), int(parts[3]))

    def latency(self, campaign: str | None = None, *, hours: int = 24) -> LatencyList:
        """How long clips of the last hours took to each stage, by campaign and network."""
        return self._transport.get(LatencyList, path_of("latency"), {"campaign": campaign, "hours": hours})
