"""The clips of a demonstration: what the catalog says about each, and its files in the folder of results."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from fleet_api.client import Client
from fleet_api.demo.summary import ClipResult
from fleet_api.simulation.simulate import PlannedVehicle, Trip
from triggers.contracts.api.clips import RECORDING_ASSET, ClipDetailsView

THUMBNAIL_ASSET = "thumbnail"


def clip_results(client: Client, plan: Iterable[PlannedVehicle], folder: Path) -> list[ClipResult]:
    """Every clip in the catalog, by drive and time; its MCAP, picture and labels are written into `folder`."""
    trips = {vehicle.id: vehicle.trips for vehicle in plan}
    clips = [client.clips.get(clip.id) for clip in client.clips.search()]
    results = [_fetched(client, clip, _trip_of(clip, trips[clip.vehicle]), folder) for clip in clips]
    return sorted(results, key=lambda clip: (clip.drive, clip.span_s, clip.id))


def _trip_of(clip: ClipDetailsView, trips: Sequence[Trip]) -> Trip:
    """The trip on which a clip was recorded: the latest one that began before the clip's end."""
    begun = [trip for trip in trips if trip.offset_ns <= clip.end_ns]
    return max(begun or trips, key=lambda trip: trip.offset_ns)


def _fetched(client: Client, clip: ClipDetailsView, trip: Trip, folder: Path) -> ClipResult:
    fired = sorted(((fire.fire_time_ns - trip.offset_ns) / 1e9, fire.trigger) for fire in clip.fires)
    seconds = [second for second, _ in fired]
    triggers = sorted({fire.trigger for fire in clip.fires})
    name = re.sub(r"[^\w.-]+", "_", f"{trip.drive.name}-{seconds[0]:.1f}s-{clip.id[:4]}")
    folder.mkdir(parents=True, exist_ok=True)
    links = {asset.name: asset.href for asset in clip.assets}
    return ClipResult(
        id=clip.id,
        state=clip.state,
        drive=trip.drive.name,
        vehicle_id=clip.vehicle,
        triggers=triggers,
        campaigns=sorted({fire.campaign for fire in clip.fires}),
        seconds=[round(second, 3) for second in seconds],
        moments=[f"{trigger} at {second:.1f} s" for second, trigger in fired],
        span_s=((clip.start_ns - trip.offset_ns) / 1e9, (clip.end_ns - trip.offset_ns) / 1e9),
        size_bytes=clip.size_bytes,
        digest=clip.digest,
        fires=len(clip.fires),
        labels=_labels(clip, folder / f"{name}.openlabel.json"),
        file=_file(client, links.get(RECORDING_ASSET), folder / f"{name}.mcap"),
        thumbnail=_file(client, links.get(THUMBNAIL_ASSET), folder / f"{name}.jpg"),
    )


def _file(client: Client, link: str | None, path: Path) -> str:
    """Download an asset; returns its name in the folder, or an empty one if there is none (no camera, no picture)."""
    if link is None:
        return ""
    client.clips.download(link, path)
    return path.name


def _labels(clip: ClipDetailsView, path: Path) -> list[str]:
    """Write the clip's labels to `path`; returns the kinds of their maneuvers."""
    kinds: list[str] = []
    for label in clip.label_documents:
        document = label.openlabel
        path.write_text(json.dumps(document, indent=2), "utf-8")
        kinds += [action["type"] for action in document["openlabel"].get("actions", {}).values()]
    return kinds
