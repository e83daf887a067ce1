"""What a filter can ask about: the allow-list of properties, and the columns behind them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

from sqlalchemy import BigInteger, ColumnElement, Float, and_, cast, column, exists, extract, func, select

from storage.tables import clip_fires, clips, fires, labels, signal_statistics
from triggers.errors import InvalidInput

Kind = Literal["text", "number", "time", "interval", "attribute", "geometry"]
Scope = Literal["fire", "tag", "label"]

_ATTRIBUTE = re.compile(r"vehicle\.([A-Za-z_]\w{0,199})")
_STATISTIC = re.compile(r"(?:signal\.)?([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\.(min|max|mean|samples)")
_STATISTIC_COLUMNS = {"min": "minimum", "max": "maximum", "mean": "mean", "samples": "samples"}
_element: ColumnElement[str] = column("element")


@dataclass(frozen=True)
class Property:
    """A property: its type, its expression, and of which of a clip's many (fires, tags, labels) it is one."""

    name: str
    kind: Kind
    expression: ColumnElement[Any]
    scope: Scope | None = None


def _of_clip(name: str, kind: Kind, expression: ColumnElement[Any]) -> tuple[str, Property]:
    return name, Property(name, kind, expression)


def _of(scope: Scope, name: str, kind: Kind, expression: ColumnElement[Any]) -> tuple[str, Property]:
    return name, Property(name, kind, expression, scope)


PROPERTIES: dict[str, Property] = dict(
    (
        _of_clip("id", "text", clips.c.id),
        _of_clip("state", "text", clips.c.state),
        _of_clip("start", "time", clips.c.start_ns),
        _of_clip("end", "time", clips.c.end_ns),
        _of_clip("time", "interval", clips.c.start_ns),
        _of_clip("start_ns", "number", clips.c.start_ns),
        _of_clip("end_ns", "number", clips.c.end_ns),
        _of_clip("duration_s", "number", cast(clips.c.end_ns - clips.c.start_ns, Float) / 1e9),
        _of_clip("size_bytes", "number", clips.c.size_bytes),
        _of_clip("digest", "text", clips.c.digest),
        _of_clip("stored_at", "time", cast(extract("epoch", clips.c.stored_at) * 1_000_000_000, BigInteger)),
        _of_clip("vehicle", "text", clips.c.vehicle_id),
        _of_clip("vehicle_id", "text", clips.c.vehicle_id),
        _of_clip("recording_id", "text", clips.c.recording_id),
        _of_clip("damage", "text", clips.c.damage),
        _of_clip("geometry", "geometry", clips.c.min_latitude),
        _of("fire", "campaign", "text", fires.c.campaign),
        _of("fire", "version", "number", fires.c.version),
        _of("fire", "trigger", "text", fires.c.trigger),
        _of("fire", "fire_time", "time", fires.c.t_ns),
        _of("fire", "inclusion_probability", "number", fires.c.inclusion_probability),
        _of("fire", "program_digest", "text", fires.c.program_digest),
        _of("tag", "tag", "text", _element),
        _of("tag", "tags", "text", _element),
        _of("label", "label", "text", _element),
        _of("label", "labels", "text", _element),
    )
)


def find_property(name: object) -> Property:
    """The property of this name; InvalidInput with the nearest names when there is none."""
    if not isinstance(name, str):
        raise InvalidInput("a property's name in the filter is no text")
    if name in PROPERTIES:
        return PROPERTIES[name]
    attribute = _ATTRIBUTE.fullmatch(name)
    if attribute is not None:
        return Property(name, "attribute", clips.c.attributes[attribute[1]])
    statistic = _STATISTIC.fullmatch(name)
    if statistic is not None and len(name) <= 250:
        return Property(name, "number", _statistic(statistic[1], statistic[2]))
    near = get_close_matches(name, [*PROPERTIES, "vehicle.model"], n=3, cutoff=0.6)
    if _ATTRIBUTE.fullmatch(f"vehicle.{name}") and "." not in name:
        near.append(f"vehicle.{name}, an attribute of the vehicle")
    listed = ", ".join(PROPERTIES)
    raise InvalidInput(
        f"the filter asks for {name[:100]!r}, which no clip has",
        remedy=(f"did you mean {' or '.join(near)}? " if near else "")
        + f"there are {listed}, vehicle.ATTRIBUTE, SIGNAL.min, SIGNAL.max, SIGNAL.mean and SIGNAL.samples",
    )


def some(scope: Scope, condition: ColumnElement[bool] | None = None) -> ColumnElement[bool]:
    """That the clip has one of these (a fire, a tag, a label), one for which `condition` holds."""
    if scope == "fire":
        keys = ("campaign", "version", "vehicle_id", "ordinal")
        same_fire = and_(*(fires.c[key] == clip_fires.c[key] for key in keys))
        of_clip = and_(clip_fires.c.clip_id == clips.c.id, same_fire)
        query = select(1).select_from(clip_fires).join(fires, same_fire).where(of_clip)
    elif scope == "tag":
        elements = func.unnest(clips.c.tags).table_valued("element", name="element")
        query = select(1).select_from(elements)
    else:
        elements = func.unnest(labels.c.types).table_valued("element", name="element")
        query = select(1).select_from(labels).join(elements, labels.c.clip_id == clips.c.id)
    if condition is not None:
        query = query.where(condition)
    return exists(query.correlate(clips))


def _statistic(signal: str, statistic: str) -> ColumnElement[Any]:
    """A statistic of a signal over the clip; null when the clip does not have the signal."""
    return (
        select(signal_statistics.c[_STATISTIC_COLUMNS[statistic]])
        .where(signal_statistics.c.clip_id == clips.c.id, signal_statistics.c.signal == signal)
        .correlate(clips)
        .scalar_subquery()
    )
