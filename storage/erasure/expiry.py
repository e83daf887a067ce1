"""When clips expire: at the latest end of what the campaign versions of their fires `retain`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select, tuple_

from storage.tables import campaign_versions
from triggers.contracts.clip import RecordingManifest

_NS_PER_US = 1000


def expiries_of(connection: Connection, recordings: Sequence[RecordingManifest]) -> list[datetime | None]:
    """When the clip of each recording expires if it is stored in this transaction; None: it stays.

    The version of each fire decides. A fire whose version has no `retain` keeps its clip for ever, and later versions
    change nothing for clips of earlier ones.
    """
    table = campaign_versions.c
    versions = sorted({(fire.campaign, fire.version) for recording in recordings for fire in recording.fires})
    rows = connection.execute(
        select(table.campaign, table.version, table.settings["retain_ns"].label("retain_ns")).where(
            tuple_(table.campaign, table.version).in_(versions)
        )
    )
    retained = {(row.campaign, row.version): row.retain_ns for row in rows}
    stored_at: datetime = connection.execute(select(func.now())).scalar_one()
    return [
        _expiry(stored_at, [retained.get((fire.campaign, fire.version)) for fire in recording.fires])
        for recording in recordings
    ]


def _expiry(stored_at: datetime, retained_ns: Sequence[int | None]) -> datetime | None:
    kept_ns = [each for each in retained_ns if each is not None]
    if len(kept_ns) < len(retained_ns):
        return None
    try:
        return stored_at + timedelta(microseconds=max(kept_ns) // _NS_PER_US)
    except OverflowError:  # after the year 9999
        return None
