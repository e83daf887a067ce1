"""Clips as STAC items: as JSON texts made from rows of clips in short, for a page of a search and for one alone.

A page has a hundred of them, so no objects are made only to be written: what all items share is in texts already.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from pydantic_core import from_json, to_json

from fleet_api.clips.views import linked_files
from fleet_api.stac import rules
from fleet_api.stac.fields import Wanted
from fleet_api.stac.geometry import geometry_of, geometry_of_cell
from fleet_api.stac.links import Links
from fleet_api.stac.names import PREFIX
from storage.clips.extraction_results import Asset
from storage.clips.positions import Sight
from storage.clips.positions.cells import outline
from storage.clips.properties import attribute_name
from storage.clips.records import ClipSummary, read_track
from storage.objects import ObjectStore
from storage.tables.clips import fired_names
from triggers.contracts import media_types
from triggers.contracts.api.stac.answers import STAC_VERSION
from triggers.times import NS_PER_S, format_time

FILE_EXTENSION = "https://stac-extensions.github.io/file/v2.1.0/schema.json"
TIMESTAMPS_EXTENSION = "https://stac-extensions.github.io/timestamps/v1.1.0/schema.json"
_ROLES: Mapping[str, list[str]] = {
    media_types.MCAP: ["data"],
    media_types.PARQUET: ["data"],
    media_types.JPEG: ["thumbnail"],
    media_types.MP4: ["overview"],
    media_types.JSON: ["metadata"],
}
_text = json.JSONEncoder(ensure_ascii=False).encode
"""A text as JSON, as `to_json` has it."""


def _json(value: Any) -> str:
    return to_json(value).decode()


_WITHOUT_TIMESTAMPS, _WITH_TIMESTAMPS = (
    f'"stac_extensions":{_json(names)}' for names in ([FILE_EXTENSION], [FILE_EXTENSION, TIMESTAMPS_EXTENSION])
)
_NAMES = (
    *("title", "datetime", "start_datetime", "end_datetime", "created", "platform", "keywords"),
    *(PREFIX + name for name in ("recording_id", "digest", "state", "duration_s", "size_bytes")),
    *(PREFIX + name for name in ("campaign", "trigger", "labels")),
)
"""Of the properties that every item has."""
_PROPERTIES = ",".join(f"{_text(name)}:%s" for name in _NAMES)
_READY_AT, _DAMAGE, _PLACE_CELL, _DUPLICATE_OF = (
    PREFIX + name for name in ("ready_at", "damage", "place_cell", "duplicate_of")
)


@dataclass(frozen=True)
class Items:
    """What the items of one answer are made with: nothing is made that is not `wanted`."""

    links: Links
    store: ObjectStore
    sight: Sight
    wanted: Wanted
    collections: Collection[str] | None
    """Those that were asked for."""
    with_place: bool = field(init=False)
    _members: tuple[_Member, ...] = field(init=False)

    def __post_init__(self) -> None:
        members = tuple(make for name, make in _MEMBERS.items() if self.wanted.has(name))
        object.__setattr__(self, "_members", members)
        object.__setattr__(self, "with_place", self.wanted.has("geometry") or self.wanted.has("bbox"))

    @property
    def with_assets(self) -> bool:
        """Whether what was extracted from clips is shown."""
        return self.wanted.has("assets")

    @property
    def with_tracks(self) -> bool:
        """Whether the tracks of clips are shown; to one who sees place cells only they are not."""
        return self.sight.precise and self.with_place

    def item(self, clip: ClipSummary, extracted: Sequence[Asset] = ()) -> str:
        """The item of a clip and of what was extracted from it, as JSON.

        To one who sees place cells only, its geometry is the outline of its cell.
        """
        fires = _fires_of(tuple(clip.fired))
        collection = rules.collection_of(fires.campaigns, self.collections)
        shown = self.sight.summary(clip)
        of = _Shown(shown, self._geometry_of(shown) if self.with_place else None, extracted, fires, collection)
        text = f"{{{','.join([member for make in self._members if (member := make(self, of))])}}}"
        return _json(self.wanted.of_item(from_json(text))) if self.wanted.chooses_within else text

    def _geometry_of(self, clip: ClipSummary) -> dict[str, Any] | None:
        if self.sight.precise:
            return geometry_of(read_track(clip.track))
        return None if clip.place_cell is None else geometry_of_cell(outline(clip.place_cell))


class _Fires(NamedTuple):
    """The campaigns and triggers of a clip's fires: sorted, and as JSON."""

    campaigns: list[str]
    triggers: list[str]
    campaigns_json: str
    triggers_json: str


