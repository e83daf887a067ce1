"""Signal catalogs of campaigns as this version reads them, each text parsed once."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import lru_cache

from triggers.errors import InvalidInput
from triggers.signals.catalog import SignalCatalog

LOGGER = logging.getLogger(__name__)


def parsed(texts: Iterable[str]) -> list[SignalCatalog]:
    """The catalogs of these YAML texts; those that this version cannot read are left out."""
    return [catalog for catalog in map(_parsed, texts) if catalog is not None]


@lru_cache(maxsize=64)
def _parsed(text: str) -> SignalCatalog | None:
    """Most clips of a campaign have the same text, and reading a large one takes seconds."""
    try:
        return SignalCatalog.parse(text, name="a campaign's signal catalog")
    except InvalidInput as error:
        LOGGER.warning("a signal catalog is left out: %s", error)
        return None
