"""Clips in the API: a page of clips, a single clip with all its details, and the filters that clips are searched with.

Names are those used in filters (docs/catalog.md): `vehicle`, `start`, `vehicle.model`, `ego.speed.max`. Times of a
vehicle's clock are given twice, as RFC 3339 with nine decimals and as ns since the Unix epoch.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, computed_field

from triggers.contracts.api.base import View
from triggers.contracts.base import ShownAttribute
from triggers.times import NS_PER_S, format_time

RECORDING_ASSET = "clip.mcap"
"""The recording itself among a clip's files."""
SIGNALS_ASSET = "signals"
"""The extracted signals among them, in the format of a recorded drive."""

Position = Annotated[
    tuple[Annotated[float, Field(ge=-180, le=180)], Annotated[float, Field(ge=-90, le=90)]],
    Field(description="Longitude and latitude in degrees."),
]


class FireView(View):
    """A fire in a clip. Its window is the span that it asked to be recorded."""

    campaign: str
    version: int
    trigger: str
    ordinal: int
    fire_time_ns: int
    window_start_ns: int
    window_end_ns: int
    inclusion_probability: float
    charged_bytes: int
    program_digest: str

    @computed_field
    def fire_time(self) -> str:
        """`fire_time_ns` as RFC 3339."""
        return format_time(self.fire_time_ns)

    @computed_field
    def window_start(self) -> str:
        """`window_start_ns` as RFC 3339."""
        return format_time(self.window_start_ns)

    @computed_field
    def window_end(self) -> str:
        """`window_end_ns` as RFC 3339."""
        return format_time(self.window_end_ns)


class ClipView(View):
    """A clip in a list.

    `attributes` are the vehicle's, under the names that filters use (`vehicle.model`). `labels` are the types in the
    clip's labels. `box` is west, south, east, north in degrees; null without a position. One whose west is greater than
    its east crosses the antimeridian. `expires_at` is when it will be erased; null: it stays.
    """

    id: str
    vehicle: str
    recording_id: str
    state: str
    damage: str | None
    start_ns: int
    end_ns: int
    size_bytes: int
    digest: str
    attributes: dict[str, ShownAttribute]
    tags: list[str]
    labels: list[str]
    box: tuple[float, float, float, float] | None
    stored_at: datetime
    ready_at: datetime | None
    expires_at: datetime | None
    fires: list[FireView]

    @computed_field
    def start(self) -> str:
        """`start_ns` as RFC 3339."""
        return format_time(self.start_ns)

    @computed_field
    def end(self) -> str:
        """`end_ns` as RFC 3339."""
        return format_time(self.end_ns)

    @computed_field
    def duration_s(self) -> float:
        """The time from `start` to `end` in seconds."""
        return (self.end_ns - self.start_ns) / NS_PER_S


class ClipPage(BaseModel):
    """A page of clips; `next` is the token of the next page, null at the end.

    `notes` say which names in the filter nothing has, when nothing was found.
    """

    clips: list[ClipView]
    next: str | None
    notes: tuple[str, ...] = ()


class ClipErasureView(BaseModel):
    """A clip that was erased, with the size of its recording."""

    id: str
    size_bytes: int


class AssetView(BaseModel):
    """A file of a clip: the recording itself (`clip.mcap`), or something that extraction derived from it."""

    name: str
    href: str
    media_type: str
    size_bytes: int


class RemarkView(BaseModel):
    """Something in the clip's file that is not as it should be: what and where, how often, and what to do about it."""

    reason: str
    message: str
    count: int
    damages: bool
    remedy: str


class LabelView(View):
    """An ASAM OpenLABEL document about the clip, the label types in it, and who or what made it."""

    id: int
    job_id: int
    labeler: str
    types: list[str]
    openlabel: dict[str, Any]
    provenance: dict[str, Any]
    created_at: datetime


class ClipDetailsView(ClipView):
    """Everything about a clip. Links are valid for an hour.

    `statistics` are those of its signals, under the names that filters use (`ego.speed.max`). `units` has the unit they
    are in, by signal: empty for a bare number, null where it is not known. `mean_over` says what each mean is over:
    `samples`, or `time` for a signal that is sent on change, each of whose samples holds until the next. `track` is a
    list of [longitude, latitude] in degrees, like the coordinates of GeoJSON; null without a position. `derived_bytes`
    is the size of all files but the recording itself. `remarks` tell what was wrong with the recording; those that
    damage the clip come first. `label_documents` come newest first.
    """

    software: dict[str, str]
    track: list[Position] | None
    assets: list[AssetView]
    derived_bytes: int
    statistics: dict[str, int | float | None]
    units: dict[str, str | None]
    mean_over: dict[str, str]
    remarks: list[RemarkView]
    label_documents: list[LabelView]


class FilterView(BaseModel):
    """A filter as `GET /v1/clips` takes it: numbers in the units of what they are compared with, times absolute."""

    filter: str
    language: Literal["cql2-text"] = Field("cql2-text", alias="filter-lang")

    model_config = {"populate_by_name": True}


ValueType = Literal["string", "number", "integer", "datetime", "geometry", "boolean"]


class ArgumentView(BaseModel):
    """An argument of a function, and the types that it may have."""

    title: str
    description: str
    type: list[ValueType]


class FunctionView(BaseModel):
    """A function of filters, and the types of its result."""

    name: str
    description: str
    args: list[ArgumentView]
    returns: list[ValueType]


class FunctionsView(BaseModel):
    """The functions that filters can call beside those of CQL2, as OGC 21-065r2 lists them."""

    functions: list[FunctionView]
