"""Clips as the drives of a backtest, made in its process as the client library makes them.

Apart, as the client library takes longer to load than most backtests take to run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from fleet_api.backtest_processes.tasks import ClipsOf, Failed, GivenClip
from fleet_api.client.clips.drives import catalog_for_clips, catalog_of_campaign, require_same_signals, write_clip
from fleet_api.client.clips.ranges import LinkedFile
from fleet_api.client.clips.signals import SignalsFile
from triggers.drives.drive import Drive
from triggers.errors import InvalidInput
from triggers.signals.catalog import SignalCatalog


def clips_as_drives(
    clips: ClipsOf, needed: Iterable[str], catalog: SignalCatalog, fields: Mapping[str, Collection[str]]
) -> tuple[list[Drive], list[Failed], SignalCatalog]:
    """The clips as drives, those of which none can be made, and the catalog that the drives are read by.

    `needed` are the signals that are read, and of lists of objects the `fields`.

    InvalidInput when the clips together are larger than they may be as drives.
    """
    declared = {version: catalog_of_campaign(text) for version, text in clips.catalogs.items()}
    wanted, drives, failed = sorted(needed), list[Drive](), list[Failed]()
    left_bytes = clips.at_most_bytes
    for clip in clips.clips:
        try:
            theirs = [(version, declared.get(version)) for version in clip.versions]
            require_same_signals(wanted, catalog, theirs, fields)
            drive = _drive(clip, wanted, clips.folder)
        except InvalidInput as error:
            failed.append(Failed(clip.id, error))
            continue
        left_bytes -= drive.path.stat().st_size
        if left_bytes < 0:
            raise InvalidInput(
                f"the signals of the clips have more than {clips.at_most_bytes} bytes as they are written for a run",
                remedy="choose fewer clips, or read fewer signals",
            )
        drives.append(drive)
    return drives, failed, catalog_for_clips(catalog)


def _drive(clip: GivenClip, wanted: Sequence[str], folder: Path) -> Drive:
    if clip.path is None:
        raise InvalidInput(clip.problem)
    data = clip.path.read_bytes()
    signals = SignalsFile(LinkedFile(lambda start, end: data[start:end], len(data)))
    return write_clip(signals, wanted, folder / f"{clip.id}.parquet")
