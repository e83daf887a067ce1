"""Objects in a directory: atomic, durable, shared by the processes of one machine (or of a POSIX network file system).

An object is written to a file in `.tmp`, synced, and only then given its name: by `link` when it must not replace
another, by `rename` when it may. The name is synced too before a write returns. Layout of the directory:

    data/           the objects; names.py says how keys become names
    .tmp/           files being written; what a crash left is removed a day later
    .link-secret    the key of the signed links (mode 0600)
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from storage.objects import names
from storage.objects.contract import (
    LEFTOVER_AGE_S,
    ObjectExists,
    ObjectInfo,
    ObjectNotFound,
    checked_key,
    checked_parts,
    checked_range,
)
from storage.objects.directory import links
from storage.objects.directory.errors import reaching, reading
from storage.objects.directory.listing import listed
from triggers.errors import InvalidInput, Misconfigured, Unreachable

_NAMING_ATTEMPTS = 16
_COPY_BYTES = 1024**2


class DirectoryStore:
    """An ObjectStore in the directory `root`; `public_url` is where links to its objects are served.

    One that is not there and not to be made (`create`) is Unreachable, as one that goes away later, until it is back.
    """

    def __init__(self, root: Path, *, public_url: str, create: bool = True) -> None:
        self.root = root
        self._data = root / "data"
        self._tmp = root / ".tmp"
        self._public_url = public_url
        self._secret: bytes | None = None
        with reaching(root):
            if not create and not self._data.is_dir() and (root.is_dir() or not root.exists()):
                return
            _make_directory(root, mode=0o700)
            _make_directory(self._data)
            _make_directory(self._tmp)
            self._secret = self._shared_secret(root / ".link-secret")

    def put(self, key: str, data: bytes, *, if_absent: bool = False) -> ObjectInfo:
        """Write an object in one piece; see ObjectStore."""
        return self._write(key, (data,), if_absent=if_absent)

    def put_parts(self, key: str, parts: Iterable[bytes], *, if_absent: bool = False) -> ObjectInfo:
        """Write an object as its parts come; see ObjectStore."""
        return self._write(key, checked_parts(parts), if_absent=if_absent)

    def get(self, key: str, *, start: int = 0, length: int | None = None) -> bytes:
        """Bytes `[start, start + length)`; see ObjectStore."""
        checked_range(start, length)
        path = self._path(key)
        with self._existing(key), path.open("rb") as file:
            size_bytes = os.fstat(file.fileno()).st_size
            file.seek(min(start, size_bytes))
            return file.read(size_bytes if length is None else min(length, size_bytes))

    def stream(self, key: str, *, chunk_bytes: int = _COPY_BYTES) -> Iterator[bytes]:
        """The object's bytes in chunks; see ObjectStore. A replaced object is read to its end as it was."""
        if chunk_bytes < 1:
            raise InvalidInput(f"chunk_bytes is {chunk_bytes}, but must be at least 1")
        self.stat(key)
        return self._chunks(key, chunk_bytes)

    def stat(self, key: str) -> ObjectInfo:
        """Size of an object; see ObjectStore."""
        path = self._path(key)
        with self._existing(key):
            return ObjectInfo(key, path.stat().st_size)

    def list(self, prefix: str = "", *, after: str = "", limit: int = 1000) -> list[ObjectInfo]:
        """Objects in byte order of their keys; see ObjectStore."""
        if limit < 1:
            raise InvalidInput(f"limit is {limit}, but must be at least 1")
        with reaching(self.root):
            self._require_data()
            return listed(self._data, prefix, after, limit)

    def delete(self, key: str) -> None:
        """Remove an object, and the directories that it leaves empty; see ObjectStore."""
        path = self._path(key)
        with reaching(self.root):
            self._require_data()
            try:
                path.unlink()
            except FileNotFoundError:
                return
            self._remove_empty_parents(path)

    @property
    def tiers(self) -> None:
        """A directory has no storage classes."""

    def link(self, key: str, *, expires_s: int) -> str:
        """A signed URL of the API that reads the object; see ObjectStore."""
        return links.signed_link(self._link_secret(), self._public_url, key, expires_s)

    def verify_link(self, key: str, *, expires_unix_s: int, signature: str) -> None:
        """Raises Untrusted unless this store signed a link with this expiry for this key, and it has not expired."""
        links.verify(self._link_secret(), checked_key(key), expires_unix_s, signature)

    def remove_leftovers(self, *, older_than_s: float = LEFTOVER_AGE_S) -> int:
        """Remove what crashed processes left in `.tmp`; see ObjectStore."""
        oldest_unix_s = time.time() - older_than_s
        removed = 0
        with reaching(self.root):
            self._require_data()
            for entry in os.scandir(self._tmp):
                with suppress(FileNotFoundError):  # another process tidies at the same time
                    if entry.stat().st_mtime < oldest_unix_s:
                        Path(entry.path).unlink()
                        removed += 1
        return removed

    def check(self) -> str:
        """Write, name and remove a file, and say how much room is left."""
        self._require_data()
        with self._temporary() as (path, descriptor), reaching(self.root):
            _write_all(descriptor, b"longtail")
            os.fsync(descriptor)
            probe = path.with_suffix(".link")
            os.link(path, probe)
            probe.unlink()
            free_gb = shutil.disk_usage(self.root).free / 1e9
        return f"objects in the directory {self.root}, writable, {free_gb:.1f} GB free"

    def _path(self, key: str) -> Path:
        return self._data / names.disk_path(checked_key(key))

    def _chunks(self, key: str, chunk_bytes: int) -> Iterator[bytes]:
        with self._existing(key), self._path(key).open("rb", buffering=0) as file:
            while chunk := file.read(chunk_bytes):
                yield chunk

    def _write(self, key: str, parts: Iterable[bytes], *, if_absent: bool) -> ObjectInfo:
        target = self._path(key)
        self._require_data()
        size_bytes = 0
        with self._temporary() as (temporary, descriptor):
            for part in parts:  # an error of the caller's iterator stays what it is
                with reaching(self.root):
                    _write_all(descriptor, part)
                size_bytes += len(part)
            with reaching(self.root):
                os.fsync(descriptor)
                self._give_name(temporary, target, key, if_absent=if_absent)
        return ObjectInfo(key, size_bytes)

    @contextmanager
    def _temporary(self) -> Iterator[tuple[Path, int]]:
        """A new file in `.tmp`, open for writing; its name there is gone afterwards, whatever happened."""
        path = self._tmp / f"{os.getpid()}-{secrets.token_hex(12)}"
        with reaching(self.root):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        try:
            yield path, descriptor
        finally:
            with reaching(self.root):
                os.close(descriptor)
                path.unlink(missing_ok=True)

    def _give_name(self, temporary: Path, target: Path, key: str, *, if_absent: bool) -> None:
        """Make the synced file the object; tried again when a `delete` removes the directory underneath."""
        for _ in range(_NAMING_ATTEMPTS):
            self._make_parents(target)
            try:
                if if_absent:
                    os.link(temporary, target)
                else:
                    temporary.replace(target)
            except FileExistsError as error:
                raise ObjectExists(f"the object {key!r} exists already") from error
            except FileNotFoundError:
                self._require_data()
                if not temporary.exists():
                    raise
            else:
                self._sync_parents(target)
                return
        raise Unreachable(f"other processes keep removing the directory of the object {key!r}")

    def _make_parents(self, target: Path) -> None:
        """Create the directories of `target` below `data`; `data` itself is never created here."""
        missing = []
        folder = target.parent
        while folder != self._data and not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for folder in reversed(missing):
            with suppress(FileExistsError, FileNotFoundError):  # others create and remove it; naming the file decides
                folder.mkdir()

    def _sync_parents(self, target: Path) -> None:
        """Make the name of `target` durable, and those of its directories, whichever process created them."""
        for folder in target.parents:
            with suppress(FileNotFoundError):  # the object was deleted again, and its directory with it
                _sync_directory(folder)
            if folder == self._data:
                break

    def _remove_empty_parents(self, path: Path) -> None:
        for folder in path.parents:
            if folder == self._data:
                break
            try:
                folder.rmdir()
            except OSError:  # not empty, or gone already: another process wrote there, or tidied
                break
        with suppress(FileNotFoundError):
            _sync_directory(folder)

    def _require_data(self) -> None:
        """Unreachable when the directory went away (an unmounted disk must not look like an empty store)."""
        if not self._data.is_dir():
            raise Unreachable(
                f"the object store's directory {self.root} is not there any more",
                remedy="mount or restore it (LONGTAIL_OBJECTS_URL)",
            )

    @contextmanager
    def _existing(self, key: str) -> Iterator[None]:
        with reaching(self.root), reading(self.root, key):
            try:
                yield
            except (FileNotFoundError, NotADirectoryError) as error:
                self._require_data()
                raise ObjectNotFound(f"there is no object {key!r}") from error

    def _link_secret(self) -> bytes:
        if self._secret is None:  # the directory was not there when the store was opened
            self._require_data()
            with reaching(self.root):
                self._secret = self._shared_secret(self.root / ".link-secret")
        return self._secret

    def _shared_secret(self, path: Path) -> bytes:
        """The secret in `path`; made by the first process that opens the store."""
        if not path.exists():
            with self._temporary() as (temporary, descriptor):
                os.fchmod(descriptor, 0o600)
                _write_all(descriptor, secrets.token_bytes(links.SECRET_BYTES))
                os.fsync(descriptor)
                with suppress(FileExistsError):
                    os.link(temporary, path)
                _sync_directory(self.root)
        secret = path.read_bytes()
        if len(secret) != links.SECRET_BYTES:
            raise Misconfigured(
                f"{path} is not the key of the signed links ({len(secret)} bytes)",
                remedy="remove it (links issued so far become invalid)",
            )
        return secret


def _make_directory(path: Path, *, mode: int = 0o777) -> None:
    """Create one directory, durably; its parent must exist. Who may read clips is decided at the root."""
    try:
        path.mkdir(mode)
    except FileExistsError:
        if not path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path)) from None
    else:
        _sync_directory(path.parent)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
