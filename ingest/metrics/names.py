"""The table of all metrics: names, kinds, labels and what each says. Rules, dashboard and docs use no others.

Names follow OpenMetrics: base units, `_total` for what only grows. Labels have few values: no vehicle, clip or user.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from prometheus_client import Counter, Histogram


class Kind(StrEnum):
    """What a metric is."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: `name` as queries write it, the processes that have it, and what it says."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    processes: tuple[str, ...]
    help: str

    def counter(self) -> Counter:
        """A counter of the process, in no registry yet."""
        return Counter(self.name.removesuffix("_total"), self.help, self.labels, registry=None)

    def histogram(self, buckets: Sequence[float]) -> Histogram:
        """A histogram of the process, in no registry yet."""
        return Histogram(self.name, self.help, self.labels, registry=None, buckets=buckets)

    def family(self, samples: Iterable[tuple[tuple[str, ...], float]] = ()) -> Family:
        """The metric with these values, by the values of its labels."""
        return Family(self, tuple(samples))


@dataclass(frozen=True, slots=True)
class Family:
    """A metric with its values, as a source of metrics has them."""

    metric: Metric
    samples: tuple[tuple[tuple[str, ...], float], ...]


METRICS: dict[str, Metric] = {}
_ALL = ("api", "gateway", "ingest")


def _metric(name: str, kind: Kind, labels: str, processes: str, text: str) -> Metric:
    of = _ALL if processes == "all" else tuple(processes.split())
    METRICS[name] = metric = Metric(name, kind, tuple(labels.split()), of, text)
    return metric


# Counted in the processes
HTTP_REQUESTS = _metric(
    "longtail_http_requests_total",
    Kind.COUNTER,
    "method code",
    "api gateway",
    "Requests answered, by method and status",
)
HTTP_SECONDS = _metric(
    "longtail_http_request_seconds", Kind.HISTOGRAM, "method", "api gateway", "How long requests took"
)
CHECK_INS = _metric("longtail_check_ins_total", Kind.COUNTER, "code", "api", "Check-ins of vehicles, by status")
RECEIVED_BYTES = _metric(
    "longtail_received_bytes_total", Kind.COUNTER, "", "gateway", "Bytes of clips that were received and acknowledged"
)
UPLOAD_BYTES = _metric(
    "longtail_upload_bytes_total",
    Kind.COUNTER,
    "campaign network",
    "ingest",
    "Bytes of stored clips that a campaign was charged, by the network that they came over",
)
CLIP_STAGE = _metric(
    "longtail_clip_stage_seconds",
    Kind.HISTOGRAM,
    "stage",
    "api ingest",
    "How long clips took: announced (since the fire), stored, ready and labelled (each since the stage before)",
)

# Read from the database by the API, at every scrape
BUDGET_LIMIT = _metric(
    "longtail_budget_limit_bytes", Kind.GAUGE, "campaign", "api", 'Limit in bytes; campaign="" is the fleet\'s'
)
BUDGET_RESERVED = _metric(
    "longtail_budget_reserved_bytes", Kind.GAUGE, "campaign", "api", "Bytes that are reserved and have not arrived"
)
BUDGET_SETTLED = _metric("longtail_budget_settled_bytes", Kind.GAUGE, "campaign", "api", "Bytes that have arrived")
CLIP_LIMIT = _metric(
    "longtail_budget_limit_clips", Kind.GAUGE, "campaign", "api", "Limit in clips, of campaigns that have one"
)
CLIPS_HELD = _metric(
    "longtail_budget_held_clips",
    Kind.GAUGE,
    "campaign",
    "api",
    "Clips that are reserved or have arrived, of campaigns with a limit on clips",
)
COMPLETED = _metric(
    "longtail_campaign_completed",
    Kind.GAUGE,
    "campaign reason",
    "api",
    "1 for campaigns that completed within the last 7 days, by the reason: date, clips or budget",
)
OPEN_CLIPS = _metric(
    "longtail_open_clips", Kind.GAUGE, "state", "api", "Uploads that are not in the catalog yet: open or received"
)
UNSENT_EVENTS = _metric("longtail_unsent_events", Kind.GAUGE, "", "api", "Events of the outbox that wait")
EXTRACTIONS = _metric("longtail_waiting_extractions", Kind.GAUGE, "", "api", "Clips that wait for extraction")
DEAD_LETTERS = _metric("longtail_dead_letters", Kind.GAUGE, "reason", "api", "Open dead letters")
LEFT_OUT = _metric(
    "longtail_campaigns_left_out", Kind.GAUGE, "", "api", "Running campaigns that are not shown, as there are too many"
)
TRIGGERS_LEFT_OUT = _metric(
    "longtail_triggers_left_out",
    Kind.GAUGE,
    "",
    "api",
    "Triggers of running campaigns that are forecast to use half of their own limits or more and are not shown, as "
    "there are too many",
)

