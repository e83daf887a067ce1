"""The properties of clips: the table of them, those with a variable part, and which names clips have had."""

from storage.clips.properties.lookup import (
    MAX_NAME_CHARACTERS,
    PATTERNS,
    attribute_name,
    in_unit,
    property_named,
    require_property,
    require_value,
    sortable_names,
    statistic_names,
)
from storage.clips.properties.table import PROPERTIES, Property, PropertyKind, SortType

__all__ = [
    "MAX_NAME_CHARACTERS",
    "PATTERNS",
    "PROPERTIES",
    "Property",
    "PropertyKind",
    "SortType",
    "attribute_name",
    "in_unit",
    "property_named",
    "require_property",
    "require_value",
    "sortable_names",
    "statistic_names",
]
