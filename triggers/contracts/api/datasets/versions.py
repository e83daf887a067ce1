"""Datasets in the API: what chooses their clips, versions with their members, and the digest of a version."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, StringConstraints, model_validator

from triggers.contracts.api.base import View
from triggers.contracts.api.clips import MAX_FILTER_CHARACTERS, ClipView, LabelView, WithheldView
from triggers.contracts.base import Contract, canonical_json

MAX_MEMBERS = 100_000
"""The most clips that a version may have."""
MAX_LISTED = 100_000
"""The most clips that a request may list."""
MAX_DIVERSE = 1000
"""The most clips of a diverse choice."""
MAX_VERSIONS = 1000
MAX_MEMBER_PAGE = 200
ALL_PERCENT = 100

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")
DatasetName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
"""Name of a dataset or a saved search; safe in paths and file names."""
ListedClip = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class SplitRequest(Contract):
    """Shares of a version in percent, which add up to 100.

    All clips of one place cell, or of one vehicle, are on one side. Which one is decided by a hash of `seed` and the
    cell or vehicle, so that it is the same in each version and each dataset with the same seed and shares.
    """

    by: Literal["place", "vehicle"] = "place"
    train: Annotated[int, Field(ge=0, le=ALL_PERCENT)]
    val: Annotated[int, Field(ge=0, le=ALL_PERCENT)] = 0
    test: Annotated[int, Field(ge=0, le=ALL_PERCENT)] = 0
    seed: Annotated[str, Field(max_length=100)] = ""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (total := self.train + self.val + self.test) != ALL_PERCENT:
            raise ValueError(f"the shares add up to {total} percent, and have to add up to {ALL_PERCENT}")
        return self


class VersionRequest(Contract):
    """Which clips a version has: those that match `filter`, those in `clips`, or `diverse` different ones.

    A diverse choice is among the clips that match `filter`, or among all clips. `reason` is kept in the audit log.
    """

    filter: Annotated[str, Field(min_length=1, max_length=MAX_FILTER_CHARACTERS)] | None = None
    clips: Annotated[tuple[ListedClip, ...], Field(min_length=1, max_length=MAX_LISTED)] | None = None
    diverse: Annotated[int, Field(ge=1, le=MAX_DIVERSE)] | None = None
    split: SplitRequest | None = None
    reason: Annotated[str, Field(min_length=1, max_length=500)] | None = None

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        if self.clips is not None and (self.filter is not None or self.diverse is not None):
            raise ValueError("a list of clips cannot be combined with `filter` or `diverse`")
        if self.clips is None and self.filter is None and self.diverse is None:
            raise ValueError("say which clips: give `filter`, `clips` or `diverse`")
        return self


class NextVersionRequest(VersionRequest):
    """Which clips the next version of a dataset has. With `adds`, it has the clips of the newest version, too.

    Those that were erased since are left out. The split of the newest version goes on where none is given.
    """

    adds: bool = False


class CreateDatasetRequest(VersionRequest):
    """A new dataset with its first version. With `lets_expire`, retention may erase its clips."""

    name: DatasetName
    description: Annotated[str, Field(max_length=1000)] = ""
    lets_expire: bool = False


class VersionView(View):
    """A version: how many clips, bytes of recordings and pinned labels it has, and what chose them.

    `digest` is the SHA-256 of its list of members. `erased` is how many of its clips are no longer in the catalog.
    """

    name: str
    version: int
    digest: str
    clips: int
    size_bytes: int
    labels: int
    erased: int
    splits: dict[str, int]
    recipe: dict[str, Any]
    created_by: str
    created_at: datetime


class DatasetView(View):
    """A dataset. `lets_expire` says whether retention may erase its clips; who changed that last, when and why."""

    name: str
    description: str
    versions: int
    lets_expire: bool
    created_by: str
    created_at: datetime
    changed_by: str | None
    changed_at: datetime | None
    change_reason: str | None


class DatasetList(BaseModel):
    """Datasets by name. `next` continues the list as `after`; null on the last page."""

    datasets: list[DatasetView]
    next: str | None = None


class DatasetDetails(DatasetView):
    """A dataset with its versions, the newest first."""

    history: list[VersionView]


class FrozenAsset(BaseModel):
    """A derived file as it was when the version was made. `digest` is null where extraction did not keep one."""

    name: str
    media_type: str
    size_bytes: int
    digest: str | None


class FrozenLabel(BaseModel):
    """A label that existed when the version was made: its id, and the SHA-256 of its OpenLABEL document."""

    id: int
    digest: str


class ErasureView(View):
    """Why and when a clip was erased. `reason` and `erased_by` are a user's; retention has neither."""

    cause: str
    reason: str | None
    erased_by: str | None
    erased_at: datetime


class FrozenMember(BaseModel):
    """A clip of a version as it was frozen: what the digest of the version covers."""

    clip_id: str
    digest: str
    size_bytes: int
    split: Split | None
    assets: list[FrozenAsset]
    labels: list[FrozenLabel]


class MemberView(FrozenMember):
    """A member, and what is in the catalog now: the clip, links to its files, and the documents of its pinned labels.

    Links are valid for an hour. Those in `links` are by name, and only for files that are still the frozen ones;
    `clip.mcap` is the recording. `withheld` are the files and documents that are
    left out because they may hold precise positions, which the reader may not see. `erased` says why the clip is no
    longer there.
    """

    clip: ClipView | None
    links: dict[str, str]
    withheld: list[WithheldView] = []
    label_documents: list[LabelView]
    erased: ErasureView | None


class MemberPage(BaseModel):
    """Members by the id of their clip. `next` continues the list as `after`; null on the last page."""

    members: list[MemberView]
    next: str | None


class DifferenceView(BaseModel):
    """What a version has that another has not: ids of clips, in order.

    `changed` are those that both have, with other assets, labels or another split.
    """

    name: str
    before: int
    after: int
    added: list[str]
    removed: list[str]
    changed: list[str]


def canonical_member(member: FrozenMember) -> bytes:
    """A member's line in the list that the digest of a version covers."""
    return canonical_json(FrozenMember.model_dump(member, include=set(FrozenMember.model_fields))) + b"\n"


def version_digest(members: Iterable[FrozenMember]) -> str:
    """The digest of a version: the SHA-256, in hex, of its members' canonical lines in the order of their clips' ids.

    The members must come in that order, each with its assets by name and its labels by id.
    """
    digest = hashlib.sha256()
    for member in members:
        digest.update(canonical_member(member))
    return digest.hexdigest()
