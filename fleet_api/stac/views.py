"""The API's STAC views: the landing page, queryables, and campaigns as collections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fleet_api.stac.conformance import CONFORMANCE_CLASSES
from fleet_api.stac.items import moment
from fleet_api.stac.links import Links
from fleet_api.stac.names import PREFIX, queryable_patterns, queryables
from storage.campaigns.collected import CollectedCampaign, Extent
from triggers.contracts.api.stac.answers import STAC_VERSION
from triggers.times import format_time

WORLD = (-180.0, -90.0, 180.0, 90.0)


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
    interval = (moment(campaign.since), None)
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
