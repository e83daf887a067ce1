"""The results of an extraction, written in one transaction: assets, statistics, track, the clip's state, the event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from storage import ledger, outbox
from storage.clips import extraction_jobs
from storage.clips.extraction_jobs import ExtractionJob
from storage.clips.properties import days, indexed_signals, known_names
from storage.clips.properties.place_cells import cell_of
from storage.erasure import objects
from storage.rows import values_of
from storage.tables import campaign_versions, clip_assets, clip_fires, clips, signal_statistics
from storage.uploads import dead_letters
from storage.vehicles import quarantine
from triggers.assignment.given import Refusal
from triggers.clips.damage import Remark


@dataclass(frozen=True, slots=True)
class Asset:
    """One derived object of a clip; `name` is unique within the clip, `digest` the SHA-256 of its bytes in hex.

    Of a preview, `offset_ns` is when its first picture is after the clip's start, `width` and `height` the size of the
    camera's own pictures in pixels; None where an older extractor did not say, and of all other objects.
    """

    name: str
    object_key: str
    media_type: str
    size_bytes: int
    digest: str | None = None
    offset_ns: int | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class SignalStatistics:
    """Samples of one signal in a clip; minimum, maximum and mean are over the finite ones (None: there are none).

    They are in `unit`, which is empty for a bare number, and None where it is not known. `mean_over` is `samples`, or
    `time` for a signal that is sent on change.
    """

    signal: str
    samples: int
    minimum: float | None
    maximum: float | None
    mean: float | None
    mean_over: str = "samples"
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything an extraction found. `track` is a list of (latitude, longitude) in degrees, empty without a position.

    `box` is west, south, east and north around all positions. `remarks` tell what is wrong; if one of them damages the
    clip, what could be extracted is kept all the same.
    """

    assets: Sequence[Asset] = ()
    statistics: Sequence[SignalStatistics] = ()
    track: Sequence[tuple[float, float]] = ()
    box: tuple[float, float, float, float] | None = None
    remarks: Sequence[Remark] = ()

    @property
    def damage(self) -> str | None:
        """Why the clip is damaged (`reason: detail; remedy`), None for a sound one."""
        return next((remark.description for remark in self.remarks if remark.damages), None)


def write(
    connection: Connection, job: ExtractionJob, findings: Findings, *, quarantine_after: int | None = None
) -> None:
    """Conclude a job. LeaseLost when another worker has it now; the caller must then roll back.

    A vehicle with `quarantine_after` damaged clips (and refusals) in a day is quarantined.

    1. close the job, under its fencing token
    2. replace assets and statistics, and have the objects of older assets deleted; where a newer extractor version has
       written its results, have those of these findings deleted, and end here
    3. set the track with its box and cell, and the clip's state: `ready`, since when it has been so without a break, or
       `damaged` with the reason; note the day
    4. of a damaged clip: write the dead letter, and take it out of the limits on clips; of a sound one: close the dead
       letter that an older extractor version left
    5. write the event
    6. count the damage of a clip that is new
    """
    extraction_jobs.finish(connection, job, failure=findings.damage)
    before = connection.execute(select(clips.c.state).where(clips.c.id == job.clip_id)).scalar_one_or_none()
    updated = connection.execute(
        update(clips)
        .where(
            clips.c.id == job.clip_id,
            or_(clips.c.extractor_version.is_(None), clips.c.extractor_version <= job.extractor_version),
        )
        .values(**_clip_values(job, findings))
        .returning(clips.c.upload_id, clips.c.vehicle_id)
    ).one_or_none()
    if updated is None:
        objects.add(connection, [asset.object_key for asset in findings.assets])
        return
    days.note(connection, [job.clip_id])
    _replace_rows(connection, job, findings)
    if findings.damage:
        ledger.void_clip(connection, updated.upload_id)
        _record_damage(connection, findings.damage, updated.upload_id, updated.vehicle_id, job.clip_id)
    else:
        dead_letters.mark_replayed(connection, job.clip_id)
    event = outbox.CLIP_DAMAGED if findings.damage else outbox.CLIP_READY
    is_new = before == "stored"  # an old clip that a newer extractor reads says nothing of its vehicle, or of latencies
    again = {} if is_new else {outbox.AGAIN: True}
    outbox.add_clip_event(connection, event, job.clip_id, extractor_version=job.extractor_version, **again)
    if findings.damage and is_new:
        quarantine.note_junk(connection, updated.vehicle_id, Refusal.DAMAGED_CLIP, after=quarantine_after)


