"""What the users of processes may reach in a data directory, given by root before a process becomes its user.

    keys/             the signer's (root.pem stays root's)       run/signer.sock   the API's
    spool/, extraction/   ingest's                               objects/          ingest's; the API reads them
    backtests/        the API's

Everything else stays root's. A tree that has its owner is not walked again.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from fleet_api.deployment.users.process_users import ProcessUser, user_of
from fleet_api.signing.list_keys import list_key_files
from storage.objects import store_directory
from storage.settings import Settings
from triggers.errors import Misconfigured
from triggers.private_files import private_folder
from triggers.processes.jail.privileges import Account

_NO_FOLLOW = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_SHARED_FOLDER, _SHARED_FILE = 0o2750, 0o640
_PRIVATE_FOLDER, _PRIVATE_FILE = 0o700, 0o600


def prepare(settings: Settings, user: ProcessUser) -> None:
    """Give a process's user what it needs. Misconfigured, naming the path, where that cannot be."""
    try:
        _STEPS[user.process](settings, user.account)
    except OSError as error:
        raise Misconfigured(
            f"user {user.account.uid} of {user.process} cannot be given {error.filename}: {error.strerror or error}",
            remedy="choose a data directory on a file system with owners, or run longtail as an ordinary user",
        ) from error


def let_pass(settings: Settings) -> None:
    """Let users pass through the data directory, in which every folder decides for itself."""
    folder = settings.data_dir
    if folder is not None and folder.is_dir():
        mode = stat.S_IMODE(folder.stat().st_mode)
        if mode & 0o111 != 0o111:
            folder.chmod(mode | 0o111)


def take_back(settings: Settings) -> None:
    """Root works as ingest: once that has its user again, what root has written is given to it with all the rest."""
    folders = [store_directory(settings)]
    if settings.data_dir is not None:
        folders += [settings.data_dir / "spool", settings.data_dir / "extraction"]
    for folder in folders:
        if folder is not None and folder.is_dir() and folder.stat().st_uid != 0:
            os.chown(folder, 0, -1)


def _prepare_api(settings: Settings, account: Account) -> None:
    _share_objects(settings)
    if settings.data_dir is not None:
        _give_folder(settings.data_dir / "backtests", account)
    path = settings.signer_socket
    if path is None or not path.is_socket():
        return
    os.chown(path, account.uid, account.gid, follow_symlinks=False)
    folder = path.parent.stat()
    if folder.st_uid == 0 and not folder.st_mode & 0o077:  # made by the signer, for nobody else
        os.chown(path.parent, 0, account.gid)
        path.parent.chmod(0o710)


def _prepare_gateway(_settings: Settings, _account: Account) -> None:
    """It keeps nothing on disk."""


def _prepare_ingest(settings: Settings, account: Account) -> None:
    for name in ("spool", "extraction"):
        _give_folder(settings.require_data_dir() / name, account)
    _share_objects(settings)


def _give_folder(folder: Path, account: Account) -> None:
    private_folder(folder)
    _adopt(folder, account.uid, account.gid, _PRIVATE_FOLDER, _PRIVATE_FILE)


def _prepare_signer(settings: Settings, account: Account) -> None:
    """The keys in the deployment's own folder. Those elsewhere are read before the process becomes its user."""
    if settings.data_dir is None or not (folder := settings.data_dir / "keys").is_dir():
        return
    os.chown(folder, 0, account.gid)
    folder.chmod(0o750)
    for path in (settings.effective_signing_key(), *list_key_files(settings)):
        if path.parent == folder and path.is_file():
            os.chown(path, account.uid, account.gid, follow_symlinks=False)


_STEPS = {"api": _prepare_api, "gateway": _prepare_gateway, "ingest": _prepare_ingest, "signer": _prepare_signer}


def _share_objects(settings: Settings) -> None:
    """Objects in a directory are ingest's, and the API's to read: files in a folder have the folder's group."""
    directory = store_directory(settings)
    api, ingest = user_of(settings, "api"), user_of(settings, "ingest")
    if directory is None or (api is None and ingest is None):
        return
    if not (directory / "data").is_dir():
        _make_store(settings)
    if directory.is_dir():
        reader = api or ingest
        assert reader is not None  # noqa: S101 - checked above
        owner = 0 if ingest is None else ingest.account.uid
        _adopt(directory, owner, reader.account.gid, _SHARED_FOLDER, _SHARED_FILE)


def _make_store(settings: Settings) -> None:
    if not settings.database_url:
        return
    from storage.database import Database  # noqa: PLC0415 - the signer prepares its user, too, and has no database
    from storage.objects.catalog_store import open_store_of_catalog  # noqa: PLC0415

    database = Database(settings.database_url, pool_size=1)
    try:
        open_store_of_catalog(settings, database)
    finally:
        database.close()


def _adopt(top: Path, uid: int, gid: int, folder_mode: int, file_mode: int) -> None:
    """Give a tree to a user, the top last. Links are not followed, and a file with another name elsewhere is left."""
    known = top.stat()
    if (known.st_uid, known.st_gid, stat.S_IMODE(known.st_mode)) == (uid, gid, folder_mode):
        return
    for folder, _, files, descriptor in os.fwalk(top, topdown=False):
        for name in files:
            with _opened(name, descriptor) as file:
                if stat.S_ISREG(os.fstat(file).st_mode) and os.fstat(file).st_nlink == 1:
                    os.fchown(file, uid, gid)
                    os.fchmod(file, file_mode)
        if Path(folder) != top:
            os.fchown(descriptor, uid, gid)
            os.fchmod(descriptor, folder_mode)
    os.chown(top, uid, gid)
    top.chmod(folder_mode)


@contextlib.contextmanager
def _opened(name: str, folder: int) -> Iterator[int]:
    try:
        descriptor = os.open(name, _NO_FOLLOW, dir_fd=folder)
    except (FileNotFoundError, OSError):
        yield folder
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)
