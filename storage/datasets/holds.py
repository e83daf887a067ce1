"""What datasets keep: clips that retention must not erase, and that users erase only by naming the datasets."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, exists, func, select, update

from storage.datasets.versions import no_dataset
from storage.tables import clips, dataset_members, datasets
from triggers.contracts.users import User

_member, _dataset = dataset_members.c, datasets.c


def is_kept() -> ColumnElement[bool]:
    """Whether the clip of a row of `clips` is in a dataset that does not let it expire; correlated to that row."""
    return exists(
        select(_member.clip_id)
        .join(datasets, _dataset.name == _member.name)
        .where(_member.clip_id == clips.c.id, ~_dataset.lets_expire)
        .correlate(clips)
    )


def datasets_of(connection: Connection, clip_ids: Collection[str]) -> list[str]:
    """The names of the datasets with one of these clips in any version, in order."""
    names = select(_member.name).where(_member.clip_id.in_(clip_ids)).distinct()
    return sorted(connection.execute(names).scalars())


def versions_with(connection: Connection, clip_id: str) -> dict[str, list[int]]:
    """The versions that have a clip, in order, by their datasets, in order."""
    rows = connection.execute(
        select(_member.name, _member.version).where(_member.clip_id == clip_id).order_by(_member.name, _member.version)
    )
    found: dict[str, list[int]] = {}
    for name, version in rows:
        found.setdefault(name, []).append(version)
    return found


def datasets_of_vehicle(connection: Connection, vehicle_id: str) -> list[str]:
    """The names of the datasets with a clip of this vehicle that is still in the catalog, in order."""
    joined = select(_member.name).join(clips, clips.c.id == _member.clip_id)
    return sorted(connection.execute(joined.where(clips.c.vehicle_id == vehicle_id).distinct()).scalars())


def let_expire(connection: Connection, name: str, *, allowed: bool, reason: str, user: User) -> bool:
    """Say whether retention may erase clips of a dataset; returns what was so before. NotFound for no dataset."""
    before = connection.execute(
        select(_dataset.lets_expire).where(_dataset.name == name).with_for_update()
    ).scalar_one_or_none()
    if before is None:
        raise no_dataset(name)
    connection.execute(
        update(datasets)
        .where(_dataset.name == name)
        .values(lets_expire=allowed, changed_by_id=user.id, changed_at=func.now(), change_reason=reason)
    )
    return bool(before)
