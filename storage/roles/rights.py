"""The rights of each process's role: what it may do to which table, and which functions it may call.

A table that is not listed is closed to that role. A right with columns in parentheses is for these alone. The words are
PostgreSQL's: locking rows (`FOR UPDATE`, `FOR SHARE`) takes UPDATE of any column, `ON CONFLICT` and `RETURNING` take
SELECT. Keys that refer to other tables are checked with the owner's rights.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class DatabaseRole(StrEnum):
    """The roles of a deployment, by their names in PostgreSQL."""

    OWNER = "longtail_owner"
    """Owns the schema: migrations, backups, and the commands of those who operate the deployment."""
    API = "longtail_api"
    GATEWAY = "longtail_gateway"
    INGEST = "longtail_ingest"


PROCESS_ROLES = {"api": DatabaseRole.API, "gateway": DatabaseRole.GATEWAY, "ingest": DatabaseRole.INGEST}
"""By the process's name, as whom it connects. The signer has no database."""

_READ = "SELECT"
_ADD = "SELECT, INSERT"
_CHANGE = "SELECT, UPDATE"
_WRITE = "SELECT, INSERT, UPDATE"
_ALL = "SELECT, INSERT, UPDATE, DELETE"
_JUNK = "UPDATE (former_token_hash, quarantined_at, quarantined_by, quarantine_reason)"