@lru_cache(1000)
def _fires_of(fired: tuple[str, ...]) -> _Fires:
    campaigns, triggers = fired_names(fired)
    return _Fires(campaigns, triggers, _json(campaigns), _json(triggers))


class _Shown(NamedTuple):
    """A clip as it is shown, with all that its item is made of."""

    clip: ClipSummary
    geometry: dict[str, Any] | None
    extracted: Sequence[Asset]
    fires: _Fires
    collection: str


def _bbox(_items: Items, of: _Shown) -> str:
    is_placed = of.geometry is not None and of.clip.box is not None
    return f'"bbox":{_json(of.clip.box)}' if is_placed else ""


def _assets(items: Items, of: _Shown) -> str:
    """The files of a clip that the user may have, by name, with links to them."""
    files = {
        file.name: {
            "href": file.href,
            "type": file.media_type,
            "title": file.name,
            "roles": _ROLES.get(file.media_type, ["data"]),
            "file:size": file.size_bytes,
        }
        for file in linked_files(of.clip, of.extracted, items.sight, items.store)
    }
    return f'"assets":{_json(files)}'


def _properties(_items: Items, of: _Shown) -> str:
    """Under the standard's names and, for what it has none, under those that filters use, after a prefix."""
    clip, fires = of.clip, of.fires
    start, end = format_time(clip.start_ns), format_time(clip.end_ns)
    values = (
        _text(f"{', '.join(fires.triggers)} of {clip.vehicle_id} at {start[:19]}Z"),
        f'"{start}"',
        f'"{start}"',
        f'"{end}"',
        f'"{moment(clip.stored_at)}"',
        _text(clip.vehicle_id),
        _json(clip.tags),
        _text(clip.recording_id),
        _text(clip.digest),
        _text(clip.state),
        _json((clip.end_ns - clip.start_ns) / NS_PER_S),
        clip.size_bytes,
        fires.campaigns_json,
        fires.triggers_json,
        _json(clip.labels),
    )
    others = {
        "expires": None if clip.expires_at is None else moment(clip.expires_at),
        _READY_AT: None if clip.ready_at is None else moment(clip.ready_at),
        _DAMAGE: clip.damage,
        _PLACE_CELL: clip.place_cell,
        _DUPLICATE_OF: clip.duplicate_of,
    }
    more = {name: value for name, value in others.items() if value is not None}
    for name, value in clip.attributes.items():
        more[_of_attribute(name)] = value
    return f'"properties":{{{_PROPERTIES % values}{"," if more else ""}{_json(more)[1:-1]}}}'


_Member: TypeAlias = Callable[[Items, _Shown], str]
_MEMBERS: Mapping[str, _Member] = {
    "type": lambda _items, _of: '"type":"Feature"',
    "stac_version": lambda _items, _of: f'"stac_version":"{STAC_VERSION}"',
    "stac_extensions": lambda _items, of: _WITH_TIMESTAMPS if of.clip.expires_at else _WITHOUT_TIMESTAMPS,
    "id": lambda _items, of: f'"id":{_text(of.clip.id)}',
    "geometry": lambda _items, of: f'"geometry":{_json(of.geometry)}',
    "bbox": _bbox,
    "properties": _properties,
    "links": lambda items, of: f'"links":{items.links.of_item(of.collection, of.clip.id)}',
    "assets": _assets,
    "collection": lambda _items, of: f'"collection":{_text(of.collection)}',
}
"""The members of an item, in their order, each as JSON with its name; empty where an item does not have it."""


@lru_cache(1000)
def _of_attribute(name: str) -> str:
    return PREFIX + attribute_name(name)


def moment(at: datetime) -> str:
    """A time as items have it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
