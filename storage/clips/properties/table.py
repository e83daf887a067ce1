"""The properties of a clip: one table of how each is compared, sorted and described, and where it is stored.

Filters (cql2/), the order of pages (order.py), the schema of queryables (queryables.py) and the table in
docs/catalog.md read it. A new property is a new entry here; those with a variable part are in lookup.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Float,
    Numeric,
    case,
    cast,
    extract,
    func,
    literal_column,
    select,
)

from storage.clips.properties.place_cells import coarser
from storage.clips.scopes import ELEMENT, Scope
from storage.tables import clip_fires, clips, labels

PropertyKind = Literal["text", "number", "time", "interval", "attribute", "geometry", "box"]
SortType = Literal["integer", "float", "text", "json"]


@dataclass(frozen=True)
class Property:
    """A property of clips, and everything that the catalog needs to know about it.

    `kind` is its type in comparisons. `scope` says whether it belongs to a fire, a tag or a label of the clip, None for
    the clip itself. `sort` is the type of its value as a sort key, None when pages cannot be sorted by it; `nullable`
    says that a clip may lack it, whatever its scope. `expression` is the value in the unit `unit`, the same for filter
    and sort: ns since 1970 for times; an interval has its end in `last`. `attribute` and `signal` are the names that
    properties with a variable part contain; `place` is where a filter names one of these, for messages. `few` numbers
    are counted one by one, not in bins.
    """

    name: str
    kind: PropertyKind
    title: str
    description: str
    expression: ColumnElement[Any] = field(compare=False, repr=False)
    last: ColumnElement[Any] | None = field(default=None, compare=False, repr=False)
    scope: Scope | None = None
    unit: str | None = None
    sort: SortType | None = None
    nullable: bool = False
    aliases: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    attribute: str | None = None
    signal: str | None = None
    few: bool = False
    place: str = field(default="", compare=False, repr=False)


# Spelled as the indexes on them are (storage/tables/clips.py), with constants in the text: PostgreSQL does not use an
# index of an expression if one of its constants is a parameter.
_DURATION_S = cast(clips.c.end_ns - clips.c.start_ns, Float) / literal_column("1000000000::double precision", Float)


def _ns(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """A timestamptz as ns since 1970; exact, as `extract` gives a numeric."""
    return cast(_seconds(column) * literal_column("1000000000::numeric", Numeric), BigInteger)


def _ns_at_most(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The same of a time that may be after 2262, which is the last year that ns in 64 bits reach."""
    seconds, most = _seconds(column), literal_column("9223372036::numeric", Numeric)
    within = seconds - func.greatest(seconds - most, literal_column("0::numeric", Numeric), type_=Numeric())
    return cast(within * literal_column("1000000000::numeric", Numeric), BigInteger)


