"""The thorough examination: every clip's bytes, every object, and ledger, books, usage, costs and audit log.

It reads all objects once and holds one page of rows and one cell of a clip at a time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from fleet_api.deployment.doctor.findings import Finding, fail, ok, warn
from fleet_api.deployment.doctor.ledger import AUDIT_REMEDY
from fleet_api.deployment.doctor.objects import (
    ORPHANS,
    erased_since,
    objects_that_differ,
    objects_without_row,
    without_data_dir,
)
from storage import audit
from storage.clips.writer import clip_key
from storage.database import Database
from storage.diagnosis import books
from storage.diagnosis import ledger as ledger_queries
from storage.diagnosis import objects as object_queries
from storage.diagnosis.costs import cost_days_that_differ
from storage.diagnosis.objects import NamedObject, StoredClip
from storage.diagnosis.usage import usage_that_differs
from storage.objects import ObjectStore, open_store
from storage.objects.contract import ObjectNotFound, ObjectUnreadable
from storage.settings import Settings
from triggers.contracts.clip import CELL_BYTES

CLIPS_A_PAGE = 50
OBJECTS_A_PAGE = 1000
_RESTORE = "restore these objects from a backup (`longtail restore`)"
_EXAMPLES = 5
USAGE_REMEDY = "sums are only ever written by Longtail: restore a backup, or report this as a defect"

COSTS_REMEDY = (
    "empty the tables `cost_days` and `cost_rollups`: ingest sums all days up again, and costs are right meanwhile; "
    "then find out who changed the rows by hand"
)


@dataclass
class _Tally:
    """How many were looked at, how many were wrong, and the first few of those."""

    looked_at: int = 0
    wrong: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, sentences: Iterable[str]) -> None:
        for sentence in sentences:
            self.wrong += 1
            if len(self.examples) < _EXAMPLES:
                self.examples.append(sentence)

    def __str__(self) -> str:
        more = f" (and {self.wrong - len(self.examples)} more)" if self.wrong > len(self.examples) else ""
        return "; ".join(self.examples) + more


def check(settings: Settings, database: Database, progress: Callable[[str], None]) -> Iterator[Finding]:
    """Findings on all clips, all other objects, objects without a row, the whole ledger, its books, and usage."""
    if without_data_dir(settings):
        return
    store = open_store(settings, create=False)
    clips, charges = _clips(store, database, progress)
    yield _finding("full: clips", clips, "clips have the bytes of their manifests", _RESTORE)
    others = _others(store, database, progress)
    yield _finding("full: other objects", others, "other objects have the sizes of their rows", _RESTORE)
    orphans = _orphans(store, database, progress)
    if orphans.wrong:
        yield warn("full: objects without a row", f"{orphans.wrong} of {orphans.looked_at}: {orphans}", ORPHANS)
    else:
        yield ok("full: objects without a row", f"none of {orphans.looked_at}")
    with database.begin() as connection:
        charges.add(ledger_queries.accounts_that_differ(connection))
        charges.add(ledger_queries.entries_that_differ(connection))
        charges.add(ledger_queries.days_that_differ(connection))
    yield _finding("full: ledger", charges, "clips were charged as their manifests say", AUDIT_REMEDY)
    uploads = _books(database, progress)
    yield _finding("full: books", uploads, "uploads have the entries that their bytes and clips ask for", AUDIT_REMEDY)
    yield _usage(database)
    yield _costs(database)
    yield _audit_log(database)


def _usage(database: Database) -> Finding:
    with database.begin() as connection:
        wrong = usage_that_differs(connection, limit=_EXAMPLES)
    if wrong:
        return fail("full: usage", "; ".join(wrong[:_EXAMPLES]), USAGE_REMEDY)
    return ok("full: usage", "its sums are those of the uploads and reports that they count, to the byte")


def _costs(database: Database) -> Finding:
    with database.begin() as connection:
        wrong = cost_days_that_differ(connection, limit=_EXAMPLES)
    if wrong:
        return fail("full: costs", "; ".join(wrong[:_EXAMPLES]), COSTS_REMEDY)
    return ok("full: costs", "sums of days are those of the ledger, uploads, moves and erasures, to the byte")


def _audit_log(database: Database) -> Finding:
    with database.begin() as connection:
        chain, broken = audit.walk(connection)
    if broken is not None:
        return fail("full: audit log", broken, "compare it with an export or a backup: somebody changed it by hand")
    return ok("full: audit log", f"all {chain.entries} entries are as they were written; the last is {chain.head}")


def _finding(name: str, tally: _Tally, good: str, remedy: str) -> Finding:
    if tally.wrong:
        return fail(name, f"{tally.wrong} wrong of {tally.looked_at}: {tally}", remedy)
    return ok(name, f"all {tally.looked_at} {good}")


def _clips(store: ObjectStore, database: Database, progress: Callable[[str], None]) -> tuple[_Tally, _Tally]:
    """Every clip's bytes, and what it was charged."""
    content, charges, after = _Tally(), _Tally(), ""
    with database.begin() as connection:
        total = object_queries.count_clips(connection)
    while True:
        with database.begin() as connection:
            page = object_queries.clips_after(connection, after, limit=CLIPS_A_PAGE)
            charges.add(ledger_queries.clips_that_differ(connection, page))
        wrong = {clip.key: sentence for clip in page if (sentence := clip_differs(store, clip)) is not None}
        content.add(wrong[key] for key in sorted(wrong.keys() - erased_since(database, wrong)))
        content.looked_at += len(page)
        charges.looked_at += len(page)
        if len(page) < CLIPS_A_PAGE:
            return content, charges
        after = page[-1].id
        progress(f"{content.looked_at} of {total} clips")


