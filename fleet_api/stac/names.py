"""The names that STAC and we have for the same properties: in items, in filters, and as sort keys.

What the standard has a name for has that name in items; all else has ours after `longtail:`. Filters and sort keys also
take our own names without it, and any name after `properties.`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from storage.clips.properties import PATTERNS, PROPERTIES, property_named, require_property
from storage.clips.queryables import queryable

PREFIX = "longtail:"
STANDARD: Mapping[str, str] = {
    "id": "id",
    "collection": "campaign",
    "geometry": "geometry",
    "datetime": "start",
    "start_datetime": "start",
    "end_datetime": "end",
    "created": "stored_at",
    "expires": "expires_at",
    "platform": "vehicle",
    "keywords": "tags",
}
"""Our names of what the standard, or one of its extensions, has a name for."""


def own_name(name: str) -> str | None:
    """Our name of the property that a filter or a sort key names; None when clips have none such."""
    plain = name.removeprefix("properties.")
    own = STANDARD.get(plain, plain.removeprefix(PREFIX))
    return own if property_named(own) is not None else None


def queryables() -> dict[str, dict[str, object]]:
    """The schema of each property that filters can ask for, by its name in items."""
    here = {"campaign"} | {known.name for known in PROPERTIES} - set(STANDARD.values())  # all of a clip's campaigns
    others = (known.name for known in PROPERTIES if known.name in here)
    names = {**STANDARD, **{PREFIX + name: name for name in others}}
    return {name: queryable(require_property(own)) for name, own in names.items()}


def queryable_patterns() -> dict[str, dict[str, object]]:
    """The same for properties whose names have a variable part, by regular expressions of their names."""
    return {
        f"^{PREFIX}{re.sub('[A-Z]+', '.+', re.escape(pattern))}$": queryable(require_property(pattern))
        for pattern in PATTERNS
    }
