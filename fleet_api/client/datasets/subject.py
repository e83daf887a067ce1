"""Datasets: create them, add versions, list members, compare versions, and let their clips expire or keep them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from fleet_api.client.transport import Transport, path_of, request_of
from triggers.contracts.api.base import ReasonRequest
from triggers.contracts.api.datasets.versions import (
    CreateDatasetRequest,
    DatasetDetails,
    DatasetList,
    DatasetView,
    DifferenceView,
    MemberPage,
    MemberView,
    NextVersionRequest,
    Split,
    SplitRequest,
    VersionView,
)
from triggers.errors import InvalidInput

PAGE = 100


class Datasets:
    """What `client.datasets` can do."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(
        self,
        name: str,
        *,
        filter_text: str | None = None,
        clips: Sequence[str] | None = None,
        diverse: int | None = None,
        split: SplitRequest | None = None,
        description: str = "",
        lets_expire: bool = False,
        reason: str | None = None,
    ) -> VersionView:
        """Freeze clips under a new name; returns version 1.

        Give a filter (CQL2 text), or the ids of clips, or how many different clips to choose, with or without a filter.
        """
        listed = None if clips is None else tuple(clips)
        request = request_of(
            CreateDatasetRequest,
            name=name,
            filter=filter_text,
            clips=listed,
            diverse=diverse,
            split=split,
            description=description,
            lets_expire=lets_expire,
            reason=reason,
        )
        return self._transport.post(VersionView, path_of("datasets"), request)

    def add_version(
        self,
        name: str,
        *,
        filter_text: str | None = None,
        clips: Sequence[str] | None = None,
        diverse: int | None = None,
        split: SplitRequest | None = None,
        adds: bool = False,
        reason: str | None = None,
    ) -> VersionView:
        """Freeze clips as the next version, chosen as in `create`; the newest one if that has the same members.

        With `adds` it has the clips of the newest version, too, and its split unless another is given.
        """
        listed = None if clips is None else tuple(clips)
        request = request_of(
            NextVersionRequest,
            filter=filter_text,
            clips=listed,
            diverse=diverse,
            split=split,
            adds=adds,
            reason=reason,
        )
        return self._transport.post(VersionView, path_of("datasets", name, "versions"), request)

    def list(self) -> Iterator[DatasetView]:
        """All datasets, by name."""
        return self._transport.pages(
            DatasetList, path_of("datasets"), lambda page: page.datasets, by="after", size=PAGE
        )

    def get(self, name: str) -> DatasetDetails:
        """A dataset with its versions, the newest first."""
        return self._transport.get(DatasetDetails, path_of("datasets", name))

    def version(self, reference: str) -> VersionView:
        """The version that `NAME@VERSION` names, or the newest one of `NAME`."""
        name, version = self._parsed(reference)
        return self._transport.get(VersionView, path_of("datasets", name, "versions", version))

    def members(
        self, reference: str, *, split: Split | None = None, documents: bool = False, page: int = PAGE
    ) -> Iterator[MemberView]:
        """The members of `NAME@VERSION`, or of the newest version of `NAME`, by the id of their clip.

        With `split` only those of this side; with `documents` each has the documents of its pinned labels.
        """
        name, version = self._parsed(reference)
        return self._transport.pages(
            MemberPage,
            path_of("datasets", name, "versions", version, "members"),
            lambda got: got.members,
            by="after",
            size=page,
            parameters={"split": split, "documents": "true" if documents else None},
        )

    def difference(self, name: str, before: int, after: int) -> DifferenceView:
        """The clips that version `after` has and `before` has not, the other way round, and those that differ."""
        return self._transport.get(
            DifferenceView, path_of("datasets", name, "difference"), {"before": before, "after": after}
        )

    @contextmanager
    def opened(self, link: str) -> Iterator[Iterator[bytes]]:
        """What one of a member's links leads to, in chunks as they come."""
        with self._transport.linked(link) as response:
            yield response.iter_bytes()

    def release(self, name: str, *, reason: str) -> DatasetView:
        """Let retention erase the dataset's clips when their time is over."""
        return self._transport.post(
            DatasetView, path_of("datasets", name, "release"), request_of(ReasonRequest, reason=reason)
        )

    def keep(self, name: str, *, reason: str) -> DatasetView:
        """Keep the dataset's clips from retention."""
        return self._transport.post(
            DatasetView, path_of("datasets", name, "keep"), request_of(ReasonRequest, reason=reason)
        )

    def _parsed(self, reference: str) -> tuple[str, int]:
        name, at, version = reference.partition("@")
        if at and not (version.isascii() and version.isdigit()):
            raise InvalidInput(f"{reference[:100]!r} is not NAME@VERSION", remedy="a version is a number, as in cuts@2")
        return (name, int(version)) if at else (name, self.get(name).history[0].version)