def _seconds(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return extract("epoch", func.timezone(literal_column("'UTC'"), column, type_=DateTime()))


PROPERTIES: tuple[Property, ...] = (
    Property(
        "id",
        "text",
        "Clip",
        "identity of the clip: the same recording with the same bytes is the same clip",
        clips.c.id,
        sort="text",
    ),
    Property(
        "recording_id",
        "text",
        "Recording",
        "identity of the recording on its vehicle",
        clips.c.recording_id,
        sort="text",
    ),
    Property("digest", "text", "Digest", "identity of the clip's bytes, 64 hex digits", clips.c.digest, sort="text"),
    Property(
        "state",
        "text",
        "State",
        "how far the clip has been processed",
        clips.c.state,
        sort="text",
        values=("stored", "ready", "damaged"),
    ),
    Property("damage", "text", "Damage", "why the clip is damaged", clips.c.damage),
    Property(
        "duplicate_of",
        "text",
        "Duplicate of",
        "the earlier clip that this one is almost the same as",
        clips.c.duplicate_of,
        sort="text",
        nullable=True,
    ),
    Property(
        "vehicle", "text", "Vehicle", "id of the vehicle", clips.c.vehicle_id, sort="text", aliases=("vehicle_id",)
    ),
    Property(
        "start",
        "time",
        "Start",
        "first moment of the recording, by the vehicle's clock",
        clips.c.start_ns,
        sort="integer",
    ),
    Property(
        "end", "time", "End", "last moment of the recording, by the vehicle's clock", clips.c.end_ns, sort="integer"
    ),
    Property(
        "recorded",
        "time",
        "Recorded",
        "`start`, or `stored_at` if the vehicle's clock cannot have been right (tag `clock_implausible`)",
        clips.c.recorded_ns,
        sort="integer",
    ),
    Property("time", "interval", "Time", "from `start` to `end`", clips.c.start_ns, clips.c.end_ns),
    Property(
        "start_ns",
        "number",
        "Start in ns",
        "`start` as a number, since 1970",
        clips.c.start_ns,
        unit="ns",
        sort="integer",
    ),
    Property(
        "end_ns", "number", "End in ns", "`end` as a number, since 1970", clips.c.end_ns, unit="ns", sort="integer"
    ),
    Property(
        "duration_s",
        "number",
        "Duration",
        "from `start` to `end`",
        _DURATION_S,
        unit="s",
        sort="float",
    ),
    Property(
        "size_bytes", "number", "Size", "size of the clip's file", clips.c.size_bytes, unit="byte", sort="integer"
    ),
    Property(
        "stored_at", "time", "Stored at", "when the cloud stored the clip", _ns(clips.c.stored_at), sort="integer"
    ),
    Property(
        "ready_at",
        "time",
        "Ready at",
        "when the clip became `ready`",
        _ns(clips.c.ready_at),
        sort="integer",
        nullable=True,
    ),
    Property(
        "expires_at",
        "time",
        "Expires at",
        "when the clip will be erased",
        _ns_at_most(clips.c.expires_at),
        sort="integer",
        nullable=True,
    ),
    Property(
        "geometry",
        "geometry",
        "Track",
        "the clip's track, a line or, if it stays at one place, a point; in degrees",
        case((func.jsonb_typeof(clips.c.track) == "array", clips.c.track)),
        aliases=("track",),
    ),
    Property("box", "box", "Box", "box around the clip's track, in degrees", clips.c.min_latitude),
    Property(
        "place_cell",
        "text",
        "Cell",
        "cell of the [H3](https://h3geo.org) grid in which the clip begins: 5 km² on average (resolution 7)",
        clips.c.place_cell,
        sort="text",
        nullable=True,
    ),
    *(
        Property(
            f"place_cell_{resolution}",
            "text",
            f"Cell of resolution {resolution}",
            f"the cell of resolution {resolution} that `place_cell` lies in: {area} km² on average",
            coarser(clips.c.place_cell, resolution),
            sort="text",
            nullable=True,
        )
        for resolution, area in ((5, "250"), (3, "12,000"))
    ),
    Property("campaign", "text", "Campaign", "campaign of a fire", clip_fires.c.campaign, scope="fire", sort="text"),
    Property(
        "version",
        "number",
        "Version",
        "version of the campaign of a fire",
        clip_fires.c.version,
        scope="fire",
        sort="integer",
        few=True,
    ),
    Property("trigger", "text", "Trigger", "trigger of a fire", clip_fires.c.trigger, scope="fire", sort="text"),
    Property(
        "program_digest",
        "text",
        "Program",
        "digest of the program of a fire",
        clip_fires.c.program_digest,
        scope="fire",
        sort="text",
    ),
    Property(
        "fire_time",
        "time",
        "Time of fire",
        "when a trigger fired, by the vehicle's clock",
        clip_fires.c.t_ns,
        scope="fire",
        sort="integer",
    ),
    Property(
        "fire_time_ns",
        "number",
        "Time of fire in ns",
        "`fire_time` as a number, since 1970",
        clip_fires.c.t_ns,
        scope="fire",
        unit="ns",
        sort="integer",
    ),
    Property(
        "inclusion_probability",
        "number",
        "Inclusion probability",
        "probability that a fire was included, above 0 and at most 1",
        clip_fires.c.inclusion_probability,
        scope="fire",
        sort="float",
    ),
    Property(
        "tags",
        "text",
        "Tag",
        "a tag of a trigger that fired, or one that a person has added",
        ELEMENT,
        scope="tag",
        sort="text",
        aliases=("tag",),
    ),
    Property(
        "labels",
        "text",
        "Label",
        "a type that a label of the clip names",
        ELEMENT,
        scope="label",
        sort="text",
        aliases=("label",),
    ),
    Property(
        "label_count",
        "number",
        "Number of labels",
        "how often the clip has been labeled, whether something was found or not",
        select(func.count()).select_from(labels).where(labels.c.clip_id == clips.c.id).scalar_subquery(),
        sort="integer",
        few=True,
    ),
    Property(
        "labeler",
        "text",
        "Labeler",
        "who labeled the clip, as `<user>/<labeler>`",
        labels.c.labeler,
        scope="labeling",
        sort="text",
    ),
)
