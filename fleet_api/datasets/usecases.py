"""Use cases for datasets: make versions, show them with their members and differences, and let retention erase or not.

Each is one transaction. A version is made by whoever has the role author or operator; what keeps clips from being
erased is decided by operators.
"""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import Any

from fleet_api.datasets import rules
from fleet_api.datasets.views import member_views, version_view
from fleet_api.services import Services
from storage import audit
from storage.clips.positions import Sight
from storage.database import Connection
from storage.datasets import freezing, holds, selection, versions
from storage.datasets.freezing import Frozen, NewVersion
from storage.datasets.versions import VersionRecord
from triggers.contracts.api.base import ReasonRequest
from triggers.contracts.api.datasets.versions import (
    MAX_MEMBERS,
    CreateDatasetRequest,
    DatasetDetails,
    DatasetList,
    DatasetView,
    DifferenceView,
    MemberPage,
    NextVersionRequest,
    Split,
    SplitRequest,
    VersionRequest,
    VersionView,
)
from triggers.contracts.users import Role, User
from triggers.errors import InvalidInput
from triggers.likeness.version import EMBEDDING_ID

_log = logging.getLogger(__name__)


def create(services: Services, user: User, request: CreateDatasetRequest) -> VersionView:
    """Begin a dataset with its first version. Conflict when the name is taken; errors of the choice as in `_choose`."""
    user.require(Role.AUTHOR, Role.OPERATOR)
    with services.searches.turn(user.name), services.database.begin() as connection:
        freezing.create(
            connection, request.name, description=request.description, lets_expire=request.lets_expire, user=user
        )
        sight = services.sight_of(user, connection)
        chosen = _choose(connection, request, sight)
        frozen = freezing.add_version(connection, request.name, chosen, user=user)
        after = _told(frozen) | {"lets_expire": request.lets_expire}
        made = _version(connection, request.name, frozen.version, sight)
        audit.record(connection, user, "dataset.create", "dataset", request.name, after=after, reason=request.reason)
    return made


def add_version(services: Services, user: User, name: str, request: NextVersionRequest) -> tuple[VersionView, bool]:
    """Add a version to a dataset; returns it, or the newest one if that has the same members, and whether it is new."""
    user.require(Role.AUTHOR, Role.OPERATOR)
    with services.searches.turn(user.name), services.database.begin() as connection:
        versions.find_dataset(connection, name)
        sight = services.sight_of(user, connection)
        chosen = _choose(connection, request, sight)
        if request.adds:
            freezing.lock(connection, name)  # so that nobody else adds to the same version meanwhile
            chosen = _added_to(connection, versions.find_version(connection, name, None), chosen, request.split)
        frozen = freezing.add_version(connection, name, chosen, user=user)
        newest = _version(connection, name, frozen.version, sight)
        if frozen.is_new:
            after = _told(frozen)
            audit.record(connection, user, "dataset.add_version", "dataset", name, after=after, reason=request.reason)
    return newest, frozen.is_new


def _choose(connection: Connection, request: VersionRequest, sight: Sight) -> NewVersion:
    """The clips that a request asks for, their splits, and the recipe to keep, which says whether places were cells.

    InvalidInput when the filter cannot be used, or matches no clip or too many; NotFound or Erased for a listed clip.
    """
    recipe: dict[str, Any] = {}
    if request.clips is not None:
        chosen = selection.listed(connection, request.clips)
        recipe["listed"] = len(chosen)
    elif request.diverse is not None:
        chosen, recipe = _diverse(connection, request.filter, request.diverse, sight)
    else:
        chosen = selection.matching(connection, request.filter or "", sight)
        recipe["filter"] = request.filter
    if recipe.get("filter") is not None and not sight.precise:
        recipe["places"] = "cells"
    if request.split is None:
        return NewVersion(chosen, {}, recipe)
    return NewVersion(
        chosen, _splits(connection, chosen, request.split), recipe | {"split": request.split.model_dump()}
    )


def _added_to(
    connection: Connection, newest: VersionRecord, chosen: NewVersion, split: SplitRequest | None
) -> NewVersion:
    """The clips of the newest version that are still there, and chosen ones; InvalidInput for too many."""
    clip_ids = sorted({*versions.clips_of(connection, newest.name, newest.version), *chosen.clip_ids})
    if len(clip_ids) > MAX_MEMBERS:
        raise InvalidInput(
            f"{newest.name} would have {len(clip_ids):,} clips, and a dataset has at most {MAX_MEMBERS:,}",
            remedy="begin a new dataset",
        )
    if split is None and (before := newest.recipe.get("split")) is not None:
        split = SplitRequest.model_validate(before)
    recipe = {**chosen.recipe, "added_to": newest.version}
    if split is None:
        return NewVersion(clip_ids, {}, recipe)
    return NewVersion(clip_ids, _splits(connection, clip_ids, split), recipe | {"split": split.model_dump()})


