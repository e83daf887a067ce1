"""Tables of the catalog: clips, fires, statistics, assets, the outbox, extraction and label jobs, labels."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from storage.tables.base import at, created_at, is_one_of, json, metadata
from triggers.clips.clock import IMPLAUSIBLE
from triggers.contracts.api.labels import OPEN_JOBS, JobState
from triggers.times import NS_PER_S

_RECORDED_NS = f"""
    CASE WHEN '{IMPLAUSIBLE}'::text = ANY (tags)
    THEN (extract(epoch FROM stored_at AT TIME ZONE 'UTC'::text) * {NS_PER_S}::numeric)::bigint
    ELSE start_ns END
"""
"""When a clip was recorded: its start, or, where the vehicle's clock cannot have been right, when it was stored.

With the casts that PostgreSQL adds when it shows the expression, so that the two can be compared.
"""

_DURATION_S = "((end_ns - start_ns)::double precision / 1000000000::double precision)"
BOX = (
    "box(point(min_longitude, min_latitude), "
    "point(max_longitude + (360 * (min_longitude > max_longitude)::integer)::double precision, max_latitude))"
)
"""The box around a clip's track for its index; the east of one that crosses the antimeridian is above 180."""


def _moment_ns(column: str) -> str:
    """A timestamptz as ns since 1970, exactly, as storage/clips/properties/table.py spells it."""
    return f"((EXTRACT(epoch FROM ({column} AT TIME ZONE 'UTC'::text)) * 1000000000::numeric)::bigint)"


STORED_NS, READY_NS = _moment_ns("stored_at"), _moment_ns("ready_at")
_EXPIRES_S = "EXTRACT(epoch FROM (expires_at AT TIME ZONE 'UTC'::text))"
EXPIRES_NS = (
    f"((({_EXPIRES_S} - GREATEST({_EXPIRES_S} - 9223372036::numeric, 0::numeric)) * 1000000000::numeric)::bigint)"
)
"""The same of a time that may be far away: what is beyond the year 2262 is as late as can be said in ns."""


def _by(name: str, *columns: str, where: str | None = None) -> Index:
    """An index of `clips`; its last column is the id, so that pages in its order are ranges of it."""
    condition = None if where is None else text(where)
    return Index(f"ix_clips_{name}_id", *(text(column) for column in columns), "id", postgresql_where=condition)


