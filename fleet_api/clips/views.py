"""The API's views of clips: with the names that filters use, and links to their files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from ingest.extraction.outputs import preview_asset
from storage.clips.details import ClipDetails
from storage.clips.extraction_results import Asset, SignalStatistics
from storage.clips.positions import Sight
from storage.clips.positions.filters import ASK_FOR
from storage.clips.properties import attribute_name, statistic_names
from storage.clips.records import Clip, ClipSummary, FireRecord
from storage.objects import ObjectStore
from storage.tiers import moves
from triggers.clips.damage import REASONS, Remark
from triggers.contracts import media_types
from triggers.contracts.api.clips import (
    RECORDING_ASSET,
    AssetView,
    CameraView,
    ClipDetailsView,
    ClipView,
    FireView,
    LabelView,
    RemarkView,
    SimilarClip,
    WithheldView,
)
from triggers.contracts.api.marks.notes import NoteView
from triggers.contracts.api.marks.tags import AddedTagView

LINK_S = 3600
WITHHELD = "it may hold precise positions, and you see place cells only"


_CLIP_FIELDS = tuple(field.name for field in fields(Clip))
_FIRE_FIELDS = tuple(field.name for field in fields(FireRecord))


def clip_view(clip: Clip, sight: Sight) -> ClipView:
    """A clip in a list, with no more of its place than the user may see."""
    return ClipView.model_validate(_clip_values(sight.clip(clip)))


def similar_clip(clip: Clip, distance: float, sight: Sight) -> SimilarClip:
    """A clip with its distance to a question, and no more of its place than the user may see."""
    return SimilarClip.model_validate({**_clip_values(sight.clip(clip)), "distance": distance})


def _clip_values(clip: Clip) -> dict[str, Any]:
    """A clip's fields, including those that answers name as filters do."""
    return {
        **{name: getattr(clip, name) for name in _CLIP_FIELDS},
        "vehicle": clip.vehicle_id,
        "attributes": {attribute_name(name): value for name, value in clip.attributes.items()},
        "box": clip.box,
        "fires": [_fire_view(fire) for fire in clip.fires],
    }


def _fire_view(fire: FireRecord) -> FireView:
    values = {name: getattr(fire, name) for name in _FIRE_FIELDS}  # at a third of the time that `asdict` takes
    return FireView.model_validate({**values, "fire_time_ns": fire.t_ns})


def linked_files(
    clip: Clip | ClipSummary, extracted: Iterable[Asset], sight: Sight, store: ObjectStore, *, is_readable: bool = True
) -> list[AssetView]:
    """The recording of a clip, if it `is_readable`, and what was extracted from it, with links valid for LINK_S.

    Of these files, those that the user may have.
    """
    recording = Asset(RECORDING_ASSET, clip.object_key, media_types.MCAP, clip.size_bytes)
    files = (recording, *extracted) if is_readable else tuple(extracted)
    return [
        AssetView(
            name=file.name,
            href=store.link(file.object_key, expires_s=LINK_S),
            media_type=file.media_type,
            size_bytes=file.size_bytes,
        )
        for file in sight.assets(files)
    ]


def details_view(
    details: ClipDetails, sight: Sight, store: ObjectStore, datasets: Mapping[str, Sequence[int]]
) -> ClipDetailsView:
    """One clip, with links to its files, and no more of its place than the user may see.

    `datasets` has the versions that it is in, by dataset.
    """
    shown = sight.details(details)
    withheld = withheld_views(sight.withheld(details, shown))
    archived = archived_view(details, store) if sight.may_have(media_types.MCAP) else None
    withheld += [] if archived is None else [archived]
    return ClipDetailsView(
        **_clip_values(shown.clip),
        software=shown.software,
        cameras=_cameras(details.cameras, shown.assets),
        datasets={name: list(versions) for name, versions in datasets.items()},
        track=None if shown.track is None else [(longitude, latitude) for latitude, longitude in shown.track],
        assets=linked_files(details.clip, details.assets, sight, store, is_readable=archived is None),
        withheld=withheld,
        derived_bytes=sum(asset.size_bytes for asset in details.assets),
        statistics=_statistics(shown.statistics),
        units={row.signal: row.unit for row in shown.statistics},
        mean_over={row.signal: row.mean_over for row in shown.statistics},
        remarks=[_remark(remark) for remark in sorted(shown.remarks, key=lambda remark: not remark.damages)],
        label_documents=[LabelView.model_validate(record) for record in shown.label_documents],
        added_tags=[AddedTagView.model_validate(tag) for tag in shown.added_tags],
        notes=[NoteView.model_validate(note) for note in shown.notes],
    )


def _cameras(names: Sequence[str], assets: Iterable[Asset]) -> list[CameraView]:
    """Each camera once, though a manifest may name one twice, with its preview if that is among the assets."""
    by_name = {asset.name: asset for asset in assets}
    found = []
    for name in dict.fromkeys(names):
        preview = by_name.get(preview_asset(name, names.index(name)))
        found.append(
            CameraView(
                name=name,
                preview=preview and preview.name,
                offset_ns=preview and preview.offset_ns,
                width=preview and preview.width,
                height=preview and preview.height,
            )
        )
    return found


def withheld_views(names: Iterable[str]) -> list[WithheldView]:
    """What a user may not have for the place that it may tell, by its names."""
    return [WithheldView(name=name, reason=WITHHELD, remedy=ASK_FOR) for name in names]


def archived_view(details: ClipDetails, store: ObjectStore) -> WithheldView | None:
    """Why the recording cannot be read now, when it can be, and what to do; None if it can be read."""
    if store.tiers is None or not moves.is_archived(details.tier):
        return None
    found = store.tiers.tier(details.clip.object_key)
    if not moves.is_archived(found.storage_class) or found.restored_until is not None:
        return None
    reason = f"it is archived ({found.storage_class}), and cannot be read at once"
    if details.restore_asked_at is None or not found.is_restoring:
        hours = moves.LONGEST_RESTORE[found.storage_class].total_seconds() / 3600
        remedy = f"`longtail clips restore ID` has it restored: it can be read at most {hours:.0f} hours later"
    else:
        readable = moves.readable_at(found.storage_class, details.restore_asked_at)
        remedy = f"it is being restored: it can be read from {readable:%Y-%m-%dT%H:%M:%SZ} at the latest"
    return WithheldView(name=RECORDING_ASSET, reason=reason, remedy=remedy)


def _remark(remark: Remark) -> RemarkView:
    return RemarkView(**asdict(remark), damages=remark.damages, remedy=REASONS[remark.reason].remedy)


def _statistics(of_signals: Iterable[SignalStatistics]) -> dict[str, int | float | None]:
    """The statistics of signals by the names of their properties."""
    by_name: dict[str, int | float | None] = {}
    for row in of_signals:
        names = statistic_names(row.signal)
        by_name[names["min"]] = row.minimum
        by_name[names["max"]] = row.maximum
        by_name[names["mean"]] = row.mean
        by_name[names["samples"]] = row.samples
    return by_name
