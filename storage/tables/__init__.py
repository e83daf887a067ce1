"""Every table of the one schema; `metadata` is what migrations are compared with."""

from storage.tables.assignments import assignments, vehicle_refusals
from storage.tables.base import is_in_schema, metadata
from storage.tables.campaigns import (
    assignment_revision,
    bundle_signatures,
    campaign_versions,
    compare_counts,
    enrolment_codes,
    fire_counts,
    restores,
    signal_catalogs,
    trust_documents,
    vehicles,
)
from storage.tables.clips import (
    clip_assets,
    clip_fires,
    clips,
    extraction_jobs,
    fires,
    label_jobs,
    labels,
    outbox,
    signal_statistics,
    signal_units,
)
from storage.tables.deployment import deployment
from storage.tables.erasure import erased_clips, erased_vehicles, object_deletions
from storage.tables.log import log_claims, log_members, log_partitions, log_records, log_segments
from storage.tables.people import api_tokens, audit, identities, users
from storage.tables.uploads import (
    dead_letters,
    ledger_accounts,
    ledger_entries,
    parked_cells,
    upload_pieces,
    uploads,
    vehicle_days,
)

__all__ = [
    "api_tokens",
    "assignment_revision",
    "assignments",
    "audit",
    "bundle_signatures",
    "campaign_versions",
    "clip_assets",
    "clip_fires",
    "clips",
    "compare_counts",
    "dead_letters",
    "deployment",
    "enrolment_codes",
    "erased_clips",
    "erased_vehicles",
    "extraction_jobs",
    "fire_counts",
    "fires",
    "identities",
    "is_in_schema",
    "label_jobs",
    "labels",
    "ledger_accounts",
    "ledger_entries",
    "log_claims",
    "log_members",
    "log_partitions",
    "log_records",
    "log_segments",
    "metadata",
    "object_deletions",
    "outbox",
    "parked_cells",
    "restores",
    "signal_catalogs",
    "signal_statistics",
    "signal_units",
    "trust_documents",
    "upload_pieces",
    "uploads",
    "users",
    "vehicle_days",
    "vehicle_refusals",
    "vehicles",
]