def _diverse(
    connection: Connection, filter_source: str | None, count: int, sight: Sight
) -> tuple[list[str], dict[str, Any]]:
    found = selection.candidates(connection, filter_source, sight, embedding_id=EMBEDDING_ID)
    if count > len(found.clips):
        raise InvalidInput(
            f"a diverse choice of {count} among {len(found.clips)} clips",
            remedy="ask for fewer, or for all of them with the filter alone",
        )
    from fleet_api.datasets.points import choose_diverse  # noqa: PLC0415 - with numpy, which the API needs for this alone

    chosen = choose_diverse(found, count=count)
    recipe: dict[str, Any] = {
        "filter": filter_source,
        "diverse": count,
        "matching": found.matching,
        "compared": len(found.clips),
        "signals": list(found.signals),
        "embedding": EMBEDDING_ID,
        "vectors": len(found.vectors),
    }
    return [found.clips[index].clip_id for index in chosen], recipe


def _splits(connection: Connection, chosen: list[str], request: SplitRequest) -> dict[str, Split]:
    return {
        clip.clip_id: rules.side_of(request, vehicle=clip.vehicle_id, latitude=clip.latitude, longitude=clip.longitude)
        for clip in selection.grouped(connection, chosen)
    }


def list_datasets(services: Services, user: User, *, after: str, limit: int) -> DatasetList:
    """Datasets whose name sorts after `after`, by name; at most `limit`."""
    user.require(Role.VIEWER)
    with services.database.snapshot() as connection:
        found = versions.list_datasets(connection, after=after, limit=limit)
    return DatasetList(
        datasets=[DatasetView.model_validate(each) for each in found],
        next=found[-1].name if len(found) == limit else None,
    )


def show_dataset(services: Services, user: User, name: str) -> DatasetDetails:
    """A dataset with its versions, the newest first; or NotFound."""
    user.require(Role.VIEWER)
    with services.database.snapshot() as connection:
        found = versions.find_dataset(connection, name)
        history = versions.versions_of(connection, name)
        sight = services.sight_of(user, connection)
    return DatasetDetails(**asdict(found), history=[version_view(each, sight) for each in history])


def show_version(services: Services, user: User, name: str, version: int | None) -> VersionView:
    """A version of a dataset (None: its newest), or NotFound."""
    user.require(Role.VIEWER)
    with services.database.snapshot() as connection:
        return _version(connection, name, version, services.sight_of(user, connection))


def list_members(
    services: Services,
    user: User,
    name: str,
    version: int,
    *,
    after: str,
    limit: int,
    split: Split | None,
    documents: bool,
) -> MemberPage:
    """Members of a version by the id of their clip, with what the catalog has of them now; or NotFound."""
    user.require(Role.VIEWER)
    with services.database.snapshot() as connection:
        versions.find_version(connection, name, version)
        found = versions.members_of(connection, name, version, after=after, limit=limit, split=split)
        sight = services.sight_of(user, connection)
        views = member_views(connection, sight, services.store, found, documents=documents)
    return MemberPage(members=views, next=views[-1].clip_id if len(views) == limit else None)


def show_difference(services: Services, user: User, name: str, before: int, after: int) -> DifferenceView:
    """How the members of version `after` differ from those of `before`; or NotFound."""
    user.require(Role.VIEWER)
    with services.database.snapshot() as connection:
        for version in (before, after):
            versions.find_version(connection, name, version)
        found = versions.difference(connection, name, before, after)
    return DifferenceView(name=name, before=before, after=after, **asdict(found))


def let_expire(services: Services, user: User, name: str, request: ReasonRequest, *, allowed: bool) -> DatasetView:
    """Let retention erase clips of a dataset, or keep them from it; or NotFound."""
    user.require(Role.OPERATOR)
    with services.database.begin() as connection:
        before = holds.let_expire(connection, name, allowed=allowed, reason=request.reason, user=user)
        found = DatasetView.model_validate(versions.find_dataset(connection, name))
        audit.record(
            connection,
            user,
            "dataset.release" if allowed else "dataset.keep",
            "dataset",
            name,
            before={"lets_expire": before},
            after={"lets_expire": allowed},
            reason=request.reason,
        )
    _log.warning("%s %s dataset %s: %s", user.name, "releases" if allowed else "keeps", name, ascii(request.reason))
    return found


def _version(connection: Connection, name: str, version: int | None, sight: Sight) -> VersionView:
    return version_view(versions.find_version(connection, name, version), sight)


def _told(frozen: Frozen) -> dict[str, Any]:
    return {"version": frozen.version, "digest": frozen.digest}
