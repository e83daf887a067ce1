"""The object store: whether it works and has room, and whether a sample of it agrees with the catalog."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from fleet_api.deployment.doctor.findings import Finding, fail, ok, warn
from fleet_api.deployment.doctor.folders import check_room
from storage.clips.extraction_results import derived_bytes
from storage.database import Database
from storage.diagnosis.objects import NamedObject, sample, unknown_object_keys
from storage.erasure.objects import pending
from storage.objects import ObjectStore, open_store, store_directory
from storage.objects.contract import ObjectNotFound, ObjectUnreadable
from storage.settings import Settings
from triggers.contracts.clip import MAX_CLIP_BYTES

NEWEST = 200
DRAWN = 300
LISTED = 1000


def check(settings: Settings) -> Iterator[Finding]:
    """Skipped when the objects would be in a data directory that does not exist: opening them would create it."""
    if without_data_dir(settings):
        return
    directory = store_directory(settings)
    yield ok("objects", open_store(settings, create=False).check())
    if directory is not None:
        yield check_room("objects disk", directory, wanted_bytes=MAX_CLIP_BYTES)


def check_consistency(settings: Settings, database: Database) -> Finding:
    """A sample: the newest clips and others have whole objects, and objects of clips have their rows."""
    if without_data_dir(settings):
        return fail("consistency", "the data directory with the objects is not there", "name it with --data")
    store = open_store(settings, create=False)
    with database.begin() as connection:
        named = sample(connection, newest=NEWEST, drawn=DRAWN)
    wrong = objects_that_differ(store, database, named)
    listed = [info.key for info in store.list("clips/", limit=LISTED)]
    unknown = objects_without_row(store, database, listed)
    if wrong:
        return fail("consistency", f"{len(wrong)} of {len(named)} objects: {wrong[0]}", RESTORE)
    if unknown:
        return warn(
            "consistency", f"{len(unknown)} of {len(listed)} objects belong to no row, such as {unknown[0]}", ORPHANS
        )
    return ok("consistency", f"a sample of {len(named)} objects and {len(listed)} listed ones agree with the catalog")


def check_derived(database: Database) -> Finding:
    """How much room clips and what was derived from them take."""
    with database.begin() as connection:
        clip_bytes, derived = derived_bytes(connection)
    share = f", {derived / clip_bytes:.0%}" if clip_bytes else ""
    return ok(
        "derived", f"{derived:,} bytes derived from {clip_bytes:,} bytes of clips{share} (LONGTAIL_DERIVED_SHARE)"
    )


RESTORE = "restore the objects from a backup (`longtail restore`); `longtail doctor --full` names every one"
ORPHANS = "an upload in progress or a crash may leave one for a while; check again when nothing is being uploaded"


def objects_that_differ(store: ObjectStore, database: Database, named: Sequence[NamedObject]) -> list[str]:
    """Sentences on those that are missing or have another size than their row says.

    An object that no row names any more was erased after `named` was read, and is no finding.
    """
    wrong = {each.key: sentence for each in named if (sentence := _differs(store, each)) is not None}
    erased = erased_since(database, wrong) if wrong else set()
    return [sentence for key, sentence in wrong.items() if key not in erased]


def erased_since(database: Database, keys: Collection[str]) -> set[str]:
    """Those of `keys`, which rows have named, that no row names now."""
    with database.begin() as connection:
        return set(unknown_object_keys(connection, keys))


def objects_without_row(store: ObjectStore, database: Database, keys: Collection[str]) -> list[str]:
    """Those of `keys`, which were listed, that no row names and that nobody is about to delete."""
    with database.begin() as connection:
        unknown = unknown_object_keys(connection, keys)
        to_delete = pending(connection, unknown)
    return [key for key in unknown if key not in to_delete and _exists(store, key)]


def _exists(store: ObjectStore, key: str) -> bool:
    try:
        store.stat(key)
    except ObjectNotFound:  # erased since it was listed
        return False
    except ObjectUnreadable:
        return True
    return True


def _differs(store: ObjectStore, named: NamedObject) -> str | None:
    try:
        found_bytes = store.stat(named.key).size_bytes
    except ObjectNotFound:
        return f"{named.key} is missing"
    except ObjectUnreadable as error:
        return f"{named.key} cannot be read: {error}"
    if named.size_bytes is not None and found_bytes != named.size_bytes:
        return f"{named.key} has {found_bytes} bytes, its row says {named.size_bytes}"
    return None


def without_data_dir(settings: Settings) -> bool:
    """Whether the objects would lie in a data directory that does not exist."""
    return not settings.objects_url and settings.data_dir is not None and not settings.data_dir.is_dir()
