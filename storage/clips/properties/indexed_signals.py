"""Signals that campaigns declare `indexed`: their statistics are searched and sorted by indexes, those of all clips.

A declared signal is written down first, and every extraction after that marks its statistics. Then those of earlier
clips are marked, in batches; searches use the index from when none is left.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from storage.clips.catalogs import parsed
from storage.tables import campaign_versions, indexed_signals

BATCH = 5_000
_LOCK = 0x696E6478  # "indx": held shared by who writes statistics, and alone by who declares signals
_MARK = text("""
    UPDATE signal_statistics SET indexed = true WHERE (clip_id, signal) IN (
        SELECT clip_id, signal FROM signal_statistics WHERE signal = :signal AND NOT indexed LIMIT :batch
    )
""")


def of_these(connection: Connection, signals: Collection[str]) -> set[str]:
    """Those of the signals whose statistics are to be marked; what is declared next waits for this transaction."""
    connection.execute(select(func.pg_advisory_xact_lock_shared(_LOCK)))
    return set(
        connection.execute(
            select(indexed_signals.c.signal).where(indexed_signals.c.signal.in_(sorted(signals)))
        ).scalars()
    )


def newest_version(connection: Connection) -> datetime | None:
    """When the newest campaign version was written: signals may be declared since. None while there is none."""
    newest: datetime | None = connection.execute(select(func.max(campaign_versions.c.created_at))).scalar_one()
    return newest


def declare(connection: Connection) -> int:
    """Write down the signals that signal catalogs of campaigns declare `indexed`; how many are new."""
    texts = connection.execute(select(campaign_versions.c.signal_catalog).distinct()).scalars()
    declared = {name for catalog in parsed(texts) for name, signal in catalog.signals.items() if signal.indexed}
    new = sorted(declared - set(connection.execute(select(indexed_signals.c.signal)).scalars()))
    if new:
        # Whoever writes statistics without knowing of these signals has ended when the lock is given.
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        rows = [{"signal": signal} for signal in new]
        connection.execute(insert(indexed_signals).on_conflict_do_nothing(), rows)
    return len(new)


def complete(connection: Connection, *, batch: int = BATCH) -> int:
    """Mark statistics of clips that were extracted before their signal was declared; how many were marked.

    When none is left, the signal is searched by its index.
    """
    waiting = select(indexed_signals.c.signal).where(~indexed_signals.c.complete).order_by(indexed_signals.c.signal)
    signal = connection.execute(waiting.limit(1).with_for_update(skip_locked=True)).scalar_one_or_none()
    if signal is None:
        return 0
    marked = connection.execute(_MARK, {"signal": signal, "batch": batch}).rowcount
    if marked < batch:
        connection.execute(update(indexed_signals).where(indexed_signals.c.signal == signal).values(complete=True))
    return marked
