"""The properties of a clip: one table of how each is compared, sorted and described, and where it is stored.

Filters (cql2/), the order of pages (order.py), the schema of queryables (queryables.py) and the table in
docs/catalog.md read it. A new property is a new entry here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Literal

from sqlalchemy import BigInteger, ColumnElement, Float, cast, extract, select

from storage.clips.scopes import ELEMENT, Scope
from storage.tables import clips, fires, signal_statistics
from triggers.errors import InvalidInput
from triggers.times import NS_PER_S

PropertyKind = Literal["text", "number", "time", "interval", "attribute", "geometry"]
SortType = Literal["integer", "float", "text"]

MAX_NAME_CHARACTERS = 250
_ATTRIBUTE = re.compile(r"vehicle\.([A-Za-z_]\w{0,199})")
_STATISTIC = re.compile(r"(?:signal\.)?([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\.(min|max|mean|samples)")
_STATISTIC_COLUMNS = {"min": "minimum", "max": "maximum", "mean": "mean", "samples": "samples"}


@dataclass(frozen=True)
class Property:
    """A property of clips, and everything that the catalog needs to know about it.

    `kind` is its type in comparisons. `scope` says whether it belongs to a fire, a tag or a label of the clip, None for
    the clip itself. `sort` is the type of its value as a sort key, None when pages cannot be sorted by it;
    `nullable` says that clips may lack that key. `expression` is the value in the unit `unit`, the same for filter
    and sort: ns since 1970 for times; an interval has its end in `last`.
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


def _ns(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """A timestamptz as ns since 1970; exact, as `extract` gives a numeric."""
    return cast(extract("epoch", column) * NS_PER_S, BigInteger)


PROPERTIES: tuple[Property, ...] = (
    Property(
        "id",
        "text",
        "Clip",
        "identity of the clip: the same recording with the same bytes is the same clip",
        clips.c.id,
        sort="text",
    ),
    Property("recording_id", "text", "Recording", "identity of the recording on its vehicle", clips.c.recording_id),
    Property("digest", "text", "Digest", "identity of the clip's bytes, 64 hex digits", clips.c.digest),
    Property(
        "state",
        "text",
        "State",
        "how far the clip has been processed",
        clips.c.state,
        values=("stored", "ready", "damaged"),
    ),
    Property("damage", "text", "Damage", "why the clip is damaged", clips.c.damage),
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
        cast(clips.c.end_ns - clips.c.start_ns, Float) / 1e9,
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
        "geometry",
        "geometry",
        "Box",
        "box around the clip's track, in degrees",
        clips.c.min_latitude,
        aliases=("box",),
    ),
    Property("campaign", "text", "Campaign", "campaign of a fire", fires.c.campaign, scope="fire"),
    Property("version", "number", "Version", "version of the campaign of a fire", fires.c.version, scope="fire"),
    Property("trigger", "text", "Trigger", "trigger of a fire", fires.c.trigger, scope="fire"),
    Property(
        "program_digest", "text", "Program", "digest of the program of a fire", fires.c.program_digest, scope="fire"
    ),
    Property(
        "fire_time", "time", "Time of fire", "when a trigger fired, by the vehicle's clock", fires.c.t_ns, scope="fire"
    ),
    Property(
        "fire_time_ns",
        "number",
        "Time of fire in ns",
        "`fire_time` as a number, since 1970",
        fires.c.t_ns,
        scope="fire",
        unit="ns",
    ),
    Property(
        "inclusion_probability",
        "number",
        "Inclusion probability",
        "probability that a fire was included, above 0 and at most 1",
        fires.c.inclusion_probability,
        scope="fire",
    ),
    Property("tags", "text", "Tag", "a tag of a trigger that fired", ELEMENT, scope="tag", aliases=("tag",)),
    Property(
        "labels", "text", "Label", "a type that a label of the clip names", ELEMENT, scope="label", aliases=("label",)
    ),
)

PATTERNS = ("vehicle.ATTRIBUTE", "SIGNAL.min", "SIGNAL.max", "SIGNAL.mean", "SIGNAL.samples")
"""Names of the properties with a variable part; each pattern is itself the name of such a property."""

_BY_NAME = {name: known for known in PROPERTIES for name in (known.name, *known.aliases)}


def property_named(name: str) -> Property | None:
    """The property with this name or alias, or None."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    if len(name) > MAX_NAME_CHARACTERS:
        return None
    if attribute := _ATTRIBUTE.fullmatch(name):
        return _attribute(name, attribute[1])
    if statistic := _STATISTIC.fullmatch(name):
        return _statistic(name, statistic[1], statistic[2])
    return None


def require_property(name: object) -> Property:
    """The property with this name or alias; InvalidInput with the nearest names when there is none."""
    if not isinstance(name, str):
        raise InvalidInput("a property's name in the filter is not a text")
    known = property_named(name)
    if known is not None:
        return known
    near = get_close_matches(name, [*_BY_NAME, "vehicle.model"], n=3, cutoff=0.6)
    if "." not in name and _ATTRIBUTE.fullmatch(f"vehicle.{name}"):
        near.append(f"vehicle.{name}, an attribute of the vehicle")
    raise InvalidInput(
        f"clips have no property {name[:100]!r}",
        remedy=(f"did you mean {' or '.join(near)}? " if near else "")
        + f"the properties are {', '.join((*_BY_NAME, *PATTERNS))}",
    )


def sortable_names() -> list[str]:
    """The names that pages can be sorted by, those of PATTERNS included."""
    patterns = (property_named(pattern) for pattern in PATTERNS)
    return [known.name for known in (*PROPERTIES, *patterns) if known is not None and known.sort is not None]


def attribute_name(attribute: str) -> str:
    """The property of a vehicle's attribute."""
    return f"vehicle.{attribute}"


def statistic_names(signal: str) -> dict[str, str]:
    """The properties of a signal's statistics, by `min`, `max`, `mean` and `samples`.

    A signal whose name would mean something else (`vehicle.max` is an attribute) gets the prefix `signal.`.
    """
    prefix = "signal." if _ATTRIBUTE.fullmatch(f"{signal}.max") or signal.startswith("signal.") else ""
    return {statistic: f"{prefix}{signal}.{statistic}" for statistic in _STATISTIC_COLUMNS}


def _attribute(name: str, attribute: str) -> Property:
    description = "an attribute of the vehicle in the clip's manifest, such as `vehicle.model`"
    return Property(name, "attribute", "Attribute of the vehicle", description, clips.c.attributes[attribute])


def _statistic(name: str, signal: str, statistic: str) -> Property:
    """A statistic of a signal over the clip; null when the clip does not have the signal."""
    value = (
        select(signal_statistics.c[_STATISTIC_COLUMNS[statistic]])
        .where(signal_statistics.c.clip_id == clips.c.id, signal_statistics.c.signal == signal)
        .correlate(clips)
        .scalar_subquery()
    )
    title, description, sort = _STATISTICS[statistic]
    return Property(name, "number", title, description, value, sort=sort, nullable=True)


_STATISTICS: dict[str, tuple[str, str, SortType]] = {
    "min": ("Minimum", "lowest value of a signal in the clip, in the signal's unit", "float"),
    "max": ("Maximum", "highest value of a signal in the clip, in the signal's unit", "float"),
    "mean": ("Mean", "mean of a signal over its samples in the clip, in the signal's unit", "float"),
    "samples": ("Samples", "how many samples of a signal the clip has", "integer"),
}
