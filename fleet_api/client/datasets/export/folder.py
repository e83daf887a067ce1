"""The folder of an export: which version it has, one export at a time, and files that appear when they are whole."""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from triggers.atomic_file import replace_text
from triggers.contracts.api.datasets.versions import VersionView
from triggers.errors import Conflict, Misconfigured, Untrusted

ABOUT = "dataset.json"
_LOCK = ".export.lock"
_CHUNK_BYTES = 1024**2


@contextmanager
def opened(folder: Path, version: VersionView) -> Iterator[None]:
    """Make the folder, or take the one that has this version already, and keep other exports out of it.

    Conflict for a folder with another version, or one that another export writes to; Misconfigured when it cannot be
    written.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / _LOCK).open("wb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Conflict(f"another export writes to {folder}", remedy="wait until it has ended") from error
            _require_version(folder / ABOUT, version)
            yield


@contextmanager
def writing(target: Path) -> Iterator[None]:
    """Misconfigured, naming what is written, when the system refuses it."""
    try:
        yield
    except OSError as error:
        raise Misconfigured(
            f"{error.filename or target}: cannot be written ({error.strerror})",
            remedy="free space, or choose another folder; what is whole is not fetched again",
        ) from error


def _require_version(about: Path, version: VersionView) -> None:
    mine = {"name": version.name, "version": version.version, "digest": version.digest}
    if about.exists():
        try:
            there = json.loads(about.read_text("utf-8"))
            there = {name: there.get(name) for name in mine}
        except (ValueError, AttributeError) as error:
            raise Conflict(f"{about} is not that of an export", remedy="choose another folder") from error
        if there != mine:
            raise Conflict(
                f"{about.parent} has {there['name']}@{there['version']} with the digest {there['digest']}, "
                f"not {version.name}@{version.version}",
                remedy="choose another folder",
            )
    stated = version.model_dump(mode="json", exclude={"erased"})
    replace_text(about, json.dumps(stated, indent=2, ensure_ascii=False) + "\n")


def digest_of(path: Path) -> str | None:
    """The SHA-256 of a file in hex; None where there is no file."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None


@contextmanager
def whole(target: Path) -> Iterator[BinaryIO]:
    """A file to write to, which appears as `target` when the block ends, and not at all when it raises."""
    part = target.with_name(f".{target.name}.part")
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("w+b") as file:
                yield file
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)


def write_checked(chunks: Iterable[bytes], file: BinaryIO, *, digest: str, what: str) -> int:
    """Write bytes as they come; returns how many. Untrusted when they do not have this SHA-256."""
    hashed, size_bytes = hashlib.sha256(), 0
    for chunk in chunks:
        hashed.update(chunk)
        file.write(chunk)
        size_bytes += len(chunk)
    if hashed.hexdigest() != digest:
        raise Untrusted(
            f"{what} came with the SHA-256 {hashed.hexdigest()}, and the dataset has {digest}",
            remedy="export again; if that does not help, ask an operator to run `longtail doctor --full`",
        )
    return size_bytes
