"""The API's STAC views: the landing page, campaigns as collections, clips as items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from fleet_api.clips.views import linked_files
from fleet_api.stac.conformance import CONFORMANCE_CLASSES
from fleet_api.stac.geometry import geometry_of, geometry_of_cell
from fleet_api.stac.links import Links
from fleet_api.stac.names import PREFIX, queryable_patterns, queryables
from storage.campaigns.collected import CollectedCampaign, Extent
from storage.clips.extraction_results import Asset
from storage.clips.positions import Sight
from storage.clips.positions.cells import outline
from storage.clips.properties import attribute_name
from storage.clips.records import Clip, Track
from storage.objects import ObjectStore
from triggers.contracts import media_types
from triggers.contracts.api.stac.answers import STAC_VERSION
from triggers.times import NS_PER_S, format_time

FILE_EXTENSION = "https://stac-extensions.github.io/file/v2.1.0/schema.json"
TIMESTAMPS_EXTENSION = "https://stac-extensions.github.io/timestamps/v1.1.0/schema.json"
WORLD = (-180.0, -90.0, 180.0, 90.0)
_ROLES: Mapping[str, list[str]] = {
    media_types.MCAP: ["data"],
    media_types.PARQUET: ["data"],
    media_types.JPEG: ["thumbnail"],
    media_types.MP4: ["overview"],
    media_types.JSON: ["metadata"],
}
_RECORDING_ID, _DIGEST, _STATE, _DURATION_S, _SIZE_BYTES, _CAMPAIGN, _TRIGGER, _LABELS, _READY_AT = (
    PREFIX + name
    for name in (
        *("recording_id", "digest", "state", "duration_s", "size_bytes"),
        *("campaign", "trigger", "labels", "ready_at"),
    )
)


def landing_view(links: Links, collections: Sequence[str]) -> dict[str, Any]:
    """The landing page, with a link to each of these collections."""
    return {
        "type": "Catalog",
        "stac_version": STAC_VERSION,
        "id": "longtail",
        "title": "Longtail",
        "description": "Clips that vehicles have recorded, in a collection for each campaign that asked for them.",
        "conformsTo": list(CONFORMANCE_CLASSES),
        "links": links.of_landing(collections),
    }


def queryables_view(links: Links, collection: str | None) -> dict[str, Any]:
    """What filters can ask for: the same in every collection."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": links.queryables(collection),
        "type": "object",
        "title": "Properties of clips",
        "description": "Names without `longtail:` work, too. A property that no clip has is null.",
        "properties": queryables(),
        "patternProperties": queryable_patterns(),
        "additionalProperties": True,
    }


def collection_view(links: Links, campaign: CollectedCampaign, extent: Extent | None) -> dict[str, Any]:
    """A campaign as a collection. Without an extent it is the widest one: everywhere, since the campaign began."""
    triggers = [str(trigger["name"]) for trigger in campaign.settings["triggers"]]
    tags = {str(tag) for trigger in campaign.settings["triggers"] for tag in trigger.get("tags", ())}
    about = campaign.settings.get("describe") or f"Clips of the campaign {campaign.campaign}: {', '.join(triggers)}"
    interval = (_moment(campaign.since), None)
    box = WORLD if extent is None else extent.box or WORLD
    return {
        "type": "Collection",
        "stac_version": STAC_VERSION,
        "id": campaign.campaign,
        "title": campaign.campaign,
        "description": about,
        "keywords": sorted({*triggers, *tags}),
        "license": "other",
        "summaries": {f"{PREFIX}trigger": triggers} if triggers else {},
        "extent": {
            "spatial": {"bbox": [box]},
            "temporal": {
                "interval": [interval if extent is None else (format_time(extent.start_ns), format_time(extent.end_ns))]
            },
        },
        "links": links.of_collection(campaign.campaign),
    }


def item_view(
    links: Links, collection: str, clip: Clip, track: Track, *, sight: Sight, assets: dict[str, Any]
) -> dict[str, Any]:
    """A clip as an item of a collection; to one who sees place cells only, its geometry is the outline of its cell."""
    geometry = geometry_of(track) if sight.precise else _cell_of(clip)
    clip = sight.clip(clip)
    return {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": [FILE_EXTENSION, *([TIMESTAMPS_EXTENSION] if clip.expires_at else [])],
        "id": clip.id,
        "geometry": geometry,
        **({"bbox": clip.box} if geometry is not None and clip.box is not None else {}),
        "properties": _properties(clip),
        "links": links.of_item(collection, clip.id),
        "assets": assets,
        "collection": collection,
    }


def _cell_of(clip: Clip) -> dict[str, Any] | None:
    return None if clip.place_cell is None else geometry_of_cell(outline(clip.place_cell))


def assets_view(clip: Clip, extracted: Sequence[Asset], sight: Sight, store: ObjectStore) -> dict[str, Any]:
    """The files of a clip that the user may have, by name, with links to them."""
    return {
        file.name: {
            "href": file.href,
            "type": file.media_type,
            "title": file.name,
            "roles": _ROLES.get(file.media_type, ["data"]),
            "file:size": file.size_bytes,
        }
        for file in linked_files(clip, extracted, sight, store)
    }


def _properties(clip: Clip) -> dict[str, Any]:
    """Under the standard's names and, for what it has none, under those that filters use, after a prefix."""
    start, end = format_time(clip.start_ns), format_time(clip.end_ns)
    triggers = sorted({fire.trigger for fire in clip.fires})
    # Written out, with names that are made once, as there are a hundred of them on a page.
    shown: dict[str, Any] = {
        "title": f"{', '.join(triggers)} of {clip.vehicle_id} at {start[:19]}Z",
        "datetime": start,
        "start_datetime": start,
        "end_datetime": end,
        "created": _moment(clip.stored_at),
        "platform": clip.vehicle_id,
        "keywords": list(clip.tags),
        _RECORDING_ID: clip.recording_id,
        _DIGEST: clip.digest,
        _STATE: clip.state,
        _DURATION_S: (clip.end_ns - clip.start_ns) / NS_PER_S,
        _SIZE_BYTES: clip.size_bytes,
        _CAMPAIGN: sorted({fire.campaign for fire in clip.fires}),
        _TRIGGER: triggers,
        _LABELS: list(clip.labels),
    }
    if clip.expires_at is not None:
        shown["expires"] = _moment(clip.expires_at)
    if clip.ready_at is not None:
        shown[_READY_AT] = _moment(clip.ready_at)
    for name, value in (("damage", clip.damage), ("place_cell", clip.place_cell), ("duplicate_of", clip.duplicate_of)):
        if value is not None:
            shown[PREFIX + name] = value
    for name, value in clip.attributes.items():
        shown[_of_attribute(name)] = value
    return shown


@lru_cache(1000)
def _of_attribute(name: str) -> str:
    return PREFIX + attribute_name(name)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
