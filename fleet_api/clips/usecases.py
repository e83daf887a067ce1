"""Use cases for clips: search the catalog, and show one clip with everything that belongs to it."""

from __future__ import annotations

from fleet_api.clips.views import clip_view, details_view
from fleet_api.services import Services
from storage.clips.cql2 import Language
from storage.clips.details import get_clip
from storage.clips.query import ClipQuery
from storage.clips.search import search
from triggers.contracts.api.clips import ClipDetailsView, ClipPage
from triggers.contracts.users import Role, User


def search_clips(
    services: Services,
    user: User,
    *,
    filter_source: str | None,
    language: Language,
    sortby: str,
    limit: int,
    token: str | None,
) -> ClipPage:
    """A page of the clips for which the filter is true; InvalidInput for a filter, order or token that cannot be used.

    Overloaded when the search takes too long.
    """
    user.require(Role.VIEWER)
    query = ClipQuery.parse(filter_source=filter_source, language=language, sortby=sortby, limit=limit, token=token)
    with services.database.begin() as connection:
        page = search(connection, query)
    return ClipPage(clips=[clip_view(clip) for clip in page.clips], next=page.next)


def show_clip(services: Services, user: User, clip_id: str) -> ClipDetailsView:
    """One clip with links to its files, or NotFound."""
    user.require(Role.VIEWER)
    with services.database.begin() as connection:
        details = get_clip(connection, clip_id)
    return details_view(details, services.store)
