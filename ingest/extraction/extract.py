"""One extraction, in the child: turns a clip's file into signals, statistics, track, thumbnail and previews."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ingest.extraction.outputs import (
    MAX_REMARKS,
    THUMBNAIL_ASSET,
    ExtractionRequest,
    ExtractionResult,
    FirstPicture,
    OutputFile,
    RemarkView,
    Statistics,
    assets_of,
    preview_asset,
)
from ingest.extraction.positions import positions
from ingest.extraction.statistics import statistics
from ingest.extraction.track import box, track
from ingest.extraction.video import Budget, First, PreviewFiles, write_previews
from triggers.clips.damage import MAX_DETAIL_CHARACTERS, Damaged, Remark
from triggers.clips.footage import Footage
from triggers.clips.reader import read_clip
from triggers.contracts.api.clips import RECORDING_ASSET, SIGNALS_ASSET
from triggers.contracts.clip import MAX_RECORDING_NS
from triggers.drives.series import SignalSeries, write_drive
from triggers.errors import InvalidInput
from triggers.signals.object_columns import ObjectSeries

_NO_SAMPLES = SignalSeries(np.empty(0, np.int64), np.empty(0, np.float64))


def extract(folder: Path, request: ExtractionRequest) -> ExtractionResult:
    """Write the files into the folder and return what is in the clip. Damage to one part does not stop the others."""
    try:
        clip = read_clip(folder / RECORDING_ASSET, request.recording, max_messages=request.max_messages)
    except Damaged as damage:
        return ExtractionResult(remarks=_views([damage.remark]))
    remarks = list(clip.remarks)
    signals = {name: SignalSeries(*samples.as_arrays()) for name, samples in clip.footage.signals.items()}
    lists = {name: samples.series() for name, samples in clip.footage.objects.items()}
    found = positions(
        signals.get(request.latitude or "", _NO_SAMPLES), signals.get(request.longitude or "", _NO_SAMPLES), remarks
    )
    files = _Files(folder, request, remarks)
    files.write_signals(signals, lists)
    files.write_videos(clip.footage)
    return ExtractionResult(
        remarks=_views(remarks),
        files=tuple(OutputFile(asset=asset, picture=picture) for asset, picture in files.written.items()),
        statistics=_statistics(signals, request),
        track=track(found),
        box=box(found),
    )


def _statistics(signals: Mapping[str, SignalSeries], request: ExtractionRequest) -> tuple[Statistics, ...]:
    """Of every signal with samples; lists of objects have none.

    What the recording begins with because it still held is not a sample of its own.
    """
    recording = request.recording
    on_change = {*request.sent_on_change, *recording.held}
    return tuple(
        statistics(
            name,
            series,
            end_ns=recording.end_ns if name in on_change else None,
            held=name in recording.held and int(series.t_ns[0]) == recording.start_ns,
        )
        for name, series in signals.items()
        if len(series.values)
    )


class _Files:
    """The files of an extraction, in the order of their worth, as long as they fit into the bytes they may have."""

    def __init__(self, folder: Path, request: ExtractionRequest, remarks: list[Remark]) -> None:
        self.written: dict[str, FirstPicture | None] = {}
        self._folder = folder
        self._request = request
        self._remarks = remarks
        self._left_bytes = request.derived_bytes
        self._assets = assets_of(request.recording)

    def _path(self, asset: str) -> Path:
        return self._folder / self._assets[asset].file

    def _keep(self, asset: str, picture: FirstPicture | None = None) -> None:
        """Keep a file that was written if it fits, else remove it and tell so."""
        size_bytes = self._path(asset).stat().st_size
        if size_bytes <= self._left_bytes:
            self._left_bytes -= size_bytes
            self.written[asset] = picture
            return
        self._path(asset).unlink()
        detail = (
            f"{asset} has {size_bytes} bytes, of {self._request.derived_bytes} that the files of this clip may have"
        )
        self._remarks.append(Remark("asset_left_out", f"{detail}, {self._left_bytes} are left"))

    def write_signals(self, signals: Mapping[str, SignalSeries], lists: Mapping[str, ObjectSeries]) -> None:
        """The signals and lists in the format of a recorded drive, so that a clip can be backtested like one."""
        times = [*(series.t_ns for series in signals.values()), *(series.t_ns for series in lists.values())]
        firsts = [int(t_ns[0]) for t_ns in times if len(t_ns)]
        start_ns = min([self._request.recording.start_ns, *firsts])
        try:
            write_drive(self._path(SIGNALS_ASSET), signals, start_ns=start_ns, objects=lists)
        except InvalidInput as error:
            self._remarks.append(Remark("too_many_samples", error.message))
        else:
            self._keep(SIGNALS_ASSET)

    def write_videos(self, footage: Footage) -> None:
        """A preview of every camera with frames, and a thumbnail of the first camera of the manifest."""
        # A manifest may name a camera twice: it is one camera.
        cameras = [camera for camera in dict.fromkeys(self._request.recording.cameras) if footage.cameras[camera]]
        budget = Budget(self._left_bytes, len(cameras))
        for camera in cameras:
            number = self._request.recording.cameras.index(camera)
            asset = preview_asset(camera, number)
            files = PreviewFiles(self._path(THUMBNAIL_ASSET) if number == 0 else None, self._path(asset))
            budget.left_bytes = self._left_bytes
            first = None
            try:
                first = write_previews(files, footage.cameras[camera], camera, budget, self._remarks)
            except Damaged as damage:
                self._remarks.append(damage.remark)
            for written in (THUMBNAIL_ASSET, asset) if number == 0 else (asset,):
                if self._path(written).exists():
                    self._keep(written, self._told(first) if written == asset else None)
            budget.cameras -= 1

    def _told(self, first: First | None) -> FirstPicture | None:
        """A preview's first picture by the recording's time; None where the file has a time that cannot be its own."""
        if first is None:
            return None
        offset_ns = first.t_ns - self._request.recording.start_ns
        if abs(offset_ns) > MAX_RECORDING_NS:
            return None
        return FirstPicture(offset_ns=offset_ns, width=first.width, height=first.height)


def _views(remarks: list[Remark]) -> tuple[RemarkView, ...]:
    return tuple(
        RemarkView(reason=remark.reason, message=remark.message[:MAX_DETAIL_CHARACTERS], count=remark.count)
        for remark in remarks[:MAX_REMARKS]
    )
