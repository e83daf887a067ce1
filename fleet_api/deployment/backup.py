"""Backups of a whole deployment, made while it runs: the database, then the objects, and the keys.

The database comes first: an object is written before the row that names it and never changes, so the objects that are
copied afterwards include every one that a row of the backup names. A folder has one backup. Another run brings it up to
date, and copies only objects that it does not have; a run that was cut off is continued by the next.

    backup.json        what the backup is, written last: it always describes whole files
    database-TIME/     a file per table              keys-TIME/   the signing key and the list keys
    objects/           the objects, as a directory store has them       objects.sqlite   their sizes and SHA-256

Keys of one name can change between two runs, so each run writes its own. Older versions (format 1) had them in `keys/`.
"""

from __future__ import annotations

import errno
import json
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from fleet_api.deployment.backup_keys import own_keys, save_keys, signing_key_id
from storage.backup.index import ObjectIndex
from storage.backup.objects import Copied, remove_objects, save_objects, wanted_objects
from storage.backup.snapshot import SavedDatabase, SavedTable, origin_of, save
from storage.database import Database
from storage.diagnosis.objects import unknown_object_keys
from storage.diagnosis.schema import require_current
from storage.embedded.locks import FileLock
from storage.objects import DirectoryStore
from storage.objects.catalog_store import open_store_of_catalog
from storage.settings import Settings
from triggers.atomic_file import replace_text
from triggers.errors import Conflict, InvalidInput, Misconfigured, Unreachable, Untrusted

FORMAT = 2
READ_FORMATS = (1, FORMAT)
NAME = "backup.json"
_MARK = ".longtail-backup"
_INDEX = "objects.sqlite"
_KEYS = "keys"
_OWN_FOLDERS = ("postgres", "objects", "keys", "spool", "logs")

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Backup:
    """What `backup.json` says."""

    id: str
    longtail: str
    database: SavedDatabase
    database_folder: str
    keys_folder: str
    objects: int
    objects_bytes: int
    erased: tuple[str, ...]
    """Objects that rows of the backup name, but that were erased before they could be copied."""
    damaged: tuple[str, ...]
    """Objects that were missing or not what their rows describe; the backup does not have them."""
    key: str
    """Id of the signing key, which is in the backup; empty where the deployment has none, as people sign bundles."""
    origin: str | None
    """What tells its deployment from all others (see `origin_of`), empty when it had nothing to tell it by; None in
    the backups of older versions."""


def make_backup(settings: Settings, folder: Path, progress: Progress) -> tuple[Backup, Copied]:
    """Make a backup in `folder`, or bring the one there up to date.

    1. write the rows and then the keys to folders of their own, then copy the objects that the rows name
    2. describe all of this in `backup.json`: until then the backup of before is whole
    3. remove what only that one needed

    Conflict when the folder holds something else, such as the backup of another deployment, or another run writes
    there; Unreachable when it cannot be written (it continues another time); Misconfigured when a key cannot be read.
    """
    _require_elsewhere(settings, folder)
    database = Database(settings.require_database_url(), pool_size=2)
    try:
        require_current(database)
        own_keys(settings, database)  # one that cannot be read ends the run before anything is copied
        with _writing(folder), _taken(folder):
            origin = origin_of(database)
            _require_same_deployment(settings, folder, origin)
            run = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
            rows = folder / f"database-{run}"
            rows.mkdir(mode=0o700)
            saved = save(database, rows)
            progress(f"database: {sum(table.rows for table in saved.tables)} rows of {len(saved.tables)} tables")
            # after the rows: a key that one of them names is never made after it
            key, keys = signing_key_id(settings), folder / f"{_KEYS}-{run}"
            save_keys(own_keys(settings, database), keys)
            with ObjectIndex(folder / _INDEX) as index:
                store = store_of(folder)
                source = open_store_of_catalog(settings, database)
                done = save_objects(source, store, index, wanted_objects(rows), run=run, progress=progress)
                count, size_bytes = index.totals(run)
                erased, damaged = _sorted_out(database, done)
                backup = Backup(
                    id=run,
                    longtail=metadata.version("longtail"),
                    database=saved,
                    database_folder=rows.name,
                    keys_folder=keys.name,
                    objects=count,
                    objects_bytes=size_bytes,
                    erased=erased,
                    damaged=damaged,
                    key=key,
                    origin=origin,
                )
                replace_text(folder / NAME, json.dumps(asdict(backup) | {"format": FORMAT}, default=str, indent=1))
                done.removed = remove_objects(store, index, run=run)
            _forget_older(folder, backup)
    finally:
        database.close()
    return backup, done


def read_backup(folder: Path) -> Backup:
    """What a folder's backup is. Misconfigured when it has none, Untrusted when its description is damaged."""
    try:
        content = json.loads((folder / NAME).read_bytes())
    except OSError as error:
        state = "was begun there, but never finished" if (folder / _MARK).exists() else "is not there"
        raise Misconfigured(
            f"a backup {state}: {folder / NAME} cannot be read ({error.strerror})",
            remedy="name the folder of a `longtail backup` that was finished",
        ) from error
    except ValueError as error:
        raise Untrusted(f"{folder / NAME} is damaged ({error})", remedy="use another backup") from error
    if not isinstance(content, dict):
        raise Untrusted(f"{folder / NAME} is damaged (it is not a JSON object)", remedy="use another backup")
    if content.get("format") not in READ_FORMATS:
        raise Misconfigured(
            f"{folder / NAME} has the format {content.get('format')}, this version of Longtail reads up to {FORMAT}",
            remedy=f"install longtail {content.get('longtail')}, which made the backup",
        )
    return _parsed(content, folder)


