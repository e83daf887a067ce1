"""One extraction, in the child: the clip's file in a folder to signals, statistics, track, thumbnail and previews."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ingest.extraction import recording, signals, video
from ingest.extraction.damage import Damaged
from ingest.extraction.outputs import CLIP_FILE, ExtractionRequest, ExtractionResult, OutputFile
from ingest.extraction.track import track
from triggers.clips.footage import VideoFrame

PARQUET = "application/vnd.apache.parquet"


def extract(folder: Path, request: ExtractionRequest) -> ExtractionResult:
    """Write the files into the folder and return what is in the clip. Damage to one part does not hold up others."""
    try:
        clip = recording.read(folder / CLIP_FILE, request.recording)
    except Damaged as damage:
        return ExtractionResult(damage=damage.description)
    damages: list[str] = []
    files: list[OutputFile] = []
    ordered = signals.in_order(clip.signals)
    try:
        signals.write_parquet(folder / "signals.parquet", ordered, request.recording.start_ns)
        files.append(OutputFile(asset="signals", file="signals.parquet", media_type=PARQUET))
    except Damaged as damage:
        damages.append(damage.description)
    for number, camera in enumerate(request.recording.cameras):
        if not clip.cameras[camera]:
            continue
        try:
            files += _video_files(folder, clip.cameras[camera], camera, number)
        except Damaged as damage:
            damages.append(damage.description)
    latitude, longitude = ordered.get(request.latitude or ""), ordered.get(request.longitude or "")
    return ExtractionResult(
        damage=damages[0] if damages else None,
        files=tuple(files),
        statistics=tuple(signals.statistics(name, samples) for name, samples in ordered.items()),
        track=track(latitude, longitude) if latitude and longitude else (),
    )


def _video_files(folder: Path, frames: Sequence[VideoFrame], camera: str, number: int) -> list[OutputFile]:
    """The first camera gives the thumbnail and `preview`, every other one `preview.<camera>`."""
    decodable = video.from_first_keyframe(frames, camera)
    files = []
    if number == 0:
        video.write_thumbnail(folder / "thumbnail.jpg", decodable, camera)
        files.append(OutputFile(asset="thumbnail", file="thumbnail.jpg", media_type="image/jpeg"))
    name = "preview" if number == 0 else f"preview.{camera}"
    video.write_preview(folder / f"{name}.mp4", decodable, camera)
    files.append(OutputFile(asset=name, file=f"{name}.mp4", media_type="video/mp4"))
    return files
