"""Reads datasets: their list, versions, members with what became of their clips, and differences of versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, func, or_, select, true

from storage.rows import columns_of
from storage.tables import clips, dataset_members, dataset_versions, datasets, erased_clips, users
from triggers.errors import NotFound

_d, _v, _m = datasets.c, dataset_versions.c, dataset_members.c


@dataclass(frozen=True, slots=True)
class DatasetRecord:
    """A dataset, and how many versions it has."""

    name: str
    description: str
    lets_expire: bool
    created_at: datetime
    changed_at: datetime | None
    change_reason: str | None
    versions: int
    created_by: str
    changed_by: str | None


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """A version, how many of its clips are erased, and how many are in each split."""

    name: str
    version: int
    digest: str
    clips: int
    size_bytes: int
    labels: int
    recipe: dict[str, Any]
    created_at: datetime
    created_by: str
    erased: int
    splits: dict[str, int]


@dataclass(frozen=True, slots=True)
class MemberRecord:
    """A member as it was frozen, and the tombstone of its clip if that was erased."""

    clip_id: str
    digest: str
    size_bytes: int
    split: str | None
    assets: list[dict[str, Any]]
    labels: list[dict[str, Any]]
    erasure: Row[Any] | None


@dataclass(frozen=True, slots=True)
class Difference:
    """Ids of clips, in order: those that only one of two versions has, and those that are not the same in both."""

    added: list[str]
    removed: list[str]
    changed: list[str]


def no_dataset(name: str) -> NotFound:
    """The error for a name that no dataset has."""
    return NotFound(f"there is no dataset {name[:64]!r}", remedy="`longtail dataset list` shows all datasets")


def list_datasets(connection: Connection, *, after: str, limit: int) -> list[DatasetRecord]:
    """Datasets whose name sorts after `after`, by name; at most `limit`."""
    return _datasets(connection, _d.name > after, limit)


def find_dataset(connection: Connection, name: str) -> DatasetRecord:
    """The dataset of this name, or NotFound."""
    found = _datasets(connection, _d.name == name, 1)
    if not found:
        raise no_dataset(name)
    return found[0]


def _datasets(connection: Connection, where: Any, limit: int) -> list[DatasetRecord]:
    creator, changer = users.alias(), users.alias()
    versions = select(func.count()).where(_v.name == _d.name).correlate(datasets).scalar_subquery()
    without = ("versions", "created_by", "changed_by")
    rows = connection.execute(
        select(*columns_of(DatasetRecord, datasets, without=without), versions, creator.c.name, changer.c.name)
        .join_from(datasets, creator, creator.c.id == _d.created_by_id)
        .outerjoin(changer, changer.c.id == _d.changed_by_id)
        .where(where)
        .order_by(_d.name)
        .limit(limit)
    )
    return [DatasetRecord(*each) for each in map(tuple, rows)]


def versions_of(connection: Connection, name: str, *, version: int | None = None) -> list[VersionRecord]:
    """The versions of a dataset, the newest first, or the one that is given; none where there is none."""
    where = _v.name == name if version is None else and_(_v.name == name, _v.version == version)
    plain = columns_of(VersionRecord, dataset_versions, without=("created_by", "erased", "splits"))
    rows = connection.execute(
        select(*plain, users.c.name.label("created_by"))
        .join_from(dataset_versions, users, users.c.id == _v.created_by_id)
        .where(where)
        .order_by(_v.version.desc())
    ).all()
    counts = _counts(connection, name, [row.version for row in rows])
    values: list[tuple[Any, ...]] = [(*row, *counts.get(row.version, (0, {}))) for row in rows]
    return [VersionRecord(*each) for each in values]


def _counts(connection: Connection, name: str, versions: Sequence[int]) -> dict[int, tuple[int, dict[str, int]]]:
    rows = connection.execute(
        select(_m.version, _m.split, func.count(), func.count(erased_clips.c.clip_id))
        .outerjoin_from(dataset_members, erased_clips, erased_clips.c.clip_id == _m.clip_id)
        .where(_m.name == name, _m.version.in_(versions))
        .group_by(_m.version, _m.split)
    )
    counts: dict[int, tuple[int, dict[str, int]]] = {}
    for version, split, members, erased in rows:
        before, splits = counts.get(version, (0, {}))
        counts[version] = before + erased, splits | ({split: members} if split else {})
    return counts


def find_version(connection: Connection, name: str, version: int | None) -> VersionRecord:
    """A version of a dataset (None: the newest), or NotFound."""
    if version is None:
        newest = select(func.max(_v.version)).where(_v.name == name)
        version = connection.execute(newest).scalar_one()
    found = [] if version is None else versions_of(connection, name, version=version)
    if not found:
        find_dataset(connection, name)
        raise NotFound(
            f"dataset {name} has no version {version}", remedy=f"`longtail dataset show {name}` lists its versions"
        )
    return found[0]


def members_of(
    connection: Connection, name: str, version: int, *, after: str, limit: int, split: str | None = None
) -> list[MemberRecord]:
    """Members of a version whose clip's id sorts after `after`, in the order of these ids; at most `limit`.

    With `split` only those on this side.
    """
    plain = columns_of(MemberRecord, dataset_members, without=("erasure",))
    rows = connection.execute(
        select(*plain)
        .where(_m.name == name, _m.version == version, _m.clip_id > after)
        .where(true() if split is None else _m.split == split)
        .order_by(_m.clip_id)
        .limit(limit)
    ).all()
    gone = select(erased_clips).where(erased_clips.c.clip_id.in_([row.clip_id for row in rows]))
    erased = {row.clip_id: row for row in connection.execute(gone)}
    values = [(*row, erased.get(row.clip_id)) for row in rows]
    return [MemberRecord(*each) for each in values]


def clips_of(connection: Connection, name: str, version: int) -> list[str]:
    """The ids of the clips of a version that are still in the catalog."""
    joined = dataset_members.join(clips, clips.c.id == _m.clip_id)
    found = select(_m.clip_id).select_from(joined).where(_m.name == name, _m.version == version)
    return list(connection.execute(found.order_by(_m.clip_id)).scalars())


def difference(connection: Connection, name: str, before: int, after: int) -> Difference:
    """How the members of version `after` differ from those of `before`."""
    old = select(dataset_members).where(_m.name == name, _m.version == before).subquery()
    new = select(dataset_members).where(_m.name == name, _m.version == after).subquery()
    is_other = or_(
        old.c.split.is_distinct_from(new.c.split), old.c.assets != new.c.assets, old.c.labels != new.c.labels
    )
    rows = connection.execute(
        select(func.coalesce(new.c.clip_id, old.c.clip_id), old.c.clip_id.is_(None), new.c.clip_id.is_(None))
        .select_from(old.join(new, old.c.clip_id == new.c.clip_id, full=True))
        .where(or_(old.c.clip_id.is_(None), new.c.clip_id.is_(None), is_other))
    )
    found = Difference([], [], [])
    for clip_id, is_added, is_removed in sorted(map(tuple, rows)):
        (found.added if is_added else found.removed if is_removed else found.changed).append(clip_id)
    return found
