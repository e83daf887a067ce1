"""The schema of the journal, as a list of steps from one version to the next."""

from __future__ import annotations

import sqlite3

from triggers.errors import Misconfigured

FOUNDING_SCHEMA = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE bundles (digest TEXT PRIMARY KEY, sealed BLOB NOT NULL);
CREATE TABLE versions (
    campaign TEXT NOT NULL, version INTEGER NOT NULL,
    fired INTEGER NOT NULL DEFAULT 0, suppressed INTEGER NOT NULL DEFAULT 0,
    armed_ns INTEGER NOT NULL DEFAULT 0, distance_mm INTEGER NOT NULL DEFAULT 0,
    program_digest TEXT, state BLOB,
    PRIMARY KEY (campaign, version)
) WITHOUT ROWID;
CREATE TABLE clips (
    clip_id TEXT PRIMARY KEY, file TEXT NOT NULL UNIQUE, manifest BLOB NOT NULL, size_bytes INTEGER NOT NULL,
    priority INTEGER NOT NULL, queued_at_ns INTEGER NOT NULL, routes TEXT NOT NULL,
    upload_url TEXT, upload_network TEXT,
    attempts INTEGER NOT NULL DEFAULT 0, next_attempt_ns INTEGER NOT NULL DEFAULT 0, problem TEXT NOT NULL DEFAULT ''
);
CREATE TABLE fires (
    campaign TEXT NOT NULL, version INTEGER NOT NULL, ordinal INTEGER NOT NULL,
    trigger TEXT NOT NULL, t_ns INTEGER NOT NULL,
    outcome TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', captured BLOB,
    clip_id TEXT REFERENCES clips (clip_id),
    PRIMARY KEY (campaign, version, ordinal)
) WITHOUT ROWID;
CREATE INDEX fires_by_clip ON fires (clip_id) WHERE clip_id IS NOT NULL;
CREATE INDEX fires_by_outcome ON fires (outcome);
CREATE TABLE folded (
    campaign TEXT NOT NULL, version INTEGER NOT NULL, trigger TEXT NOT NULL,
    outcome TEXT NOT NULL, reason TEXT NOT NULL, fires INTEGER NOT NULL,
    PRIMARY KEY (campaign, version, trigger, outcome, reason)
) WITHOUT ROWID;
"""
TERMINATIONS = """
CREATE TABLE terminations (
    id INTEGER PRIMARY KEY AUTOINCREMENT, url TEXT NOT NULL UNIQUE, refusals INTEGER NOT NULL DEFAULT 0
)
"""
STATE_ORDER = """
ALTER TABLE versions ADD COLUMN state_number INTEGER NOT NULL DEFAULT 0
"""
COMPARED = """
CREATE TABLE compared (
    campaign TEXT NOT NULL, version INTEGER NOT NULL, head TEXT NOT NULL,
    neither INTEGER NOT NULL, only_shadow INTEGER NOT NULL, only_active INTEGER NOT NULL, both INTEGER NOT NULL,
    unknown INTEGER NOT NULL,
    PRIMARY KEY (campaign, version, head)
) WITHOUT ROWID
"""
NETWORK_OF_THE_UPLOAD = """
UPDATE clips SET manifest = CAST(json_remove(CAST(manifest AS TEXT), '$.network') AS BLOB)
"""
EVENTS = """
CREATE TABLE events (
    campaign TEXT NOT NULL, version INTEGER NOT NULL, head TEXT NOT NULL, sides TEXT NOT NULL,
    matched INTEGER NOT NULL, only_first INTEGER NOT NULL, only_second INTEGER NOT NULL,
    unresolved_first INTEGER NOT NULL, unresolved_second INTEGER NOT NULL,
    PRIMARY KEY (campaign, version, head, sides)
) WITHOUT ROWID
"""
SCHEMAS = (FOUNDING_SCHEMA, TERMINATIONS, STATE_ORDER, COMPARED, NETWORK_OF_THE_UPLOAD, EVENTS)
"""The steps, in order; the file of an older agent takes the steps that it lacks."""


def upgrade(db: sqlite3.Connection) -> None:
    """Take the steps that the file lacks, within a transaction. Raises Misconfigured for a newer agent's file."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if not 0 <= version <= len(SCHEMAS):
        raise Misconfigured(
            f"the vehicle's journal has schema {version}, but this agent knows only {len(SCHEMAS)}",
            remedy="install the newer agent again; going back would lose counts",
        )
    if version == len(SCHEMAS):
        return
    for step in SCHEMAS[version:]:
        for statement in step.split(";\n"):
            db.execute(statement)
    db.execute(f"PRAGMA user_version={len(SCHEMAS)}")