def _record_damage(connection: Connection, damage: str, upload_id: str, vehicle_id: str, clip_id: str) -> None:
    """The dead letter of a damaged clip; its damage is `reason: detail`."""
    reason, _, detail = damage.partition(": ")
    dead_letters.record(
        connection,
        stage="extraction",
        reason=reason,
        detail=detail,
        vehicle_id=vehicle_id,
        upload_id=upload_id,
        clip_id=clip_id,
    )


def _clip_values(job: ExtractionJob, findings: Findings) -> dict[str, object]:
    west, south, east, north = findings.box or (None, None, None, None)
    return {
        "state": "damaged" if findings.damage else "ready",
        "damage": findings.damage,
        "extractor_version": job.extractor_version,
        "ready_at": None if findings.damage else func.coalesce(clips.c.ready_at, func.now()),
        "track": [list(point) for point in findings.track] or None,
        "remarks": [asdict(remark) for remark in findings.remarks],
        "place_cell": cell_of(findings.track),
        "min_latitude": south,
        "max_latitude": north,
        "min_longitude": west,
        "max_longitude": east,
    }


def _replace_rows(connection: Connection, job: ExtractionJob, findings: Findings) -> None:
    older = delete(clip_assets).where(clip_assets.c.clip_id == job.clip_id).returning(clip_assets.c.object_key)
    replaced = set(connection.execute(older).scalars()) - {asset.object_key for asset in findings.assets}
    objects.add(connection, sorted(replaced))
    connection.execute(delete(signal_statistics).where(signal_statistics.c.clip_id == job.clip_id))
    assets = {"clip_id": job.clip_id, "extractor_version": job.extractor_version}
    if findings.assets:
        rows = [{**values_of(asset, clip_assets), **assets} for asset in findings.assets]
        connection.execute(insert(clip_assets), rows)
    if findings.statistics:
        units = known_names.units_of(signal_catalogs(connection, job.clip_id))
        statistics = [replace(row, unit=units.get(row.signal)) for row in findings.statistics]
        indexed = indexed_signals.of_these(connection, {row.signal for row in statistics})
        rows = [
            {**values_of(row, signal_statistics), "clip_id": job.clip_id, "indexed": row.signal in indexed}
            for row in statistics
        ]
        connection.execute(insert(signal_statistics), rows)
        known_names.add_units(connection, {(row.signal, row.unit) for row in statistics})


def derived_bytes(connection: Connection) -> tuple[int, int]:
    """The bytes of all clips, and of everything that was derived from them."""
    clip_bytes = connection.execute(select(func.coalesce(func.sum(clips.c.size_bytes), 0))).scalar_one()
    derived = connection.execute(select(func.coalesce(func.sum(clip_assets.c.size_bytes), 0))).scalar_one()
    return int(clip_bytes), int(derived)


def signal_catalogs(connection: Connection, clip_id: str) -> list[str]:
    """The signal catalogs (YAML text) of the campaign versions that a clip's fires belong to."""
    versions = (
        select(clip_fires.c.campaign, clip_fires.c.version).where(clip_fires.c.clip_id == clip_id).distinct().subquery()
    )
    joined = campaign_versions.join(
        versions,
        (campaign_versions.c.campaign == versions.c.campaign) & (campaign_versions.c.version == versions.c.version),
    )
    catalogs = select(campaign_versions.c.signal_catalog).select_from(joined)
    return list(dict.fromkeys(connection.execute(catalogs.order_by(versions.c.campaign, versions.c.version)).scalars()))