def clip_differs(store: ObjectStore, clip: StoredClip) -> str | None:
    """What is wrong with a clip's row or object, in words."""
    manifest = clip.manifest
    if manifest is None or manifest.clip_id != clip.id or manifest.digest != clip.digest:
        return f"clip {clip.id}: its row does not fit its manifest"
    if manifest.size_bytes != clip.size_bytes or clip.key != clip_key(clip.id, manifest.recording.start_ns):
        return f"clip {clip.id}: size or object key of its row do not fit its manifest"
    found_bytes = 0
    try:
        for index, cell in enumerate(_cells(store.stream(clip.key, chunk_bytes=CELL_BYTES))):
            found_bytes += len(cell)
            if index >= len(manifest.cells) or hashlib.sha256(cell).hexdigest() != manifest.cells[index]:
                return f"{clip.key}: cell {index} is not the one of its manifest"
    except ObjectNotFound:
        return f"{clip.key} is missing"
    except ObjectUnreadable as error:
        return f"{clip.key} cannot be read: {error}"
    return None if found_bytes == clip.size_bytes else f"{clip.key} has {found_bytes} of {clip.size_bytes} bytes"


def _cells(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes cut into cells, whatever pieces the store hands out."""
    rest = bytearray()
    for chunk in chunks:
        rest += chunk
        while len(rest) >= CELL_BYTES:
            yield bytes(rest[:CELL_BYTES])
            del rest[:CELL_BYTES]
    if rest:
        yield bytes(rest)


def _others(store: ObjectStore, database: Database, progress: Callable[[str], None]) -> _Tally:
    """Assets, and objects kept with dead letters: cells of open clips come and go, so they are left out."""
    tally = _Tally()
    pages: tuple[tuple[Callable[..., list[tuple[Any, NamedObject]]], Any], ...] = (
        (object_queries.assets_after, ("", "")),
        (object_queries.letters_after, 0),
    )
    for page_after, first in pages:
        after = first
        while True:
            with database.begin() as connection:
                page = page_after(connection, after, limit=OBJECTS_A_PAGE)
            tally.add(objects_that_differ(store, database, [named for _, named in page]))
            tally.looked_at += len(page)
            if len(page) < OBJECTS_A_PAGE:
                break
            after = page[-1][0]
            progress(f"{tally.looked_at} other objects")
    return tally


def _books(database: Database, progress: Callable[[str], None]) -> _Tally:
    """Every upload against its entries; their objects were looked at as those of clips."""
    tally, after = _Tally(), ""
    while True:
        with database.begin() as connection:
            page = books.read_page(connection, after=after)
        tally.add(page.differences)
        tally.looked_at += page.uploads
        if page.last is None:
            return tally
        after = page.last
        progress(f"{tally.looked_at} uploads")


def _orphans(store: ObjectStore, database: Database, progress: Callable[[str], None]) -> _Tally:
    tally, after = _Tally(), ""
    while True:
        keys = [info.key for info in store.list("clips/", after=after, limit=OBJECTS_A_PAGE)]
        tally.add(objects_without_row(store, database, keys))
        tally.looked_at += len(keys)
        if len(keys) < OBJECTS_A_PAGE:
            return tally
        after = keys[-1]
        progress(f"{tally.looked_at} objects listed")
