"""The conformance classes that the STAC routes meet: of STAC API 1.0.0, OGC API - Features and CQL2.

Only classes whose tests pass: `oas30` is not among them, as our document is OpenAPI 3.1.
"""

from __future__ import annotations

from storage.clips.cql2.standard import CONFORMANCE_CLASSES as CQL2_CLASSES

_STAC = "https://api.stacspec.org/v1.0.0/"
_FEATURES = "http://www.opengis.net/spec/ogcapi-features-"

CONFORMANCE_CLASSES = (
    *(
        _STAC + name
        for name in (
            "core",
            "collections",
            "ogcapi-features",
            "ogcapi-features#fields",
            "ogcapi-features#sort",
            "item-search",
            "item-search#filter",
            "item-search#sort",
            "item-search#fields",
        )
    ),
    *(_FEATURES + name for name in ("1/1.0/conf/core", "1/1.0/conf/geojson")),
    *(_FEATURES + name for name in ("3/1.0/conf/filter", "3/1.0/conf/features-filter")),
    *CQL2_CLASSES,
)
