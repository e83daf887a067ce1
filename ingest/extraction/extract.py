"""One extraction, in the child: turns a clip's file into signals, statistics, track, thumbnail and previews."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ingest.extraction import video
from ingest.extraction.outputs import CLIP_FILE, ExtractionRequest, ExtractionResult, OutputFile
from ingest.extraction.statistics import statistics
from ingest.extraction.track import track
from triggers.clips.damage import Damaged
from triggers.clips.footage import VideoFrame
from triggers.clips.reader import read_clip
from triggers.contracts import media_types
from triggers.drives.series import SignalSeries, write_drive
from triggers.errors import InvalidInput


def extract(folder: Path, request: ExtractionRequest) -> ExtractionResult:
    """Write the files into the folder and return what is in the clip. Damage to one part does not stop the others."""
    try:
        clip = read_clip(folder / CLIP_FILE, request.recording).footage
    except Damaged as damage:
        return ExtractionResult(damage=damage.description)
    damages: list[str] = []
    files: list[OutputFile] = []
    signals = {name: SignalSeries(*samples.as_arrays()) for name, samples in clip.signals.items()}
    try:
        # In the format of a recorded drive, so that a clip can be backtested like one.
        write_drive(folder / "signals.parquet", signals, start_ns=request.recording.start_ns)
        files.append(OutputFile(asset="signals", file="signals.parquet", media_type=media_types.PARQUET))
    except InvalidInput as error:
        damages.append(Damaged("too_many_samples", error.message).description)
    for number, camera in enumerate(request.recording.cameras):
        if not clip.cameras[camera]:
            continue
        try:
            files += _video_files(folder, clip.cameras[camera], camera, number)
        except Damaged as damage:
            damages.append(damage.description)
    latitude, longitude = signals.get(request.latitude or ""), signals.get(request.longitude or "")
    return ExtractionResult(
        damage=damages[0] if damages else None,
        files=tuple(files),
        statistics=tuple(statistics(name, series) for name, series in signals.items()),
        track=track(latitude, longitude) if latitude and longitude else (),
    )


def _video_files(folder: Path, frames: Sequence[VideoFrame], camera: str, number: int) -> list[OutputFile]:
    """The first camera gives the thumbnail and `preview`, every other camera `preview.<camera>`."""
    decodable = video.from_first_keyframe(frames, camera)
    files = []
    if number == 0:
        video.write_thumbnail(folder / "thumbnail.jpg", decodable, camera)
        files.append(OutputFile(asset="thumbnail", file="thumbnail.jpg", media_type=media_types.JPEG))
    name = "preview" if number == 0 else f"preview.{camera}"
    video.write_preview(folder / f"{name}.mp4", decodable, camera)
    files.append(OutputFile(asset=name, file=f"{name}.mp4", media_type=media_types.MP4))
    return files
