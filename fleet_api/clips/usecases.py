"""Use cases for clips: search the catalog, show one clip with everything that belongs to it, and erase one."""

from __future__ import annotations

import logging
from collections.abc import Collection

from fleet_api.clips import rules
from fleet_api.clips.views import clip_view, details_view
from fleet_api.services import Services
from storage import audit
from storage.clips.cql2 import Language
from storage.clips.details import get_clip
from storage.clips.query import ClipQuery
from storage.clips.search import search
from storage.datasets import holds
from storage.erasure import clips as erased_clips
from storage.jsonb import storable
from storage.labels import jobs
from storage.tables.erasure import ErasureCause
from triggers.contracts.api.clips import ClipDetailsView, ClipErasureView, ClipPage
from triggers.contracts.users import Role, User
from triggers.errors import NotFound

_log = logging.getLogger(__name__)


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

    Overloaded when the search takes too long; TooMany while another search of this user runs.
    """
    user.require(Role.VIEWER)
    query = ClipQuery.parse(filter_source=filter_source, language=language, sortby=sortby, limit=limit, token=token)
    with services.searches.turn(user.name), services.database.snapshot() as connection:
        page = search(connection, query)
    return ClipPage(clips=[clip_view(clip) for clip in page.clips], next=page.next, notes=page.notes)


def show_clip(services: Services, user: User, clip_id: str) -> ClipDetailsView:
    """One clip with links to its files; NotFound when there never was one, Erased when it was erased.

    To one who only labels, every clip but those that it has claimed is NotFound.
    """
    user.require(Role.VIEWER, Role.LABELER)
    with services.database.snapshot() as connection:
        if not user.may(Role.VIEWER) and not jobs.has_claimed(connection, clip_id, user=user.name):
            raise NotFound(
                f"{user.name} has claimed no clip {clip_id[:100]!r}", remedy="claim its job: `longtail labels claim`"
            )
        details = get_clip(connection, clip_id)
    return details_view(details, services.store)


def erase_clip(
    services: Services, user: User, clip_id: str, *, reason: str, named: Collection[str] = ()
) -> ClipErasureView:
    """Erase a clip with everything derived from it; its objects are deleted soon after. Errors as in `show_clip`.

    Conflict unless `named` has every dataset that the clip is in. They list it as erased from then on.
    """
    user.require(Role.OPERATOR)
    storable(reason, what="the reason")
    with services.database.begin() as connection:
        erased = erased_clips.erase(connection, [clip_id], ErasureCause.ERASED, reason=reason, by=user.name)
        if not erased.clips:
            erased_clips.require(connection, clip_id)
            raise erased_clips.no_clip(clip_id)
        datasets = holds.datasets_of(connection, [clip_id])  # no more can come: the clip is locked
        rules.check_may_erase(clip_id, datasets, named)
        gone = {"size_bytes": erased.size_bytes, "datasets": datasets}
        audit.record(connection, user, "clip.erase", "clip", clip_id, before=gone, reason=reason)
    _log.warning("%s erases clip %s: %s", user.name, clip_id, ascii(reason))
    return ClipErasureView(id=clip_id, size_bytes=erased.size_bytes)
