"""Use cases for signal catalogs: publish, list and show them. Each is one transaction."""

from __future__ import annotations

from fleet_api.campaigns.compilation import read_catalog_aside
from fleet_api.services import Services
from fleet_api.signal_catalogs import rules
from storage import audit
from storage.campaigns import signal_catalogs
from storage.campaigns.signal_catalogs import NewCatalog
from triggers.contracts.api.signal_catalogs import (
    PublishCatalogRequest,
    SignalCatalogDetails,
    SignalCatalogList,
    SignalCatalogView,
)
from triggers.contracts.users import Role, User


def publish(services: Services, user: User, request: PublishCatalogRequest) -> tuple[SignalCatalogView, bool]:
    """Publish a catalog as the newest version of its name; returns it, and whether it is new.

    InvalidInput for a text with mistakes, or whose limits exceed what the deployment allows; TooMany while another
    text of this user is read.
    """
    user.require(Role.OPERATOR)
    with services.compilations.turn(user.name):
        read = read_catalog_aside(request.signals)
    allowed = services.settings
    rules.check_limits(
        request.name, read.limits, state_bytes=allowed.program_state_bytes, operations=allowed.program_operations
    )
    catalog = NewCatalog(request.name, request.signals, read.signals, read.limits.state, read.limits.operations)
    with services.database.begin() as connection:
        published, is_new = signal_catalogs.publish(connection, catalog, user=user)
        if is_new:
            about = f"{published.name}/{published.version}"
            after = {"digest": published.digest, "state": published.state_bytes, "operations": published.operations}
            audit.record(connection, user, "signal_catalog.publish", "signal_catalog", about, after=after)
    return SignalCatalogView.model_validate(published), is_new


def list_catalogs(services: Services, user: User, *, after: str, limit: int) -> SignalCatalogList:
    """The newest version of each name that sorts after `after`, by name; at most `limit`."""
    user.require(Role.VIEWER)
    with services.database.begin() as connection:
        catalogs = signal_catalogs.newest_of_each(connection, after=after, limit=limit)
    return SignalCatalogList(
        catalogs=[SignalCatalogView.model_validate(catalog) for catalog in catalogs],
        next=catalogs[-1].name if len(catalogs) == limit else None,
    )


def show_catalog(services: Services, user: User, reference: str) -> SignalCatalogDetails:
    """The version that a name, `NAME@VERSION` or a digest names, with its text; or NotFound."""
    user.require(Role.VIEWER)
    with services.database.begin() as connection:
        published, text = signal_catalogs.find(connection, reference)
    return SignalCatalogDetails(**SignalCatalogView.model_validate(published).model_dump(), text=text)
