"""Copies objects between a store and a backup, and checks each one on the way: what cannot be copied is named."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import zstandard

from storage.backup.index import ObjectIndex, ObjectSums
from storage.backup.snapshot import NAMED_OBJECTS, file_of
from storage.objects import ObjectStore
from storage.objects.contract import ObjectExists, ObjectNotFound, ObjectUnreadable
from triggers.contracts.clip import CELL_BYTES
from triggers.errors import Untrusted

PART_BYTES = 8 * 1024**2
_NULL = "\\N"
_REPORT_EVERY = 500

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class WantedObject:
    """An object that a row of the backup names; a clip's digest checks its bytes."""

    key: str
    size_bytes: int | None
    digest: str


@dataclass
class Copied:
    """What a run did."""

    copied: int = 0
    kept: int = 0
    removed: int = 0
    missing: list[str] = field(default_factory=list)
    """Named by the rows of the backup, and not there when they were to be copied."""
    damaged: list[str] = field(default_factory=list)
    """There, but not with the bytes that were to be copied, or not readable."""


class _Damaged(Exception):
    """The bytes under this key are not those that were to be copied."""


class Content:
    """The bytes of an object as they pass by: their number, their SHA-256, and the digest that a clip of them has."""

    def __init__(self) -> None:
        self.size_bytes = 0
        self._whole = hashlib.sha256()
        self._cells = hashlib.sha256()
        self._cell = hashlib.sha256()
        self._in_cell = 0

    def take(self, chunks: Iterator[bytes]) -> None:
        """Note all chunks, which go nowhere else."""
        deque(self.of(chunks), maxlen=0)

    def of(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """The same chunks, noted."""
        for chunk in chunks:
            self.size_bytes += len(chunk)
            self._whole.update(chunk)
            self._add_cells(memoryview(chunk))
            yield chunk

    def _add_cells(self, view: memoryview) -> None:
        while view:
            part = view[: CELL_BYTES - self._in_cell]
            self._cell.update(part)
            self._in_cell += len(part)
            view = view[len(part) :]
            if self._in_cell == CELL_BYTES:
                self._end_cell()

    def _end_cell(self) -> None:
        self._cells.update(self._cell.digest())
        self._cell, self._in_cell = hashlib.sha256(), 0

    @property
    def sha256(self) -> str:
        return self._whole.hexdigest()

    def clip_digest(self) -> str:
        """The digest of a clip with these bytes; call it once, after the last chunk."""
        if self._in_cell:
            self._end_cell()
        return self._cells.hexdigest()


def wanted_objects(folder: Path) -> Iterator[WantedObject]:
    """The objects that the rows of a backup name, in no order, one at a time."""
    with file_of(folder, NAMED_OBJECTS).open("rb") as file:
        lines = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(file), "utf-8", newline="\n")
        for key, size, digest in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            yield WantedObject(key, None if size == _NULL else int(size), digest)


def save_objects(
    source: ObjectStore,
    backup: ObjectStore,
    index: ObjectIndex,
    wanted: Iterator[WantedObject],
    *,
    run: str,
    progress: Progress,
) -> Copied:
    """Copy what the backup does not have yet.

    An object that is not the one that its row describes, or cannot be read, is named and not copied: a backup must
    not keep damage in silence, nor end for it.
    """
    done = Copied()
    for number, each in enumerate(wanted, start=1):
        known = _kept(backup, index, each)
        if known is None:
            with _noting(done, each.key):
                known = _copy_in(source, backup, each)
            if known is None:
                continue
            done.copied += 1
        else:
            done.kept += 1
        index.put(each.key, *known, run=run)
        if number % _REPORT_EVERY == 0:
            progress(f"{number} objects, {done.copied} of them copied now")
    return done


def remove_objects(backup: ObjectStore, index: ObjectIndex, *, run: str) -> int:
    """Remove what a run did not need, as no row names it any more; returns how many these were."""
    removed = list(index.not_of(run))
    for key in removed:
        backup.delete(key)
        index.remove(key)
    return len(removed)


