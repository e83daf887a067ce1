"""The export of a version: one walk over its members, which are checked against the version's digest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal

from fleet_api.client.datasets.export import folder as folders
from fleet_api.client.datasets.export import rows, shards
from fleet_api.client.datasets.subject import Datasets
from triggers.contracts.api.datasets.versions import SPLITS, MemberView, Split, VersionView, canonical_member
from triggers.errors import Untrusted

Format = Literal["parquet", "mcap", "webdataset", "geoparquet"]
FORMATS: tuple[Format, ...] = ("parquet", "mcap", "webdataset", "geoparquet")
MANIFEST = "manifest.parquet"
ITEMS = "items.parquet"
CLIPS = "clips"
SHARDS = "shards"
Files = dict[str, str]
"""By clip, the file that it is in, relative to the folder."""


@dataclass
class Progress:
    """How far an export is. `fetched` and `reused` count files; a reused one was whole in the folder already.

    `superseded` counts derived files that the catalog no longer has as they were frozen, because they were derived
    again, or whose digest was not kept.
    """

    clips: int
    done: int = 0
    fetched: int = 0
    reused: int = 0
    fetched_bytes: int = 0
    erased: int = 0
    superseded: int = 0
    files: Files = field(default_factory=dict)


def export(
    datasets: Datasets, reference: str, folder: Path, kind: Format, told: Callable[[Progress], None] = lambda _: None
) -> Progress:
    """Export `NAME` or `NAME@VERSION` to a folder; what is whole there, by its hash, is not fetched again.

    `told` is called after each clip or shard. Conflict when the folder has something else; Untrusted when a file
    or the list of members is not what the version has; Misconfigured when a file cannot be written; Forbidden when
    files are asked for that are withheld, which tables do not need.
    """
    version = datasets.version(reference)
    progress = Progress(version.clips)
    with folders.opened(folder, version):
        run = _Run(datasets, version, folder, progress, told)
        if kind == "mcap":
            run.clips()
        elif kind == "webdataset":
            run.shards()
        if kind == "geoparquet":
            rows.write_items(folder / ITEMS, version, run.rows())
        else:
            rows.write_manifest(folder / MANIFEST, version, run.rows())
    return progress


class _Run:
    def __init__(
        self,
        datasets: Datasets,
        version: VersionView,
        folder: Path,
        progress: Progress,
        told: Callable[[Progress], None],
    ) -> None:
        self._datasets = datasets
        self._version = version
        self._reference = f"{version.name}@{version.version}"
        self._folder = folder
        self._progress = progress
        self._told = told

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows of all members; Untrusted at the end when they do not have the version's digest."""
        hashed = hashlib.sha256()
        self._progress.erased = 0
        for member in self._datasets.members(self._reference):
            hashed.update(canonical_member(member))
            if member.clip is None:
                self._progress.erased += 1
                self._leave_out(member.clip_id)
            yield rows.row_of(member, self._progress.files.get(member.clip_id))
        if hashed.hexdigest() != self._version.digest:
            raise Untrusted(
                f"the members of {self._reference} have the digest {hashed.hexdigest()}, and the version has "
                f"{self._version.digest}",
                remedy="ask an operator to look into it: the members of a version never change",
            )
        self._progress.done = self._progress.clips
        self._told(self._progress)

    def clips(self) -> None:
        """Fetch the recording of each member that is not erased; one that was exported before its erasure goes."""
        for member in self._datasets.members(self._reference):
            name = "/".join([CLIPS, *([member.split] if member.split else []), f"{member.clip_id}.mcap"])
            if member.clip is not None:
                self._clip(member, name)
            else:
                self._remove(name)
            self._progress.done += 1
            self._told(self._progress)

    def _remove(self, name: str) -> None:
        with folders.writing(self._folder / name):
            (self._folder / name).unlink(missing_ok=True)

    def _leave_out(self, clip_id: str) -> None:
        """Remove the recording of a clip erased since it was fetched; the next export makes its shard again."""
        name = self._progress.files.get(clip_id, "")
        if name.startswith(f"{CLIPS}/"):
            self._remove(name)
            del self._progress.files[clip_id]

    def _clip(self, member: MemberView, name: str) -> None:
        target = self._folder / name
        self._progress.files[member.clip_id] = name
        if folders.digest_of(target) == member.digest:
            self._progress.reused += 1
            return
        with folders.whole(target) as file:
            self._fetch(shards.recording_of(member), member.digest, f"clip {member.clip_id}", file)
        self._progress.fetched += 1

    def shards(self) -> None:
        """Write the shards of each split, one split after the other."""
        sides: list[Split | None] = [side for side in SPLITS if side in self._version.splits] or [None]
        for side in sides:
            of_side = self._datasets.members(self._reference, split=side, documents=True)
            for number, group in enumerate(shards.shards(of_side)):
                self._shard(f"{SHARDS}/{self._version.name}-{side or 'all'}-{number:06d}.tar", group)

    def _shard(self, name: str, group: list[MemberView]) -> None:
        there = [member for member in group if member.clip is not None]
        for member in there:
            self._progress.files[member.clip_id] = name
            self._progress.superseded += sum(asset.name not in member.links for asset in member.assets)
        if shards.write_shard(self._folder / name, group, self._fetch):
            self._progress.fetched += 1
        elif there:
            self._progress.reused += 1
        self._progress.done += len(group)
        self._told(self._progress)

    def _fetch(self, link: str, digest: str, what: str, file: BinaryIO) -> int:
        with self._datasets.opened(link) as chunks:
            size_bytes = folders.write_checked(chunks, file, digest=digest, what=what)
        self._progress.fetched_bytes += size_bytes
        return size_bytes
