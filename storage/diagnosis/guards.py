"""Guards of tables whose rows are only added: triggers that refuse changes, and that somebody has switched off."""

from __future__ import annotations

from sqlalchemy import Connection, text

GUARDS = {
    "audit_is_append_only": "audit",
    "closed_months_are_append_only": "closed_months",
    "cost_entries_are_append_only": "cost_entries",
    "cost_entries_are_complete": "cost_entries",
    "dataset_members_are_append_only": "dataset_members",
    "dataset_versions_are_append_only": "dataset_versions",
    "price_books_are_append_only": "price_books",
    "signal_catalogs_are_append_only": "signal_catalogs",
}
"""Every trigger of the schema, with its table."""

_ON = text("""
    SELECT t.tgname, c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE c.relnamespace = to_regnamespace(current_schema()) AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
""")


def guards_that_are_off(connection: Connection) -> dict[str, str]:
    """The guards that were switched off or dropped by hand, with their tables."""
    on = {(row.tgname, row.relname) for row in connection.execute(_ON)}
    return {name: table for name, table in GUARDS.items() if (name, table) not in on}
