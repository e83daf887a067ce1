"""A property of clips as an entry of an OGC queryables schema (OGC API - Features, part 3: Filtering)."""

from __future__ import annotations

from typing import Any

from storage.clips.properties import Property, PropertyKind

_MOMENT = {"type": "string", "format": "date-time"}
_TYPES: dict[PropertyKind, dict[str, Any]] = {
    "text": {"type": "string"},
    "number": {"type": "number"},
    "time": _MOMENT,
    "interval": {"type": "array", "items": _MOMENT, "minItems": 2, "maxItems": 2},
    "attribute": {"type": ["string", "number", "boolean"]},
    "geometry": {"format": "geometry-any"},
    "box": {"format": "geometry-polygon"},
}
_UCUM = {"byte": "By"}
"""Units that are spelled differently in `x-ogc-unit`, which takes codes of the Unified Code for Units of Measure."""


def queryable(described: Property) -> dict[str, Any]:
    """The JSON Schema of a property: type, title, description, unit and, where they are enumerated, its values."""
    schema = {**_TYPES[described.kind], "title": described.title, "description": described.description}
    if described.unit is not None:
        schema["x-ogc-unit"] = _UCUM.get(described.unit, described.unit)
    if described.values:
        schema["enum"] = list(described.values)
    return schema
