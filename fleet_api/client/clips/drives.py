"""Clips as recorded drives: of each clip that a filter admits, the needed signals in a file of their own.

Units and values of a signal are those of the campaign for which a clip was recorded. A clip whose campaigns declare a
needed signal otherwise than the catalog that is to read it is left out, with the reason: its numbers would mean others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq

from fleet_api.client.campaigns import Campaigns
from fleet_api.client.clips.clip import Clip
from fleet_api.client.clips.signals import SignalsFile
from triggers.contracts.api.clips import SIGNALS_ASSET
from triggers.drives.drive import Drive
from triggers.errors import InvalidInput, LongtailError, NotFound
from triggers.signals.catalog import Signal, SignalCatalog
from triggers.signals.objects import ObjectField, ObjectList
from triggers.signals.recordings import TimeKey

FETCHERS = 8
Version = tuple[str, int]
"""A campaign's name and a number of its versions."""


@dataclass
class ClipDrives:
    """The drives, each named for its clip, and for each clip that gives none the reason."""

    drives: list[Drive] = field(default_factory=list)
    failures: list[InvalidInput] = field(default_factory=list)


def catalog_for_clips(catalog: SignalCatalog) -> SignalCatalog:
    """The catalog as clips are read by it: their columns have the signals' own names, whatever drives call them."""
    signals = {
        name: signal.model_copy(update={"column": None, "columns": ()}) for name, signal in catalog.signals.items()
    }
    lists = {name: _of_clips(declared) for name, declared in catalog.objects.items()}
    return catalog.model_copy(update={"signals": signals, "objects": lists, "time": TimeKey()})


def _of_clips(declared: ObjectList) -> ObjectList:
    fields = {name: field.model_copy(update={"column": None}) for name, field in declared.fields.items()}
    return declared.model_copy(update={"column": None, "fields": fields})


def catalog_of_campaign(text: str) -> SignalCatalog | None:
    """The catalog of a campaign's version; None for one of a release that this one cannot read."""
    try:
        return SignalCatalog.parse(text, name="the catalog")
    except LongtailError:  # its clips are taken as they are
        return None


def require_same_signals(
    needed: Iterable[str],
    mine: SignalCatalog,
    theirs: Sequence[tuple[Version, SignalCatalog | None]],
    fields: Mapping[str, Collection[str]],
) -> None:
    """InvalidInput if a needed signal is declared otherwise by the first of a clip's campaigns that declares it.

    So it is for a list of objects, if its key is or one of those of its `fields` that are read.
    """
    for name in needed:
        if name in mine.objects:
            _require_same_fields(name, mine.objects[name], theirs, fields.get(name, ()))
            continue
        declared = [
            (version, catalog.signals[name]) for version, catalog in theirs if catalog and name in catalog.signals
        ]
        if name not in mine.signals or not declared:
            continue
        (campaign, number), signal = declared[0]
        if (difference := _difference(mine.signals[name], signal)) is not None:
            raise InvalidInput(
                f"`{name}` {difference} in the catalog of {campaign} version {number}",
                remedy="run the backtest with that signal catalog, over these clips alone",
            )


def _require_same_fields(
    name: str,
    mine: ObjectList,
    theirs: Sequence[tuple[Version, SignalCatalog | None]],
    read: Collection[str],
) -> None:
    declared = [(version, catalog.objects[name]) for version, catalog in theirs if catalog and name in catalog.objects]
    if not declared:
        return
    (campaign, number), listed = declared[0]
    problem = f"has the key {listed.key}" if listed.key != mine.key else None
    for shared in sorted(mine.fields.keys() & listed.fields.keys() & set(read)):
        if (difference := _difference(mine.fields[shared], listed.fields[shared])) is not None:
            problem = problem or f"has a field `{shared}` that {difference}"
    if problem is not None:
        raise InvalidInput(
            f"`{name}` {problem} in the catalog of {campaign} version {number}",
            remedy="run the backtest with that signal catalog, over these clips alone",
        )


def write_clip(signals: SignalsFile, needed: Iterable[str], path: Path) -> Drive:
    """Write a clip's signals, those of the needed ones that it has, as a drive."""
    table = signals.read([name for name in needed if name in signals.signals])
    pq.write_table(table, path, compression="zstd")
    return Drive(path, is_clip=True)


class ClipsAsDrives:
    """Fetches clips' signals into a folder."""

    def __init__(
        self,
        campaigns: Campaigns,
        catalog: SignalCatalog,
        needed: Collection[str],
        folder: Path,
        *,
        fields: Mapping[str, Collection[str]],
    ) -> None:
        """`needed` are the signals that are read, and of lists the `fields`; a clip gives those of them that it has."""
        self._campaigns = campaigns
        self._catalog = catalog
        self._needed = sorted(needed)
        self._folder = folder
        self._fields = fields
        self._declared: dict[Version, SignalCatalog | None] = {}
        self._lock = threading.Lock()

    def fetch(self, clips: Sequence[Clip], progress: Callable[[], None] = lambda: None) -> ClipDrives:
        """The drives of these clips, in their order; `progress` is called after each."""

        def one(clip: Clip) -> Drive | InvalidInput:
            try:
                return self._drive(clip)
            except (InvalidInput, NotFound) as error:
                return InvalidInput(f"clip {clip.id}: {error.message}", remedy=error.remedy)
            finally:
                progress()

        with ThreadPoolExecutor(FETCHERS, "clips") as threads:
            fetched = list(threads.map(one, clips))
        return ClipDrives(
            drives=[each for each in fetched if isinstance(each, Drive)],
            failures=[each for each in fetched if isinstance(each, InvalidInput)],
        )

    def _drive(self, clip: Clip) -> Drive:
        versions = list(dict.fromkeys((fire.campaign, fire.version) for fire in clip.fires))
        require_same_signals(
            self._needed,
            self._catalog,
            [(version, self._catalog_of(*version)) for version in versions],
            self._fields,
        )
        return write_clip(SignalsFile(clip.open(SIGNALS_ASSET)), self._needed, self._folder / f"{clip.id}.parquet")

    def _catalog_of(self, campaign: str, version: int) -> SignalCatalog | None:
        with self._lock:
            if (campaign, version) not in self._declared:
                self._declared[campaign, version] = self._asked(campaign, version)
            return self._declared[campaign, version]

    def _asked(self, campaign: str, version: int) -> SignalCatalog | None:
        return catalog_of_campaign(self._campaigns.version(campaign, version).signals)


def _difference(mine: Signal | ObjectField, theirs: Signal | ObjectField) -> str | None:
    """In what a signal is declared otherwise, so that its numbers mean others."""
    if mine.type != theirs.type:
        return f"is a {theirs.type}, not a {mine.type},"
    if mine.unit != theirs.unit:
        return f"is in {theirs.unit or 'no unit'}, not in {mine.unit or 'no unit'},"
    if mine.values != theirs.values:
        return "has other `values`"
    return None
