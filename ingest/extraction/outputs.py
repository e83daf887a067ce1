"""The extracting child's request and answer: JSON, checked strictly because the child reads untrusted bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from triggers.clips.damage import REASONS, Remark
from triggers.contracts import media_types
from triggers.contracts.api.clips import SIGNALS_ASSET
from triggers.contracts.base import Contract, ShortText, SignalName
from triggers.contracts.clip import MAX_MESSAGES, MAX_RECORDING_NS, MAX_SIGNALS, RecordingManifest
from triggers.errors import InvalidInput

REQUEST_FILE = "request.json"
RESULT_FILE = "result.json"
MAX_RESULT_BYTES = 8 * 1024**2
MAX_TRACK_POINTS = 1000
MAX_REMARKS = 500
MAX_SIDE_PIXELS = 2**26
"""Of a picture, which has at most as many pixels in all as 8192 x 8192."""
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Box = tuple[Longitude, Latitude, Longitude, Latitude]
"""West, south, east, north in degrees; west is greater than east across the antimeridian (RFC 7946, section 5.2)."""

THUMBNAIL_ASSET = "thumbnail"
PREVIEW_ASSET = "preview"


class ExtractionRequest(Contract):
    """One extraction. `latitude` and `longitude` name the signals of the position, None where there are none."""

    recording: RecordingManifest
    """The recording as the vehicle announced it; the file must agree."""
    latitude: SignalName | None
    longitude: SignalName | None
    sent_on_change: Annotated[tuple[SignalName, ...], Field(max_length=MAX_SIGNALS)] = ()
    """The signals whose samples hold until the next one: their means are over time."""
    max_messages: Annotated[int, Field(ge=0)] = MAX_MESSAGES
    """How many samples and frames are read; what follows is left out."""
    derived_bytes: Annotated[int, Field(ge=0)]
    """What all files together may have; those that do not fit are left out."""


class FirstPicture(Contract):
    """The first picture of a preview: its time in ns after the recording's start, and the camera's own size in pixels.

    A preview begins with it, and is smaller.
    """

    offset_ns: Annotated[int, Field(ge=-MAX_RECORDING_NS, le=MAX_RECORDING_NS)]
    width: Annotated[int, Field(ge=1, le=MAX_SIDE_PIXELS)]
    height: Annotated[int, Field(ge=1, le=MAX_SIDE_PIXELS)]


class OutputFile(Contract):
    """A file that the child wrote, by the asset that it is; where it is follows from that (`assets_of`).

    `picture` is that of a preview, None of any other file.
    """

    asset: Annotated[str, Field(max_length=140)]
    picture: FirstPicture | None = None


class FileOfAsset(NamedTuple):
    """An asset's file: its name in the work folder and in the store, and its media type."""

    file: str
    media_type: str


class Statistics(Contract):
    """Samples of one signal; minimum, maximum and mean over the finite ones.

    A held sample, which repeats what was sent before the recording, counts for these, and not as one of the `samples`.
    """

    signal: SignalName
    samples: Annotated[int, Field(ge=0)]
    minimum: float | None
    maximum: float | None
    mean: float | None
    mean_over: Literal["samples", "time"]
    """Whether `mean` is over samples, or over the time for which each of them held."""


class RemarkView(Contract):
    """A remark of the extraction, whose reason is one of `triggers.clips.damage.REASONS`."""

    reason: Annotated[str, Field(pattern="^(" + "|".join(REASONS) + ")$")]
    message: ShortText
    count: Annotated[int, Field(ge=1)] = 1

    def remark(self) -> Remark:
        """As the rest of the code knows it."""
        return Remark(self.reason, self.message, self.count)


class ExtractionResult(Contract):
    """What the clip contains, and what is wrong with it; without remarks it is sound."""

    remarks: Annotated[tuple[RemarkView, ...], Field(max_length=MAX_REMARKS)] = ()
    files: Annotated[tuple[OutputFile, ...], Field(max_length=200)] = ()
    statistics: Annotated[tuple[Statistics, ...], Field(max_length=MAX_SIGNALS)] = ()
    track: Annotated[tuple[tuple[Latitude, Longitude], ...], Field(max_length=MAX_TRACK_POINTS)] = ()
    box: Box | None = None

    def require_possible(self, request: ExtractionRequest) -> None:
        """InvalidInput if it names files, or more signals, than this extraction can have."""
        possible = assets_of(request.recording)
        named = [file.asset for file in self.files]
        if not set(named) <= set(possible) or len(set(named)) != len(named):
            raise InvalidInput(f"its files are not those of the clip: {', '.join(named)[:200]}")
        if not {row.signal for row in self.statistics} <= set(request.recording.signals):
            raise InvalidInput("it has statistics of signals that the clip does not list")


def preview_asset(camera: str, number: int) -> str:
    """The preview of a manifest's camera: the first one's is `preview`, any other `preview.CAMERA`."""
    return PREVIEW_ASSET if number == 0 else f"{PREVIEW_ASSET}.{camera}"


def assets_of(recording: RecordingManifest) -> Mapping[str, FileOfAsset]:
    """Every asset that an extraction may give, and its file: a child has no say in names or media types."""
    previews = (preview_asset(camera, number) for number, camera in enumerate(recording.cameras))
    return {
        SIGNALS_ASSET: FileOfAsset("signals.parquet", media_types.PARQUET),
        THUMBNAIL_ASSET: FileOfAsset("thumbnail.jpg", media_types.JPEG),
        **{asset: FileOfAsset(f"{asset}.mp4", media_types.MP4) for asset in previews},
    }
