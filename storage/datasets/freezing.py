"""Makes versions of datasets: the clips are locked, their hashes and labels read, and all of it written at once."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, insert, select, text
from sqlalchemy.dialects.postgresql import insert as insert_unless_there

from storage.datasets.versions import no_dataset
from storage.jsonb import storable
from storage.rows import is_among
from storage.tables import clip_assets, clips, dataset_versions, datasets, labels
from triggers.contracts.api.datasets.versions import (
    MAX_VERSIONS,
    FrozenAsset,
    FrozenLabel,
    FrozenMember,
    Split,
    canonical_member,
)
from triggers.contracts.base import canonical_json
from triggers.contracts.users import User
from triggers.errors import Conflict, InvalidInput

_BATCH = 500
_Item = TypeVar("_Item")
# One statement for a batch, of the very lines that the digest covers: some times faster than a statement for each.
_INSERT_MEMBERS = text("""
    INSERT INTO dataset_members (name, version, clip_id, digest, size_bytes, split, assets, labels)
    SELECT :name, :version, clip_id, digest, size_bytes, split, assets, labels
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS member (
        clip_id text, digest text, size_bytes bigint, split text, assets jsonb, labels jsonb
    )
""")


@dataclass(frozen=True, slots=True)
class NewVersion:
    """What a version is made from: clips, the split of each (empty: no splits), and the recipe to keep."""

    clip_ids: Collection[str]
    splits: Mapping[str, Split]
    recipe: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Frozen:
    """The version that there is now, whether it is new, and how many chosen clips were erased in the meantime."""

    version: int
    digest: str
    is_new: bool
    gone: int


def create(connection: Connection, name: str, *, description: str, lets_expire: bool, user: User) -> None:
    """Begin a dataset; Conflict when there is one of this name. Whoever comes second waits until the first is done."""
    values = {"name": name, "description": storable(description, what="the description"), "lets_expire": lets_expire}
    row = connection.execute(
        insert_unless_there(datasets)
        .values(**values, created_by_id=user.id)
        .on_conflict_do_nothing()
        .returning(datasets.c.name)
    ).one_or_none()
    if row is None:
        raise Conflict(
            f"there is a dataset {name} already",
            remedy=f"choose another name, or add a version: longtail dataset add-version {name}",
        )


def lock(connection: Connection, name: str) -> None:
    """Let nobody else add versions to a dataset until the end of the transaction; NotFound for no dataset."""
    locked = select(datasets.c.name).where(datasets.c.name == name).with_for_update()
    if connection.execute(locked).one_or_none() is None:
        raise no_dataset(name)


def add_version(connection: Connection, name: str, new: NewVersion, *, user: User) -> Frozen:
    """Add a version to a dataset, unless its newest version has exactly these members; NotFound for no dataset.

    1. lock the dataset, so that versions have numbers without gaps, and then the clips, so that none is erased before
       the dataset keeps it
    2. read digests, assets and labels of the clips
    3. write the version with its members
    """
    lock(connection, name)
    table = dataset_versions.c
    newest = connection.execute(
        select(table.version, table.digest).where(table.name == name).order_by(table.version.desc()).limit(1)
    ).one_or_none()
    version = 1 if newest is None else newest.version + 1
    if version > MAX_VERSIONS:
        raise Conflict(f"dataset {name} has {MAX_VERSIONS} versions, the most there can be", remedy="begin a new one")
    # Members are written as they are read, however many there are; the key to their version is checked at the commit.
    attempt = connection.begin_nested()
    written = _write_members(connection, name, version, new)
    gone = len(new.clip_ids) - written.clips
    if newest is not None and newest.digest == written.digest:
        attempt.rollback()
        return Frozen(newest.version, written.digest, is_new=False, gone=gone)
    if not written.clips:
        raise InvalidInput("every chosen clip was erased in the meantime", remedy="choose again")
    recipe = storable(dict(new.recipe), what="the recipe")
    told = {"name": name, "version": version, "recipe": recipe, "created_by_id": user.id}
    connection.execute(insert(dataset_versions).values(**asdict(written), **told))
    attempt.commit()
    return Frozen(version, written.digest, is_new=True, gone=gone)


@dataclass(frozen=True, slots=True)
class _Written:
    """What a version says of its members, under the names of its columns."""

    digest: str
    clips: int
    size_bytes: int
    labels: int


def _write_members(connection: Connection, name: str, version: int, new: NewVersion) -> _Written:
    digest, clips_, size_bytes, labels_ = hashlib.sha256(), 0, 0, 0
    for batch in _members(connection, new):
        lines = [canonical_member(member) for member in batch]
        digest.update(b"".join(lines))
        rows = f"[{b','.join(lines).decode()}]"
        connection.execute(_INSERT_MEMBERS, {"name": name, "version": version, "rows": rows})
        clips_ += len(batch)
        size_bytes += sum(member.size_bytes for member in batch)
        labels_ += sum(len(member.labels) for member in batch)
    return _Written(digest.hexdigest(), clips_, size_bytes, labels_)


def _members(connection: Connection, new: NewVersion) -> Iterator[list[FrozenMember]]:
    """The members in the order of their clips' ids, in batches; clips that are not there any more are left out."""
    # In the order in which erasure locks them, so that the two wait for each other at most one way.
    c = clips.c
    rows = connection.execute(
        select(c.id, c.digest, c.size_bytes)
        .where(is_among(c.id, new.clip_ids))
        .order_by(c.id)
        .with_for_update(read=True, key_share=True)
    ).all()
    for batch in _batches(rows):
        ids = [row.id for row in batch]
        assets, pinned = _assets(connection, ids), _labels(connection, ids)
        yield [
            FrozenMember(
                clip_id=row.id,
                digest=row.digest,
                size_bytes=row.size_bytes,
                split=new.splits.get(row.id),
                assets=assets.get(row.id, []),
                labels=pinned.get(row.id, []),
            )
            for row in batch
        ]


def _assets(connection: Connection, clip_ids: Sequence[str]) -> dict[str, list[FrozenAsset]]:
    table = clip_assets.c
    rows = connection.execute(
        select(table.clip_id, table.name, table.media_type, table.size_bytes, table.digest).where(
            table.clip_id.in_(clip_ids)
        )
    ).all()
    found: dict[str, list[FrozenAsset]] = {}
    for row in sorted(rows, key=lambda row: (row.clip_id, row.name)):  # not by the database's collation
        asset = FrozenAsset(name=row.name, media_type=row.media_type, size_bytes=row.size_bytes, digest=row.digest)
        found.setdefault(row.clip_id, []).append(asset)
    return found


def _labels(connection: Connection, clip_ids: Sequence[str]) -> dict[str, list[FrozenLabel]]:
    table = labels.c
    rows = connection.execute(
        select(table.clip_id, table.id, table.openlabel).where(table.clip_id.in_(clip_ids)).order_by(table.id)
    )
    found: dict[str, list[FrozenLabel]] = {}
    for row in rows:
        found.setdefault(row.clip_id, []).append(FrozenLabel(id=row.id, digest=label_digest(row.openlabel)))
    return found


def label_digest(openlabel: Mapping[str, Any]) -> str:
    """The SHA-256, in hex, of an OpenLABEL document in its canonical form."""
    return hashlib.sha256(canonical_json(openlabel)).hexdigest()


def _batches(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]
