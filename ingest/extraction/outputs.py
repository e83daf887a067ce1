"""The extracting child's request and answer: JSON, checked strictly because the child reads untrusted bytes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from triggers.contracts.base import Contract, ShortText, SignalName
from triggers.contracts.clip import RecordingManifest

REQUEST_FILE = "request.json"
CLIP_FILE = "clip.mcap"
RESULT_FILE = "result.json"
MAX_RESULT_BYTES = 8 * 1024**2
MAX_TRACK_POINTS = 1000
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]


class ExtractionRequest(Contract):
    """One extraction. `latitude` and `longitude` name the signals of the position, None where there are none."""

    recording: RecordingManifest
    """The recording as the vehicle announced it; the file must agree."""
    latitude: SignalName | None
    longitude: SignalName | None


class OutputFile(Contract):
    """A file that the child wrote; its name is never a path."""

    asset: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}(\.[a-z][a-z0-9_]{0,63})?$")]
    file: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]{0,139}$")]
    media_type: Annotated[str, Field(max_length=100)]


class Statistics(Contract):
    """Samples of one signal; minimum, maximum and mean over the finite ones."""

    signal: SignalName
    samples: Annotated[int, Field(ge=0)]
    minimum: float | None
    maximum: float | None
    mean: float | None


class ExtractionResult(Contract):
    """What the clip contains. `damage` says what is wrong with the file (`reason: detail`); None for a sound file."""

    damage: ShortText | None = None
    files: Annotated[tuple[OutputFile, ...], Field(max_length=200)] = ()
    statistics: Annotated[tuple[Statistics, ...], Field(max_length=5000)] = ()
    track: Annotated[tuple[tuple[Latitude, Longitude], ...], Field(max_length=MAX_TRACK_POINTS)] = ()
