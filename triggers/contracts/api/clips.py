"""Clips in the API: pages of clips, one with its details and what people add to it, similar ones, and filters.

Names are those used in filters (docs/catalog.md): `vehicle`, `start`, `vehicle.model`, `ego.speed.max`. Times of a
vehicle's clock are given twice, as RFC 3339 with nine decimals and as ns since the Unix epoch.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints, computed_field, field_validator

from triggers.contracts.api.base import View
from triggers.contracts.api.marks.notes import NoteView
from triggers.contracts.api.marks.tags import AddedTagView
from triggers.contracts.base import Contract, ShownAttribute
from triggers.times import NS_PER_S, format_time

RECORDING_ASSET = "clip.mcap"
"""The recording itself among a clip's files."""
SIGNALS_ASSET = "signals"
"""The extracted signals among them, in the format of a recorded drive."""
MAX_FILTER_CHARACTERS = 10_000
DEFAULT_SORT = "-recorded"
"""The order of a search that names none: newest first."""
MAX_EXAMPLES = 50
DEFAULT_SIMILAR, MAX_SIMILAR = 20, 200
MIN_DIMENSIONS, MAX_DIMENSIONS = 2, 2000
"""What pgvector's index can hold."""
MAX_COORDINATE, SHORTEST = 1e6, 1e-6
OWN_EMBEDDINGS = "signals-"
"""What the ids of Longtail's own vectors begin with, which only it writes."""
ClipReference = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
EmbeddingId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]
"""The id of a model's vectors, such as `clip-vit-b32.2`: another version of a model is another id."""
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
    its east crosses the antimeridian. To those who may not see precise positions it is the box around `place_cell`.
    `expires_at` is when it will be erased; null: it stays. `duplicate_of` is the earlier clip that this one is almost
    the same as; null: there is none.
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
    place_cell: str | None
    stored_at: datetime
    ready_at: datetime | None
    expires_at: datetime | None
    duplicate_of: str | None
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


class SimilarRequest(Contract):
    """Which clips to find: like the `like`, unlike the `unlike`, and with `filter` true, as in a search.

    The question is the mean of the examples less half the mean of the counter-examples. `embedding` names the vectors
    that are compared; without it they are Longtail's own.
    """

    like: Annotated[tuple[ClipReference, ...], Field(min_length=1, max_length=MAX_EXAMPLES)]
    unlike: Annotated[tuple[ClipReference, ...], Field(max_length=MAX_EXAMPLES)] = ()
    filter: str | None = None
    filter_lang: Literal["cql2-text", "cql2-json"] = "cql2-text"
    embedding: EmbeddingId | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_SIMILAR)] = DEFAULT_SIMILAR


class SimilarClip(ClipView):
    """A clip, and its cosine distance to the question: 0 is the same direction, 2 the opposite one."""

    distance: float


class SimilarClips(BaseModel):
    """The nearest clips, nearest first, without the examples.

    `is_exact`: every admitted clip was compared; else the index was asked, which misses one in some dozens at times.
    """

    embedding: str
    is_exact: bool
    clips: list[SimilarClip]


class ClipVector(Contract):
    """A clip's vector by a model of your own. Only its direction counts: it is kept at the length 1."""

    vector: Annotated[
        tuple[Annotated[float, Field(ge=-MAX_COORDINATE, le=MAX_COORDINATE)], ...],
        Field(min_length=MIN_DIMENSIONS, max_length=MAX_DIMENSIONS),
    ]

    @field_validator("vector")
    @classmethod
    def _has_direction(cls, vector: tuple[float, ...]) -> tuple[float, ...]:
        if math.hypot(*vector) < SHORTEST:
            raise ValueError(f"a vector shorter than {SHORTEST:g} has no direction")
        return vector

    def direction(self) -> tuple[float, ...]:
        """The vector at the length 1."""
        length = math.hypot(*self.vector)
        return tuple(number / length for number in self.vector)


class ClipVectorView(BaseModel):
    """A vector that was written, and whether its embedding began with it."""

    clip_id: str
    embedding: str
    dimensions: int
    is_first: bool


class ClipErasureView(BaseModel):
    """A clip that was erased, with the size of its recording."""

    id: str
    size_bytes: int


class RestoreView(BaseModel):
    """An archived recording that is being restored: when it can be read at the latest, and for how many days then."""

    id: str
    storage_class: str
    readable_at: datetime
    days: int


class AssetView(BaseModel):
    """A file of a clip: the recording itself (`clip.mcap`), or something that extraction derived from it."""

    name: str
    href: str
    media_type: str
    size_bytes: int


class CameraView(View):
    """A camera of a clip. `preview` names the file among `assets` in which it can be watched; null: there is none.

    `offset_ns` is when the first picture of the preview is after the clip's `start`, `width` and `height` are the size
    of the camera's own pictures in pixels; null without a preview, and for one of an older extractor.
    """

    name: str
    preview: str | None
    offset_ns: int | None
    width: int | None
    height: int | None


class WithheldView(BaseModel):
    """A part of a clip that its reader may not have, or not now.

    It is a file, `track`, `statistics/SIGNAL`, `label_documents/ID` or `notes/ID`.
    """

    name: str
    reason: str
    remedy: str


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
    `added_tags` are those of `tags` that people have added; `notes` come oldest first. `withheld` are the parts that
    are left out because the recording is archived, or because they may hold precise positions, which the reader may not
    see: then `box` is that of `place_cell`. `datasets` has the versions that the clip is in, by dataset; nothing to
    those who only label.
    """

    software: dict[str, str]
    cameras: list[CameraView]
    datasets: dict[str, list[int]]
    track: list[Position] | None
    assets: list[AssetView]
    withheld: list[WithheldView] = []
    derived_bytes: int
    statistics: dict[str, int | float | None]
    units: dict[str, str | None]
    mean_over: dict[str, str]
    remarks: list[RemarkView]
    label_documents: list[LabelView]
    added_tags: list[AddedTagView]
    notes: list[NoteView]


class FilterView(BaseModel):
    """A filter as `GET /v1/clips` takes it: numbers in the units of what they are compared with, times absolute.

    `notes` say which of its conditions have no index.
    """

    filter: str
    language: Literal["cql2-text"] = Field("cql2-text", alias="filter-lang")
    notes: list[str] = []

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


class PropertyView(View):
    """A property that filters may name: its type, and its unit where it always has the same.

    It `sorts` if pages can be in its order; `values` are all that it can have, empty where they are not listed.
    """

    name: str
    kind: Literal["text", "number", "time", "interval", "attribute", "geometry", "box"]
    title: str
    description: str
    unit: str | None
    sorts: bool
    values: list[str]


class KnownSignalView(View):
    """A signal that clips have had. `unit` is null where it is not known, or not the same in all clips.

    Filters name its statistics: `NAME.min`, `NAME.max`, `NAME.mean`, `NAME.samples`. It is `indexed` if these are fast
    to search alone.
    """

    name: str
    unit: str | None
    indexed: bool


class PropertiesView(BaseModel):
    """What filters may name: properties of every clip, attributes of vehicles that clips have had, and signals.

    `capped`: there are more attributes or signals than are listed, which are the first by name.
    """

    properties: list[PropertyView]
    attributes: list[str]
    signals: list[KnownSignalView]
    capped: bool


class FunctionsView(BaseModel):
    """The functions that filters can call beside those of CQL2, as OGC 21-065r2 lists them."""

    functions: list[FunctionView]
