"""The text of the signal catalog that a trigger text is compiled against."""

from __future__ import annotations

from fleet_api.services import Services
from fleet_api.signal_catalogs import rules
from storage.campaigns import signal_catalogs
from triggers.contracts.base import text_digest


def catalog_text(services: Services, *, signals: str | None, catalog: str | None) -> str:
    """`signals`, a text that an author brings, or the text of the published `catalog`.

    NotFound for a catalog that is not published, Forbidden for the author's own where others are.
    """
    with services.database.begin() as connection:
        if signals is None:
            return signal_catalogs.find(connection, catalog or "")[1]
        rules.check_may_bring(
            signal_catalogs.any_is_published(connection),
            signal_catalogs.published_as(connection, text_digest(signals)),
            allowed=services.settings.author_catalogs,
        )
    return signals