_API = {
    "alembic_version": _READ,
    "deployment": _READ,
    # People. A log-in may bring somebody new, and begins a session by a function: the API cannot make other tokens.
    "users": _WRITE,
    "api_tokens": f"{_READ}, UPDATE (last_used_at, revoked_at)",
    "identities": _ADD,
    "audit": _ADD,
    # Campaigns and keys
    "assignment_revision": _CHANGE,
    "bundle_signatures": _WRITE,
    "campaign_owners": _WRITE,
    "campaign_reports": _WRITE,
    "campaign_versions": _WRITE,
    "restores": _READ,
    "rollout_halts": _WRITE,
    "signal_catalogs": _ADD,
    "trust_documents": _ADD,
    # Vehicles
    "assignments": _WRITE,
    "compare_counts": _WRITE,
    "count_parts": _WRITE,
    "enrolment_codes": _ALL,
    "erased_vehicles": _ADD,
    "event_counts": _WRITE,
    "fire_counts": _WRITE,
    "forecasts": _READ,
    "rate_days": _READ,
    "vehicle_refusals": _WRITE,
    "vehicles": _WRITE,
    # The catalog. A clip is erased in the request that asks for it.
    "clip_assets": f"{_READ}, DELETE",
    "clip_days": _READ,
    "clip_fires": f"{_READ}, DELETE",
    "clip_notes": f"{_ADD}, DELETE",
    "clip_openings": f"{_ADD}, DELETE",
    "clip_tags": f"{_ADD}, DELETE",
    "clip_terms": _WRITE,
    "clip_texts": _ALL,
    "clip_vectors": _ALL,
    "clips": f"{_CHANGE}, DELETE",
    "dead_letters": _CHANGE,
    "embeddings": _READ,
    "erased_clips": _ADD,
    "extraction_jobs": f"{_CHANGE}, DELETE",
    "fires": _WRITE,
    "indexed_signals": _READ,
    "known_attributes": _READ,
    "known_values": _ALL,
    "label_jobs": f"{_CHANGE}, DELETE",
    "labels": f"{_ADD}, DELETE",
    "object_deletions": _ADD,
    "outbox": _ADD,
    "scan_hits": _ALL,
    "scans": _ALL,
    "backtest_fires": _ALL,
    "backtest_results": _ALL,
    "backtests": _ALL,
    "signal_statistics": f"{_READ}, DELETE",
    "signal_units": _READ,
    # Datasets, whose versions and members are added and never changed; searches are their owners'.
    "dataset_members": _ADD,
    "dataset_versions": _ADD,
    "datasets": f"{_ADD}, UPDATE (lets_expire, changed_by_id, changed_at, change_reason)",
    "saved_searches": _ALL,
    "vector_jobs": f"{_CHANGE}, DELETE",
    # Uploads, which end with their vehicle
    "budget_limits": _ALL,
    "ledger_accounts": _READ,
    "ledger_days": _READ,
    "ledger_entries": _ADD,
    "price_books": _ADD,
    "closed_months": _ADD,
    "cost_days": _READ,
    "cost_months": _READ,
    "cost_rollups": _READ,
    "tier_moves": _READ,
    "cost_entries": _ADD,
    "ledger_receipts": _READ,
    "parked_cells": f"{_READ}, DELETE",
    "upload_pieces": f"{_READ}, DELETE",
    "uploads": _CHANGE,
    "vehicle_days": _READ,
    # Alerts, which the API's processes evaluate by turns
    "alert_evaluation": _WRITE,
    # Usage: what reports add, and what is asked
    "upload_hours": _READ,
    "usage_days": _READ,
    "usage_hours": _READ,
    "usage_increments": _ADD,
    "usage_series": _READ,
}
_GATEWAY = {
    "alembic_version": _READ,
    "deployment": _READ,
    "assignments": _READ,
    "audit": "INSERT",
    "budget_limits": _READ,
    "campaign_owners": _READ,
    "campaign_versions": _READ,
    "clips": _READ,
    "dead_letters": _ADD,
    "fires": _WRITE,
    "ledger_accounts": _WRITE,
    "ledger_days": _WRITE,
    "ledger_entries": _WRITE,
    "ledger_receipts": _WRITE,
    "log_partitions": _WRITE,
    "log_records": _ADD,
    "log_segments": _WRITE,
    "parked_cells": f"{_READ}, DELETE",
    "restores": _READ,
    "upload_pieces": _ALL,
    "uploads": _WRITE,
    "upload_hours": _WRITE,
    "usage_increments": "INSERT",
    "vehicle_days": _WRITE,
    "vehicle_refusals": _WRITE,
    "vehicles": f"{_READ}, {_JUNK}",
}
_INGEST = {
    "alembic_version": _READ,
    "deployment": _READ,
    "assignment_revision": _CHANGE,
    "assignments": f"{_READ}, DELETE",
    "audit": "INSERT",
    "budget_limits": _READ,
    "campaign_owners": _READ,
    "campaign_versions": _CHANGE,
    "rollout_halts": _READ,
    "clip_assets": _ALL,
    "clip_days": _WRITE,
    "clip_fires": _ALL,
    "clip_notes": f"{_READ}, DELETE",
    "clip_openings": f"{_READ}, DELETE",
    "clip_tags": f"{_READ}, DELETE",
    "clip_terms": _WRITE,
    "clip_texts": _ALL,
    "clip_vectors": _ALL,
    "clips": _ALL,
    "compare_counts": f"{_CHANGE}, DELETE",
    "cost_days": _ALL,
    "cost_months": _ALL,
    "cost_rollups": _ALL,
    "tier_moves": _ADD,
    "count_parts": f"{_CHANGE}, DELETE",
    "dataset_members": _READ,
    "datasets": _READ,
    "dead_letters": _ALL,
    "embeddings": _READ,
    "erased_clips": _ADD,
    "erased_vehicle_clips": "SELECT, INSERT, DELETE",
    "erased_vehicles": _CHANGE,
    "event_counts": f"{_CHANGE}, DELETE",
    "extraction_jobs": _ALL,
    "fire_counts": _ALL,
    "fires": _WRITE,
    "indexed_signals": _WRITE,
    "known_attributes": _ADD,
    "known_values": _ALL,
    "label_jobs": _ALL,
    "labels": f"{_READ}, DELETE",
    "ledger_accounts": _ALL,
    "ledger_days": _WRITE,
    "ledger_entries": _ALL,
    "ledger_receipts": _ALL,
    "log_claims": _WRITE,
    "log_members": _ALL,
    "log_partitions": _WRITE,
    "log_records": _ADD,
    "log_segments": _ALL,
    "object_deletions": _ALL,
    "outbox": _ALL,
    "parked_cells": _ALL,
    "forecasts": _WRITE,
    "rate_days": _WRITE,
    "restores": _READ,
    "scan_hits": f"{_CHANGE}, DELETE",
    "scans": f"{_READ}, DELETE",
    "backtests": f"{_READ}, DELETE",
    "signal_statistics": _ALL,
    "signal_units": _WRITE,
    "upload_pieces": f"{_READ}, DELETE",
    "uploads": f"{_CHANGE}, DELETE",
    "upload_hours": _WRITE,
    "usage_days": _WRITE,
    "usage_hours": _ALL,
    "usage_increments": f"{_ADD}, DELETE",
    "usage_series": _ADD,
    "users": _READ,
    "vector_jobs": _ALL,
    "vehicle_days": _ALL,
    "vehicle_refusals": _WRITE,
    "vehicles": _ALL,
}
TABLE_RIGHTS: Mapping[DatabaseRole, Mapping[str, str]] = {
    DatabaseRole.API: _API,
    DatabaseRole.GATEWAY: _GATEWAY,
    DatabaseRole.INGEST: _INGEST,
}
_AUDIT = ("audit_head()", "audit_state(text, text)")
_EMBEDDING = "begin_embedding(text, integer)"
_SESSIONS = (
    "begin_session(bytea, bigint, text, text[], text, integer)",
    "exchange_token(bytea, bigint, text, integer)",
)
FUNCTION_RIGHTS: Mapping[DatabaseRole, tuple[str, ...]] = {
    DatabaseRole.API: (*_AUDIT, _EMBEDDING, *_SESSIONS),
    DatabaseRole.GATEWAY: (*_AUDIT, "begin_log_segment(bigint)", "reserve_upload(text, jsonb)"),
    DatabaseRole.INGEST: (*_AUDIT, _EMBEDDING, "begin_log_segment(bigint)", "drop_log_segment(bigint)"),
}
"""Functions that do with the owner's rights what takes them: segments of the log are tables, an entry of the audit log
needs the hash of the one before, a log-in and a token's exchange make a session that lasts a day at most, an embedding
has an index, and a reservation that is refused takes its entries back."""
