"""Functions of the schema, made by migrations: which there are, and which somebody has dropped."""

from __future__ import annotations

from sqlalchemy import Connection, text

from storage.roles.rights import FUNCTION_RIGHTS

FUNCTIONS = (
    "audit_head",
    "audit_state",
    "begin_embedding",
    "begin_log_segment",
    "begin_session",
    "drop_log_segment",
    "exchange_token",
    "refuse_audit_change",
    "refuse_catalog_change",
    "refuse_closed_month_change",
    "refuse_dataset_change",
    "refuse_late_cost_entry",
    "refuse_price_book_change",
    "reserve_upload",
    "track_meets_box",
)
"""Every function that migrations make. A function keeps its former owner's rights as long as that owner has it, and a
migration cannot replace it."""

_SIGNATURES = {called.partition("(")[0]: called for rights in FUNCTION_RIGHTS.values() for called in rights}
_LOST = text("""
    SELECT coalesce(f.signature, f.name)
    FROM unnest(CAST(:names AS text[]), CAST(:signatures AS text[])) AS f(name, signature)
    WHERE CASE WHEN f.signature IS NOT NULL THEN to_regprocedure(f.signature) IS NULL ELSE NOT EXISTS (
        SELECT FROM pg_proc p WHERE p.proname = f.name AND p.pronamespace = to_regnamespace(current_schema())
    ) END ORDER BY f.name
""")


def lost_functions(connection: Connection) -> list[str]:
    """The functions that are gone, by name; those that roles call with their arguments, which must be the same."""
    signatures = [_SIGNATURES.get(name) for name in FUNCTIONS]
    found = connection.execute(_LOST, {"names": list(FUNCTIONS), "signatures": signatures})
    return list(found.scalars())