# Read from the database by the API, once a minute
SNAPSHOT_AGE = _metric(
    "longtail_snapshot_age_seconds",
    Kind.GAUGE,
    "",
    "api",
    "How old the numbers are that are counted once a minute: fires, expected fires and bytes, vehicles, label jobs",
)
FIRED = _metric("longtail_fired_total", Kind.COUNTER, "campaign", "api", "Fires that vehicles have reported")
FIRES = _metric(
    "longtail_fires_total",
    Kind.COUNTER,
    "campaign outcome",
    "api",
    "Fires that have ended: sampled_out, refused, dropped, failed, catalogued",
)
IN_FLIGHT = _metric("longtail_fires_in_flight", Kind.GAUGE, "campaign", "api", "Fires that have not ended")
UNACCOUNTED = _metric(
    "longtail_fires_unaccounted", Kind.GAUGE, "campaign", "api", "Fires that were handed over and are nowhere"
)
EXPECTED_FIRES = _metric(
    "longtail_expected_fires_total",
    Kind.COUNTER,
    "campaign",
    "api",
    "Fires that the backtests of the campaign's versions expect for the time in which vehicles have been armed; not of "
    "paused campaigns",
)
EXPECTED_BYTES = _metric(
    "longtail_expected_bytes_total", Kind.COUNTER, "campaign", "api", "Bytes that they expect for that time"
)
FORECAST = _metric(
    "longtail_forecast_bytes",
    Kind.GAUGE,
    "campaign quantile",
    "api",
    "Bytes that the newest forecast expects in the campaign's whole life without a limit: quantile 0.05, mean or 0.95",
)
EXHAUSTION = _metric(
    "longtail_budget_exhaustion_timestamp_seconds",
    Kind.GAUGE,
    "campaign",
    "api",
    "When it expects the limit in bytes to be reached (Unix time); missing where that is not before the end",
)
TRIGGER_LIMIT = _metric(
    "longtail_trigger_budget_limit_bytes",
    Kind.GAUGE,
    "campaign trigger",
    "api",
    "Limit in bytes of a trigger's own budget when it was last forecast; of at most ten triggers in a campaign, whose "
    "forecasts come closest to their limits or are furthest above them",
)
TRIGGER_FORECAST = _metric(
    "longtail_trigger_forecast_bytes",
    Kind.GAUGE,
    "campaign trigger quantile",
    "api",
    "Bytes that the newest forecast expects of such a trigger, as `longtail_forecast_bytes` of a campaign",
)
TRIGGER_EXHAUSTION = _metric(
    "longtail_trigger_budget_exhaustion_timestamp_seconds",
    Kind.GAUGE,
    "campaign trigger",
    "api",
    "When it expects that limit to be reached (Unix time); missing where that is not before the end",
)
VEHICLES = _metric(
    "longtail_vehicles",
    Kind.GAUGE,
    "state",
    "api",
    "Vehicles: enrolled, seen (checked in within a day), quarantined, stalled (seen, with fires in flight, and no byte "
    "received today or yesterday, UTC)",
)
LABEL_JOBS = _metric("longtail_label_jobs", Kind.GAUGE, "task state", "api", "Label jobs")

# Of ingest
LAG = _metric(
    "longtail_ingest_lag_records", Kind.GAUGE, "partition", "ingest", "Records of the log that may have to be read"
)
PART_READY = _metric(
    "longtail_part_ready", Kind.GAUGE, "part", "ingest", "Whether a part of ingest works (1) or not (0)"
)
DISK_FREE = _metric(
    "longtail_disk_free_bytes",
    Kind.GAUGE,
    "disk",
    "api ingest",
    "Free space: `data` (the data directory) and `objects` (if they are in a directory) of the API, `spool` of ingest",
)
DISK_SIZE = _metric("longtail_disk_size_bytes", Kind.GAUGE, "disk", "api ingest", "Size of the same file systems")
COLLECTED = _metric(
    "longtail_metrics_collected",
    Kind.GAUGE,
    "source",
    "all",
    "Whether a source of metrics could be read (1) or not (0); without it, its metrics are missing",
)
