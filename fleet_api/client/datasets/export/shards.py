"""A WebDataset: tar files of samples (https://github.com/webdataset/webdataset), the same bytes each time.

A sample is a clip's files under its id: `.mcap`, `.json`, `.labels.json` if it has pinned labels, and those of its
derived files that are still the frozen ones, such as `.signals.parquet`. A shard is reused when it was made from the
same files, which stands beside it, and when its bytes have the hash that stands there, too.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from fleet_api.client.clips.clip import require_not_withheld
from fleet_api.client.datasets.export.folder import digest_of, whole, writing
from triggers.atomic_file import replace_text
from triggers.contracts.api.clips import RECORDING_ASSET
from triggers.contracts.api.datasets.versions import MemberView
from triggers.contracts.base import canonical_json
from triggers.contracts.media_types import with_ending
from triggers.errors import Untrusted

SHARD_BYTES = 256 * 1024**2
"""How many bytes of recordings a shard has before the next one begins."""
SHARD_SAMPLES = 1000
_STABLE = ("id", "vehicle", "recording_id", "start_ns", "end_ns", "box", "attributes", "fires")
"""What a sample's JSON says of its clip: what does not change afterwards."""
Fetch = Callable[[str, str, str, BinaryIO], int]
"""Writes what a link leads to, checks its SHA-256, and returns its bytes: `(link, digest, what, file)`."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a sample: its name, and where it is from: bytes, or a link with the SHA-256 of what it leads to."""

    name: str
    digest: str
    content: bytes | None = None
    link: str | None = None


def shards(members: Iterable[MemberView]) -> Iterator[list[MemberView]]:
    """Members in groups, each a shard. Erased ones count, so that the others stay in their shards."""
    group: list[MemberView] = []
    size_bytes = 0
    for member in members:
        group.append(member)
        size_bytes += member.size_bytes
        if size_bytes >= SHARD_BYTES or len(group) == SHARD_SAMPLES:
            yield group
            group, size_bytes = [], 0
    if group:
        yield group


def write_shard(target: Path, members: Iterable[MemberView], fetch: Fetch) -> bool:
    """Write a shard of the members that are not erased; whether that had to be done. A shard of none is not written."""
    entries = [entry for member in members if member.clip is not None for entry in entries_of(member)]
    plan = hashlib.sha256(canonical_json([[entry.name, entry.digest] for entry in entries])).hexdigest()
    about = target.with_name(f"{target.name}.json")
    if not entries:
        with writing(target):
            target.unlink(missing_ok=True)
            about.unlink(missing_ok=True)
        return False
    if _is_whole(target, about, plan):
        return False
    # PAX is USTAR but for names of more than 100 characters, as a camera's preview may have.
    with whole(target) as file, tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for entry in entries:
            _add(tar, entry, target, fetch)
    digest = digest_of(target)
    with writing(about):
        replace_text(about, json.dumps({"plan": plan, "sha256": digest, "files": len(entries)}) + "\n")
    return True


def _is_whole(target: Path, about: Path, plan: str) -> bool:
    try:
        stated = json.loads(about.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return False
    return isinstance(stated, dict) and stated.get("plan") == plan and stated.get("sha256") == digest_of(target)


def recording_of(member: MemberView) -> str:
    """The link to a member's recording; Forbidden, with the reason, to one who sees place cells only."""
    require_not_withheld(f"clip {member.clip_id}", member.withheld, RECORDING_ASSET)
    return member.links[RECORDING_ASSET]


def entries_of(member: MemberView) -> list[Entry]:
    """The files of a sample, in the order in which they stand in the tar file.

    Untrusted when a pinned label is not the document that it was; Forbidden when something is withheld.
    """
    about = {"split": member.split, "digest": member.digest, "size_bytes": member.size_bytes, **_stable(member)}
    files = [
        Entry(f"{member.clip_id}.mcap", member.digest, link=recording_of(member)),
        _json(f"{member.clip_id}.json", about),
    ]
    if member.labels:
        files.append(_json(f"{member.clip_id}.labels.json", _labels(member)))
    for asset in member.assets:
        if asset.digest is not None and asset.name in member.links:
            # What follows the first dot of a name is the kind of the file, in a WebDataset.
            name = f"{member.clip_id}.{with_ending(asset.name, asset.media_type)}"
            files.append(Entry(name, asset.digest, link=member.links[asset.name]))
    return files


def _stable(member: MemberView) -> dict[str, Any]:
    return {} if member.clip is None else member.clip.model_dump(mode="json", include=set(_STABLE))


def _labels(member: MemberView) -> list[dict[str, Any]]:
    frozen = {label.id: label.digest for label in member.labels}
    documents = {label.id: label for label in member.label_documents}
    for label_id, digest in frozen.items():
        document = documents.get(label_id)
        if document is None or hashlib.sha256(canonical_json(document.openlabel)).hexdigest() != digest:
            raise Untrusted(
                f"label {label_id} of clip {member.clip_id} is not the document that the dataset has",
                remedy="ask an operator who changed it: `longtail audit` has every change",
            )
    fields = {"id", "labeler", "types", "openlabel", "provenance", "created_at"}
    return [documents[label_id].model_dump(mode="json", include=fields) for label_id in frozen]


def _json(name: str, value: object) -> Entry:
    content = canonical_json(value)
    return Entry(name, hashlib.sha256(content).hexdigest(), content=content)


def _add(tar: tarfile.TarFile, entry: Entry, target: Path, fetch: Fetch) -> None:
    if entry.link is None:
        content = entry.content or b""
        tar.addfile(_info(entry.name, len(content)), io.BytesIO(content))
        return
    # A tar file states the size before the bytes, so that they are fetched, and checked, before they are in it.
    aside = target.with_name(f".{target.name}.fetched")
    try:
        with aside.open("w+b") as file:
            size_bytes = fetch(entry.link, entry.digest, entry.name, file)
            file.seek(0)
            tar.addfile(_info(entry.name, size_bytes), file)
    finally:
        aside.unlink(missing_ok=True)


def _info(name: str, size_bytes: int) -> tarfile.TarInfo:
    """The header of a file: without times, owners and whatever else differs from run to run."""
    info = tarfile.TarInfo(name)
    info.size = size_bytes
    info.mode = 0o644
    return info