@contextmanager
def _noting(done: Copied, key: str) -> Iterator[None]:
    """Notes an object that cannot be copied; the others can."""
    try:
        yield
    except ObjectNotFound:
        done.missing.append(key)
    except (ObjectUnreadable, _Damaged):
        done.damaged.append(key)


def _kept(backup: ObjectStore, index: ObjectIndex, wanted: WantedObject) -> tuple[int, str] | None:
    """Size and SHA-256 of an object that the backup has; None when it is to be copied, though it may be noted."""
    known = index.find(wanted.key)
    if known is None or wanted.size_bytes not in (None, known[0]):
        return None
    with suppress(ObjectNotFound, ObjectUnreadable):
        if backup.stat(wanted.key).size_bytes == known[0]:
            return known
    return None


def _copy_in(source: ObjectStore, backup: ObjectStore, wanted: WantedObject) -> tuple[int, str]:
    """Copy one object, and return its size and SHA-256; _Damaged when it is not what its row describes.

    One that an earlier run copied without noting it is read and compared instead.
    """
    content = Content()
    with suppress(ObjectNotFound, ObjectUnreadable):
        if backup.stat(wanted.key).size_bytes == source.stat(wanted.key).size_bytes:
            content.take(backup.stream(wanted.key))
            if _fits(content, wanted):
                return content.size_bytes, content.sha256
            content = Content()
    backup.put_parts(wanted.key, content.of(source.stream(wanted.key, chunk_bytes=PART_BYTES)))
    if not _fits(content, wanted):
        backup.delete(wanted.key)
        raise _Damaged(wanted.key)
    return content.size_bytes, content.sha256


def _fits(content: Content, wanted: WantedObject) -> bool:
    size_fits = wanted.size_bytes in (None, content.size_bytes)
    return size_fits and (not wanted.digest or content.clip_digest() == wanted.digest)


def restore_objects(
    backup: ObjectStore,
    target: ObjectStore,
    wanted: Iterator[WantedObject],
    sums: ObjectSums,
    *,
    total: int,
    progress: Progress,
) -> Copied:
    """Copy the objects of a backup to a store; those that are there already with the same bytes are kept.

    One that the store has, but cannot read, is replaced. An object that the backup lacks, or that is not the one that
    was copied into it, is named, and does not keep the others from being restored. Untrusted when the store has another
    object under a key than the backup.
    """
    done = Copied()
    for number, each in enumerate(wanted, start=1):
        sha256 = sums.find(each.key)
        try:
            is_there, replaces = _is_there(target, each, sha256), False
        except ObjectUnreadable:  # its bytes are lost, or cannot be had now: those of the backup take their place
            is_there, replaces = False, True
        if is_there:
            done.kept += 1
        else:
            with _noting(done, each.key):
                _copy_out(backup, target, each, sha256, replaces=replaces)
                done.copied += 1
        if number % _REPORT_EVERY == 0:
            progress(f"{number} of {total} objects")
    return done


def _copy_out(
    backup: ObjectStore, target: ObjectStore, wanted: WantedObject, sha256: str | None, *, replaces: bool
) -> None:
    key = wanted.key
    checked = Content()
    checked.take(backup.stream(key))
    if not _is_same(checked, wanted, sha256):
        raise _Damaged(key)
    try:
        target.put_parts(key, backup.stream(key, chunk_bytes=PART_BYTES), if_absent=not replaces)
    except ObjectExists as error:
        raise Untrusted(
            f"the object store has another object under {key} than the backup", remedy="restore into an empty store"
        ) from error


def _is_there(store: ObjectStore, wanted: WantedObject, sha256: str | None) -> bool:
    content = Content()
    try:
        if store.stat(wanted.key).size_bytes != wanted.size_bytes and wanted.size_bytes is not None:
            return False
        content.take(store.stream(wanted.key))
    except ObjectNotFound:
        return False
    return _is_same(content, wanted, sha256)


def _is_same(content: Content, wanted: WantedObject, sha256: str | None) -> bool:
    """Whether these bytes are those that were copied, or where no sum tells them, such as the row describes."""
    return content.sha256 == sha256 if sha256 is not None else _fits(content, wanted)
