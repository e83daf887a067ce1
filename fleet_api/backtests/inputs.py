"""What a backtest runs over, as files for its processes: recorded drives, or clips whose signals are fetched first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fleet_api.backtest_processes.tasks import ClipsOf, GivenClip, GivenDrive, Version
from storage.clips.positions import Sight
from storage.clips.query import ClipQuery
from storage.database import Database
from storage.objects import ObjectStore
from storage.scans import pages
from storage.scans.pages import ScannedClip
from triggers.contracts.api.backtests.requests import ChosenClips
from triggers.errors import NotFound

MAX_SIGNALS_BYTES = 256 * 1024**2
"""Of one clip's signals, which are read whole."""
_PAGE = 500
_GONE = "its signals are not in the object store: it is being erased, or they are lost"


@dataclass(frozen=True, slots=True)
class Inputs:
    """Drives, or clips with the catalogs of their campaigns; and how many bytes there are to read."""

    drives: tuple[GivenDrive, ...] = ()
    clips: tuple[GivenClip, ...] | None = None
    fetched: Path = Path()
    """The folder of the clips' files."""
    catalogs: Mapping[Version, str] = field(default_factory=dict)
    size_bytes: int = 0

    @classmethod
    def of_drives(cls, drives: tuple[GivenDrive, ...]) -> Inputs:
        """Drives; one that is not there has no bytes, and its process says what is wrong with it."""
        return cls(drives, size_bytes=sum(drive.path.stat().st_size for drive in drives if drive.path.is_file()))

    def clips_in(self, folder: Path, *, at_most_bytes: int) -> ClipsOf | None:
        """The clips for a process that may write so many bytes into a folder, which is made."""
        if self.clips is None:
            return None
        folder.mkdir()
        return ClipsOf(self.clips, self.catalogs, self.fetched, folder, at_most_bytes)


class ClipFetcher:
    """Finds clips as a user sees them, and fetches their signals as they are: only the jail reads them."""

    FETCHERS = 8

    def __init__(self, database: Database, store: ObjectStore, sight: Sight) -> None:
        self._database = database
        self._store = store
        self._sight = sight

    def find(self, chosen: ChosenClips) -> list[ScannedClip]:
        """The clips that a filter admits, the latest first. InvalidInput for a filter that cannot be used."""
        found: list[ScannedClip] = []
        token: str | None = None
        while (left := chosen.limit - len(found)) > 0:
            query = ClipQuery.parse(
                filter_source=chosen.filter, language=chosen.filter_lang, limit=min(left, _PAGE), token=token
            )
            with self._database.snapshot() as connection:
                page = pages.read_page(connection, self._sight.query(query))
            found += page.clips
            token = page.next
            if token is None:
                break
        return found

    def one(self, clip_id: str) -> ScannedClip:
        """A clip by its id; NotFound when it is not in the catalog."""
        query = ClipQuery.parse(filter_source=f"id = '{clip_id.replace(chr(39), chr(39) * 2)}'", limit=1)
        with self._database.snapshot() as connection:
            page = pages.read_page(connection, query)
        if not page.clips:
            raise NotFound(f"there is no clip {clip_id[:100]!r}", remedy="it may have been erased")
        return page.clips[0]

    def catalogs(self, clips: Sequence[ScannedClip]) -> dict[Version, str]:
        """The signal catalogs of the campaigns for which clips were recorded."""
        versions = {version for clip in clips for version in clip.versions}
        with self._database.snapshot() as connection:
            return pages.catalogs(connection, versions)

    def fetch(self, clip: ScannedClip, folder: Path, keep_on: Callable[[], None]) -> GivenClip:
        """Write a clip's signals into a folder, which is there; a clip that has none says why.

        `keep_on` is called for each part of them, and raises when they are of no more use.
        """
        if clip.signals_key is None:
            return GivenClip(clip.id, None, clip.versions, f"its signals are not extracted (it is {clip.state})")
        if clip.signals_bytes > MAX_SIGNALS_BYTES:
            return GivenClip(clip.id, None, clip.versions, f"its signals have more than {MAX_SIGNALS_BYTES} bytes")
        path = folder / f"{clip.id}.signals"
        try:
            with path.open("wb") as file:
                for part in self._store.stream(clip.signals_key):
                    keep_on()
                    file.write(part)
        except NotFound:
            return GivenClip(clip.id, None, clip.versions, _GONE)
        return GivenClip(clip.id, path, clip.versions)
