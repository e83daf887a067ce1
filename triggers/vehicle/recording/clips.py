"""Making clips from finished recordings, and cutting a clip again for those of its fires that remain."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from triggers.clips.cells import hash_cells
from triggers.clips.footage import Footage
from triggers.clips.reader import read_clip
from triggers.clips.writer import write_clip
from triggers.contracts.base import AttributeValue
from triggers.contracts.clip import ClipManifest, DriveSource, Fire, RecordingManifest
from triggers.contracts.fire import NumberedFire
from triggers.vehicle.recording.charges import FireShare, charge
from triggers.vehicle.recording.fires import VehicleFire


@dataclass(frozen=True, kw_only=True)
class RecordingContext:
    """What a manifest contains besides the fires: the vehicle, its software, and the origin of replayed data."""

    vehicle_id: str
    max_span_ns: int
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    software: Mapping[str, str] = field(default_factory=dict)
    calibration: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    clock_offset_ns: int = 0
    source: DriveSource | None = None


@dataclass(frozen=True)
class FinishedClip:
    """A finished clip file, with its manifest and its fires."""

    path: Path
    manifest: ClipManifest
    fires: tuple[VehicleFire, ...]


def make_clip(
    directory: Path, fires: Sequence[VehicleFire], footage: Footage, context: RecordingContext
) -> FinishedClip:
    """Write the clip of a recording into `directory`. `fires` must not be empty. Raises OSError if writing fails."""
    ordered = tuple(sorted(fires, key=lambda fire: (fire.t_ns, fire.key)))
    shares = [_share(fire, footage, context.max_span_ns) for fire in ordered]
    manifest = RecordingManifest(
        vehicle_id=context.vehicle_id,
        recording_id=recording_id(ordered, footage),
        start_ns=footage.start_ns,
        end_ns=footage.end_ns,
        fires=tuple(_declared(fire, share) for fire, share in zip(ordered, shares, strict=True)),
        signals=footage.names,
        held=tuple(sorted(footage.held)),
        cameras=tuple(sorted(footage.cameras)),
        attributes=dict(context.attributes),
        software=dict(context.software),
        calibration={
            name: dict(parameters) for name, parameters in context.calibration.items() if name in footage.cameras
        },
        clock_offset_ns=context.clock_offset_ns,
        source=context.source,
    )
    path = directory / f"{manifest.recording_id}.mcap"
    write_clip(path, manifest, footage)
    return FinishedClip(path, declare(path, manifest, shares, footage), ordered)


def declare(path: Path, manifest: RecordingManifest, shares: Sequence[FireShare], footage: Footage) -> ClipManifest:
    """The clip's manifest, with the size and cells of the file and the charge of each fire."""
    hashed = hash_cells(path)
    charges = charge(footage, shares, hashed.size_bytes)
    fires = tuple(
        fire.model_copy(update={"charged_bytes": due}) for fire, due in zip(manifest.fires, charges, strict=True)
    )
    return ClipManifest(
        recording=manifest.model_copy(update={"fires": fires}),
        size_bytes=hashed.size_bytes,
        cells=hashed.cells,
    )


def recut(source: Path, fires: Sequence[VehicleFire], max_span_ns: int) -> list[FinishedClip]:
    """Cut a clip again for some of its fires, with only their windows, signals and cameras.

    Returns one clip for each group of fires whose windows still touch. The rest of the manifest is copied from the
    original, which is not changed. Raises InvalidInput if the file is damaged, and OSError if writing fails.
    """
    clip = read_clip(source).require_sound()
    original = clip.manifest
    footage = replace(clip.footage, held=frozenset(original.held))
    context = RecordingContext(
        vehicle_id=original.vehicle_id,
        max_span_ns=max_span_ns,
        attributes=original.attributes,
        software=original.software,
        calibration=original.calibration,
        clock_offset_ns=original.clock_offset_ns,
        source=original.source,
    )
    made: list[FinishedClip] = []
    try:
        for group in touching_groups(fires, max_span_ns):
            made.append(make_clip(source.parent, group, _part(footage, group, max_span_ns), context))
    except OSError:
        for part in made:  # what is not queued must not take up space
            part.path.unlink(missing_ok=True)
        raise
    return made


def touching_groups(fires: Sequence[VehicleFire], max_span_ns: int) -> list[list[VehicleFire]]:
    """Groups of fires whose windows together cover a span without gaps, in order of time."""
    groups: list[list[VehicleFire]] = []
    group_end_ns = -1
    for fire in sorted(fires, key=lambda fire: (fire.window(max_span_ns), fire.key)):
        start_ns, end_ns = fire.window(max_span_ns)
        if start_ns > group_end_ns:
            groups.append([])
        groups[-1].append(fire)
        group_end_ns = max(group_end_ns, end_ns)
    return groups


def _part(footage: Footage, fires: Sequence[VehicleFire], max_span_ns: int) -> Footage:
    windows = [fire.window(max_span_ns) for fire in fires]
    return footage.cut(
        max(footage.start_ns, min(start_ns for start_ns, _ in windows)),
        min(footage.end_ns, max(end_ns for _, end_ns in windows)),
        sorted({name for fire in fires for name in fire.capture.signals}),
        sorted({name for fire in fires for name in fire.capture.cameras}),
        sorted({name for fire in fires for name in fire.capture.on_change}),
    )


def recording_id(fires: Sequence[VehicleFire], footage: Footage) -> str:
    """The identity of a recording on its vehicle: its start, and a digest of the fires that it is for.

    No two recordings of a vehicle are for the same fires, so a clip that is cut again gets a new identity.
    """
    keys = "\x1f".join(f"{fire.campaign}\x1f{fire.version}\x1f{fire.ordinal}" for fire in fires)
    return f"{footage.start_ns}-{hashlib.blake2b(keys.encode(), digest_size=8).hexdigest()}"


def _share(fire: VehicleFire, footage: Footage, max_span_ns: int) -> FireShare:
    start_ns, end_ns = fire.window(max_span_ns)
    return FireShare(
        t_ns=fire.t_ns,
        key=fire.key,
        start_ns=max(start_ns, footage.start_ns),
        end_ns=min(end_ns, footage.end_ns),
        signals=frozenset(fire.capture.signals),
        cameras=frozenset(fire.capture.cameras),
    )


def _declared(fire: VehicleFire, share: FireShare) -> Fire:
    """The fire as it is in the file; its charge is only known once the file is written."""
    return Fire(
        **fire.model_dump(include=set(NumberedFire.model_fields)),
        window_start_ns=share.start_ns,
        window_end_ns=share.end_ns,
        charged_bytes=0,
    )