def store_of(folder: Path, *, create: bool = True) -> DirectoryStore:
    """The objects of the backup in a folder."""
    return DirectoryStore(folder / "objects", public_url="", create=create)


def index_of(folder: Path) -> Path:
    """The index of these objects."""
    return folder / _INDEX


@contextmanager
def nobody_writes(folder: Path) -> Iterator[None]:
    """Keep runs away from a folder while its backup is read; Conflict when one writes there.

    Where the folder cannot be written, as on a medium that is mounted for reading, no run does.
    """
    mark = folder / _MARK
    try:
        lock = FileLock(mark) if mark.exists() else None
    except OSError:
        lock = None
    if lock is None:
        yield
        return
    try:
        _acquire(lock, folder)
        yield
    finally:
        lock.close()


def _acquire(lock: FileLock, folder: Path) -> None:
    if not lock.try_acquire():
        raise Conflict(f"another run writes the backup in {folder}", remedy="wait until it has ended")


def _parsed(content: dict[str, Any], folder: Path) -> Backup:
    try:
        stored = content["database"]
        tables = tuple(SavedTable(**table | {"columns": tuple(table["columns"])}) for table in stored["tables"])
        database = SavedDatabase(stored["revision"], datetime.fromisoformat(stored["taken_at"]), tables)
        return Backup(
            id=content["id"],
            longtail=content["longtail"],
            database=database,
            database_folder=content["database_folder"],
            keys_folder=_KEYS if content["format"] == 1 else content["keys_folder"],
            objects=content["objects"],
            objects_bytes=content["objects_bytes"],
            erased=tuple(content["erased"]),
            damaged=tuple(content["damaged"]),
            key=content["key"],
            origin=content.get("origin"),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Untrusted(f"{folder / NAME} is damaged ({error!r})", remedy="use another backup") from error


def _require_elsewhere(settings: Settings, folder: Path) -> None:
    """A backup among the objects would count as objects, and one in any of these folders is lost with it."""
    own = [settings.require_data_dir().resolve() / name for name in _OWN_FOLDERS]
    try:
        place = folder.resolve()
    except (OSError, RuntimeError) as error:  # a link that leads to itself is a RuntimeError up to Python 3.12
        raise InvalidInput(f"{folder} leads nowhere: {error}", remedy="choose another folder") from error
    if any(place.is_relative_to(each) for each in own):
        raise Conflict(
            f"{folder} belongs to the deployment itself",
            remedy="choose a folder outside of its data directory, best on another disk",
        )


@contextmanager
def _taken(folder: Path) -> Iterator[None]:
    """Have the folder for this run alone; only its owner can read it, as the signing key and all clips are in it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    mark = folder / _MARK
    if not mark.exists() and any(folder.iterdir()):
        raise Conflict(
            f"{folder} is not empty, and holds no backup",
            remedy="name an empty folder, or that of an earlier backup",
        )
    lock = FileLock(mark)
    try:
        _acquire(lock, folder)
        folder.chmod(0o700)
        yield
    finally:
        lock.close()


def _require_same_deployment(settings: Settings, folder: Path, origin: str) -> None:
    """A run removes what its deployment does not name: in the backup of another one, or of one that was lost and has
    been started again with nothing in it, that would be everything."""
    if not (folder / NAME).exists():
        return
    before = read_backup(folder)
    same = before.key == signing_key_id(settings) if before.origin is None else before.origin in ("", origin)
    if not same:
        raise Conflict(
            f"{folder} has the backup of another deployment, of {before.database.taken_at:%Y-%m-%d %H:%M:%S} UTC",
            remedy="name another folder; if this deployment has lost its data, restore that backup "
            "(`longtail restore`) before you use it",
        )


def _sorted_out(database: Database, done: Copied) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Missing objects that no row names any more were erased meanwhile; all others are damage."""
    erased: set[str] = set()
    if done.missing:
        with database.begin() as connection:
            erased = set(unknown_object_keys(connection, done.missing))
    return tuple(sorted(erased)), tuple(sorted({*done.missing, *done.damaged} - erased))


def _forget_older(folder: Path, newest: Backup) -> None:
    for pattern in ("database-*", _KEYS, f"{_KEYS}-*"):
        for found in folder.glob(pattern):
            if found.name not in (newest.database_folder, newest.keys_folder):
                shutil.rmtree(found)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """A backup that cannot be written says so, and that nothing is lost."""
    again = "run the same command again; it continues where it stopped"
    try:
        yield
    except OSError as error:
        raise Unreachable(
            f"the backup in {folder} cannot be written: {error.strerror or error}",
            remedy=f"free space there or choose another folder, and {again}",
        ) from error
    except (Misconfigured, Unreachable) as error:
        if str(folder) not in error.message or (isinstance(error, Misconfigured) and not _is_full(error.__cause__)):
            raise
        raise Unreachable(
            f"the backup cannot be written: {error.message}", remedy=f"free space there, and {again}"
        ) from error


def _is_full(cause: BaseException | None) -> bool:
    return isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT)
