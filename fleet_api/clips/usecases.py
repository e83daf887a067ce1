"""Use cases for clips: search the catalog, find similar ones, show one with all that belongs to it, and erase one."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import replace

from fleet_api.clips import rules
from fleet_api.clips.views import clip_view, details_view, similar_clip
from fleet_api.services import Services
from storage import audit
from storage.clips.cql2 import Language, parse_filter
from storage.clips.details import get_clip
from storage.clips.marks import openings
from storage.clips.query import ClipQuery
from storage.clips.search import search
from storage.datasets import holds
from storage.erasure import clips as erased_clips
from storage.jsonb import storable
from storage.labels import jobs
from storage.likeness import embeddings, vectors
from storage.likeness.nearest import Question, nearest
from storage.tables.erasure import ErasureCause
from storage.tiers import moves
from triggers.contracts.api.clips import (
    OWN_EMBEDDINGS,
    ClipDetailsView,
    ClipErasureView,
    ClipPage,
    ClipVector,
    ClipVectorView,
    RestoreView,
    SimilarClips,
    SimilarRequest,
)
from triggers.contracts.users import Role, User
from triggers.errors import Conflict, InvalidInput
from triggers.likeness.version import EMBEDDING_ID

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

    Forbidden for one that would find out more of a place than the user may see. Overloaded when the search takes too
    long; TooMany while another search of this user runs.
    """
    user.require(Role.VIEWER)
    query = ClipQuery.parse(filter_source=filter_source, language=language, sortby=sortby, limit=limit, token=token)
    with services.searches.turn(user.name), services.database.snapshot() as connection:
        sight = services.sight_of(user, connection)
        page = search(connection, sight.query(query))
    return ClipPage(clips=[clip_view(clip, sight) for clip in page.clips], next=page.next, notes=page.notes)


def similar_clips(services: Services, user: User, request: SimilarRequest) -> SimilarClips:
    """The clips nearest to some examples; errors as `nearest` has them, and as a search for its filter."""
    user.require(Role.VIEWER)
    question = Question(
        embedding_id=request.embedding or EMBEDDING_ID,
        like=tuple(dict.fromkeys(request.like)),
        unlike=tuple(dict.fromkeys(request.unlike)),
        filter=None if request.filter is None else parse_filter(request.filter, request.filter_lang),
        limit=request.limit,
    )
    with services.searches.turn(user.name), services.database.snapshot() as connection:
        sight = services.sight_of(user, connection)
        found = nearest(connection, replace(question, filter=sight.filter(question.filter)))
    return SimilarClips(
        embedding=question.embedding_id,
        is_exact=found.is_exact,
        clips=[similar_clip(each.clip, each.distance, sight) for each in found.clips],
    )


def put_vector(services: Services, user: User, clip_id: str, embedding_id: str, body: ClipVector) -> ClipVectorView:
    """Write a clip's vector of another model, or another one in its place; the same one again changes nothing.

    InvalidInput for an id that is Longtail's own, Conflict for other dimensions than the embedding's, NotFound or
    Erased without the clip.
    """
    user.require(Role.OPERATOR)
    if embedding_id.startswith(OWN_EMBEDDINGS):
        raise InvalidInput(
            f"vectors of {embedding_id} are written by Longtail alone", remedy="give your model an id of its own"
        )
    vector = body.direction()
    with services.database.begin() as connection:
        erased_clips.require(connection, clip_id)
        embedding, is_first = embeddings.begin(connection, embedding_id, len(vector))
        if vectors.put(connection, clip_id, embedding, vector):
            after = {"embedding": embedding_id, "dimensions": len(vector)}
            audit.record(connection, user, "clip.vector", "clip", clip_id, after=after)
    return ClipVectorView(clip_id=clip_id, embedding=embedding_id, dimensions=len(vector), is_first=is_first)


def show_clip(services: Services, user: User, clip_id: str) -> ClipDetailsView:
    """One clip with links to its files, which is noted as opened; NotFound or Erased without the clip.

    To one who only labels, every clip but those that it has claimed is NotFound.
    """
    user.require(Role.VIEWER, Role.LABELER)
    with services.database.snapshot() as connection:
        if not user.may(Role.VIEWER):
            jobs.require_claimed(connection, clip_id, user=user.name)
        details = get_clip(connection, clip_id)
        datasets = holds.versions_with(connection, clip_id) if user.may(Role.VIEWER) else {}
        sight = services.sight_of(user, connection)
        is_noted = openings.is_noted(connection, clip_id)
    if not is_noted:  # once for each clip: a clip that is read again and again is written no more
        with services.database.begin() as connection:
            openings.note(connection, clip_id)
    return details_view(details, sight, services.store, datasets)


def restore_clip(services: Services, user: User, clip_id: str) -> RestoreView:
    """Have an archived recording readable for some days; Conflict when it can be read anyway. Errors as in `show_clip`.

    Asking again asks the store again, which does no harm, and is answered with the later time.
    """
    user.require(Role.OPERATOR)
    with services.database.begin() as connection:
        details = get_clip(connection, clip_id)
        if details.tier is None or not moves.is_archived(details.tier) or services.store.tiers is None:
            raise Conflict(f"the recording of clip {clip_id} is not archived", remedy="read it: its link works at once")
        services.store.tiers.restore(details.clip.object_key, days=moves.RESTORED_DAYS)
        readable_at = moves.ask_for_restore(connection, clip_id)
        after = {"storage_class": details.tier, "days": moves.RESTORED_DAYS}
        audit.record(connection, user, "clip.restore", "clip", clip_id, after=after)
    return RestoreView(id=clip_id, storage_class=details.tier, readable_at=readable_at, days=moves.RESTORED_DAYS)


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