clips = Table(
    "clips",
    metadata,
    Column("id", Text, primary_key=True),
    Column("upload_id", Text, ForeignKey("uploads.id"), nullable=False, unique=True),
    Column("vehicle_id", Text, ForeignKey("vehicles.id"), nullable=False),
    Column("recording_id", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="stored"),
    Column("start_ns", BigInteger, nullable=False),
    Column("end_ns", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
    Column("object_key", Text, nullable=False, unique=True),
    json("manifest"),
    json("attributes"),
    json("software"),
    Column("tags", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("fired", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("track", JSONB),
    Column("min_latitude", Float),
    Column("max_latitude", Float),
    Column("min_longitude", Float),
    Column("max_longitude", Float),
    Column("place_cell", Text),
    Column("extractor_version", Integer),
    Column("damage", Text),
    json("remarks", default=text("'[]'")),
    created_at("stored_at"),
    at("ready_at"),
    at("expires_at"),
    Column("tier", Text),
    at("restore_asked_at"),
    Column("recorded_ns", BigInteger, Computed(_RECORDED_NS, persisted=True), nullable=False),
    Column("duplicate_of", Text, ForeignKey("clips.id", ondelete="SET NULL")),
    CheckConstraint("state IN ('stored','ready','damaged')", name="state"),
    Index("ix_clips_start_ns_id", "start_ns", "id"),
    Index("ix_clips_recorded_ns_id", "recorded_ns", "id"),
    Index("ix_clips_end_ns_id", "end_ns", "id"),
    Index("ix_clips_vehicle_id_id", "vehicle_id", "id"),
    Index("ix_clips_vehicle_id_recorded_ns_id", "vehicle_id", "recorded_ns", "id"),
    Index("ix_clips_state_recorded_ns_id", "state", "recorded_ns", "id"),
    Index("ix_clips_size_bytes_id", "size_bytes", "id"),
    Index("ix_clips_recording_id", "recording_id"),
    Index("ix_clips_digest", "digest"),
    Index("ix_clips_damage", text('"left"(damage, 100)'), postgresql_where=text("damage IS NOT NULL")),
    Index("ix_clips_implausible", "start_ns", postgresql_where=text("recorded_ns <> start_ns")),
    _by("duration_s", _DURATION_S),
    _by("stored_at", STORED_NS),
    _by("ready_at", READY_NS),
    _by("expires_at", EXPIRES_NS),
    Index(
        "ix_clips_terms",
        "attributes",
        "tags",
        "fired",
        postgresql_using="gin",
        postgresql_ops={"attributes": "jsonb_path_ops"},
        postgresql_with={"gin_pending_list_limit": 256},
    ),
    Index("ix_clips_box", text(BOX), postgresql_using="gist", postgresql_where=text("min_latitude IS NOT NULL")),
    Index("ix_clips_expires_at", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
    Index("ix_clips_place_cell", "place_cell", "id", postgresql_where=text("place_cell IS NOT NULL")),
    Index("ix_clips_tier_stored_at", "tier", "stored_at"),
    Index("ix_clips_stored", "id", postgresql_where=text("state = 'stored'")),
    Index("ix_clips_duplicate_of", "duplicate_of", postgresql_where=text("duplicate_of IS NOT NULL")),
    Index("ix_clips_middle", text("((min_latitude + max_latitude) / 2)"), "recorded_ns"),
)
"""`tags` are those of triggers that fired, and of people (`clip_tags` says which). `expires_at` is the latest end of
what its fires' campaign versions `retain`; null: the clip stays. `fired` names the campaigns and triggers of its fires,
and each pair of them (`fired_terms`), for one index with attributes and tags. `place_cell` is where the track begins.
`duplicate_of` is an earlier clip that is almost the same; once that is erased, this one is its own again. `tier` is the
storage class that its recording was moved to, null: none yet."""


def fired_terms(campaign: str | None = None, trigger: str | None = None) -> list[str]:
    """What `clips.fired` contains because of a fire: its campaign, its trigger, and both together."""
    terms = [f"{_CAMPAIGN}{campaign}"] if campaign is not None else []
    terms += [f"{_TRIGGER}{trigger}"] if trigger is not None else []
    return [*terms, f"both {campaign} {trigger}"] if len(terms) == 2 else terms


def fired_names(terms: Sequence[str]) -> tuple[list[str], list[str]]:
    """The campaigns and the triggers that `clips.fired` names, both sorted.

    >>> fired_names(fired_terms("night", "cut_in") + fired_terms("braking", "cut_in"))
    (['braking', 'night'], ['cut_in'])
    """
    campaigns = {term.removeprefix(_CAMPAIGN) for term in terms if term.startswith(_CAMPAIGN)}
    triggers = {term.removeprefix(_TRIGGER) for term in terms if term.startswith(_TRIGGER)}
    return sorted(campaigns), sorted(triggers)


_CAMPAIGN, _TRIGGER = "campaign ", "trigger "


fires = Table(
    "fires",
    metadata,
    Column("campaign", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("vehicle_id", Text, ForeignKey("vehicles.id"), primary_key=True),
    Column("ordinal", BigInteger, primary_key=True),
    Column("trigger", Text, nullable=False),
    Column("program_digest", Text, nullable=False),
    Column("t_ns", BigInteger, nullable=False),
    Column("inclusion_probability", Float, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text),
    Column("without_clip", Text),
    CheckConstraint("outcome IN ('catalogued','failed')", name="outcome"),
    CheckConstraint("(reason IS NULL) = (outcome = 'catalogued')", name="reason"),
    CheckConstraint(
        "without_clip IS NULL OR without_clip IN ('expired','erased') AND outcome = 'catalogued'", name="without_clip"
    ),
    ForeignKeyConstraint(["campaign", "version"], ["campaign_versions.campaign", "campaign_versions.version"]),
    Index("ix_fires_campaign_trigger", "campaign", "trigger"),
)
"""Fires that reached the cloud, by the outcome the cloud gave them; the vehicle's own outcomes are in fire_counts.
`without_clip` says why a catalogued fire is in no clip any more: the last one expired, or was erased."""

clip_fires = Table(
    "clip_fires",
    metadata,
    Column("clip_id", Text, ForeignKey("clips.id"), primary_key=True),
    Column("campaign", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("vehicle_id", Text, primary_key=True),
    Column("ordinal", BigInteger, primary_key=True),
    Column("window_start_ns", BigInteger, nullable=False),
    Column("window_end_ns", BigInteger, nullable=False),
    Column("charged_bytes", BigInteger, nullable=False),
    Column("trigger", Text, nullable=False),
    Column("program_digest", Text, nullable=False),
    Column("t_ns", BigInteger, nullable=False),
    Column("inclusion_probability", Float, nullable=False),
    Column("recorded_ns", BigInteger, nullable=False),
    ForeignKeyConstraint(
        ["campaign", "version", "vehicle_id", "ordinal"],
        ["fires.campaign", "fires.version", "fires.vehicle_id", "fires.ordinal"],
    ),
    Index("ix_clip_fires_fire", "campaign", "version", "vehicle_id", "ordinal"),
    *(
        Index(f"ix_clip_fires_{column}_recorded_ns_clip_id", column, "recorded_ns", "clip_id")
        for column in ("campaign", "version", "trigger", "program_digest")
    ),
    Index("ix_clip_fires_t_ns_clip_id", "t_ns", "clip_id"),
    Index("ix_clip_fires_inclusion_probability_clip_id", "inclusion_probability", "clip_id"),
)
"""Which fires a clip has. What filters ask of a fire stands here again, with the clip's `recorded_ns`, so that the
clips of a trigger are a range of an index, the newest first. `fires` is where it comes from, and never changes."""

signal_statistics = Table(
    "signal_statistics",
    metadata,
    Column("clip_id", Text, ForeignKey("clips.id"), primary_key=True),
    Column("signal", Text, primary_key=True),
    Column("samples", BigInteger, nullable=False),
    Column("minimum", Float),
    Column("maximum", Float),
    Column("mean", Float),
    Column("mean_over", Text, nullable=False, server_default="samples"),
    Column("unit", Text),
    Column("indexed", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint("mean_over IN ('samples','time')", name="mean_over"),
    *(
        Index(f"ix_signal_statistics_{column}", "signal", column, "clip_id", postgresql_where=text("indexed"))
        for column in ("minimum", "maximum", "mean", "samples")
    ),
)
"""`unit` is that of the campaigns' catalogs, empty for a bare number; null where they do not agree, or do not know the
signal."""

signal_units = Table(
    "signal_units",
    metadata,
    Column("signal", Text, nullable=False),
    Column("unit", Text),
    Column("dimension", Text),
    Column("scale", Float),
    Column("zero", Float),
    UniqueConstraint("signal", "unit", postgresql_nulls_not_distinct=True),
)
"""The signals that clips have had, with every unit they had. A value in this unit, times `scale` plus `zero`, is in the
base unit of its `dimension`."""

indexed_signals = Table(
    "indexed_signals",
    metadata,
    Column("signal", Text, primary_key=True),
    Column("complete", Boolean, nullable=False, server_default=text("false")),
)
"""Signals that a campaign's catalog declares `indexed`; `complete` once the statistics of all clips are."""

known_attributes = Table(
    "known_attributes",
    metadata,
    Column("attribute", Text, primary_key=True),
)
"""The attributes of vehicles that clips have had."""

known_values = Table(
    "known_values",
    metadata,
    Column("about", Text, primary_key=True),
    Column("value", JSONB, primary_key=True),
)
"""The values that clips have had of `vehicle.ATTRIBUTE`, and their `tags`; a null alone where these are too many."""

clip_terms = Table(
    "clip_terms",
    metadata,
    Column("term", UUID(as_uuid=False), primary_key=True),
    Column("first_ns", BigInteger, nullable=False),
    Column("last_ns", BigInteger, nullable=False),
)
"""For each value of an attribute and each tag that clips have had: bounds of `recorded_ns` of these clips."""


clip_days = Table(
    "clip_days",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("stored_first_ns", BigInteger),
    Column("stored_last_ns", BigInteger),
    Column("ready_first_ns", BigInteger),
    Column("ready_last_ns", BigInteger),
    Column("expires_first_ns", BigInteger),
    Column("expires_last_ns", BigInteger),
)
"""For each day since 1970 on which clips were recorded: bounds of when these were stored, became ready, and expire."""


def attribute_term(name: str, value: str) -> str:
    """The term of an attribute's value in SQL; numbers that are equal are the same, however they are written."""
    number = f"trim_scale(CAST(({value} #>> '{{}}') AS numeric))::text"
    spelled = f"CASE WHEN jsonb_typeof({value}) = 'number' THEN {number} ELSE {value}::text END"
    return f"md5('attribute ' || to_json({name})::text || ' ' || {spelled})::uuid"


def tag_term(tag: str) -> str:
    """The term of a tag in SQL."""
    return f"md5('tag ' || {tag})::uuid"


clip_assets = Table(
    "clip_assets",
    metadata,
    Column("clip_id", Text, ForeignKey("clips.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("object_key", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("digest", Text),
    Column("offset_ns", BigInteger),
    Column("width", Integer),
    Column("height", Integer),
    Column("extractor_version", Integer, nullable=False),
    created_at(),
)
"""`digest` is the SHA-256 of the object's bytes, in hex; null for those of before it was kept. A preview has when its
first picture is after the clip's start, and the size of the camera's own pictures; null likewise."""

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("topic", Text, nullable=False),
    Column("key", Text, nullable=False),
    json("payload"),
    created_at(),
    at("sent_at"),
    UniqueConstraint("topic", "key"),
    Index("ix_outbox_unsent", "id", postgresql_where=text("sent_at IS NULL")),
    Index("ix_outbox_sent_at", "sent_at", postgresql_where=text("sent_at IS NOT NULL")),
)
"""Events written together with the change they report. Read by `sent_at IS NULL FOR UPDATE SKIP LOCKED`,
never by `id > last`."""


def job_columns() -> list[Column[object]]:
    """What `storage.job_leases` needs of a table."""
    return [
        Column("state", Text, nullable=False, server_default="ready"),
        Column("attempts", Integer, nullable=False, server_default="0"),
        Column("token", BigInteger, nullable=False, server_default="0"),
        at("lease_until"),
        Column("reason", Text),
        created_at(),
        at("finished_at"),
    ]


extraction_jobs = Table(
    "extraction_jobs",
    metadata,
    Column("clip_id", Text, ForeignKey("clips.id"), primary_key=True),
    Column("extractor_version", Integer, primary_key=True),
    *job_columns(),
    Column("worker", Text),
    Column("vehicle_id", Text, ForeignKey("vehicles.id"), nullable=False),
    CheckConstraint(is_one_of("state", JobState), name="state"),
    Index("ix_extraction_jobs_open", "vehicle_id", "created_at", postgresql_where=text(is_one_of("state", OPEN_JOBS))),
)
"""`vehicle_id` is the clip's: workers take turns by vehicle."""

label_jobs = Table(
    "label_jobs",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("clip_id", Text, ForeignKey("clips.id"), nullable=False),
    Column("task", Text, nullable=False),
    *job_columns(),
    Column("claimed_by", Text),
    Column("labeler", Text),
    Column("is_duplicate", Boolean, nullable=False, server_default=text("false")),
    UniqueConstraint("clip_id", "task"),
    CheckConstraint("(claimed_by IS NULL) = (labeler IS NULL)", name="claimant"),
    CheckConstraint(is_one_of("state", JobState), name="state"),
    Index(
        "ix_label_jobs_open",
        "task",
        "is_duplicate",
        text("coalesce(lease_until, created_at)"),
        "id",
        postgresql_where=text(is_one_of("state", OPEN_JOBS)),
    ),
)
"""`claimed_by` is the user who holds the job or held it last, `labeler` who labels for that user. `is_duplicate`: its
clip is a duplicate (`clips.duplicate_of`), so that claims pass over any number of them."""

labels = Table(
    "labels",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("job_id", BigInteger, ForeignKey("label_jobs.id"), nullable=False, unique=True),
    Column("clip_id", Text, ForeignKey("clips.id"), nullable=False),
    Column("labeler", Text, nullable=False),
    Column("types", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    json("openlabel"),
    json("provenance"),
    created_at(),
    Index("ix_labels_clip_id", "clip_id"),
    Index("ix_labels_labeler_clip_id", "labeler", "clip_id"),
    Index("ix_labels_types", "types", postgresql_using="gin"),
)
"""Labels as ASAM OpenLABEL documents; `types` are the object, event, ... types in them. `labeler` tells people who
or what made them, as `<user>/<labeler>`; who may touch a job is decided by the job."""
