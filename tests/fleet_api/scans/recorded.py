"""Clips with extracted signals in the catalog and the object store of an API under test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sqlalchemy import update

from storage.tables import campaign_versions, clip_assets
from tests.fleet_api.api_server import Api
from tests.storage.clips.catalog_support import SECOND_NS, T_NS, add_clip
from tests.support.rows import add_row
from triggers.contracts import media_types
from triggers.contracts.api.clips import SIGNALS_ASSET
from triggers.drives.series import SignalSeries, write_drive

MS = 1_000_000
SIGNALS = """
signals:
  ego.speed: {unit: m/s, rate: 50}
  lead.distance: {unit: m, rate: 20}
vehicle: {region: text}
"""
BRAKING = {"ego.speed": {ms: 20.0 if ms <= 2000 else 20 - (ms - 2000) / 100 for ms in range(0, 4000, 20)}}
"""Its speed falls below 15 m/s at 2,520 ms."""
STEADY = {"ego.speed": dict.fromkeys(range(0, 4000, 20), 20.0)}
SLOWER = "ego.speed < 15 m/s"
SLOWER_AT_NS = 2520 * MS


def signals_file(signals: Mapping[str, Mapping[int, float]], start_ns: int = T_NS) -> bytes:
    """The file of extracted signals; samples are by ms after the start."""
    series = {
        name: SignalSeries(
            np.array([start_ns + ms * MS for ms in sorted(samples)], np.int64),
            np.array([samples[ms] for ms in sorted(samples)], float),
        )
        for name, samples in signals.items()
    }
    with TemporaryDirectory() as folder:
        path = Path(folder, "signals.parquet")
        write_drive(path, series, start_ns=start_ns)
        return path.read_bytes()


def add_recorded(
    api: Api,
    signals: Mapping[str, Mapping[int, float]] | bytes | None,
    *,
    number: int = 0,
    campaign: str = "braking",
    catalog: str = SIGNALS,
) -> str:
    """A clip of a campaign with these signals (or these bytes for them, or none), `number` minutes after the first."""
    start_ns = T_NS + number * 60 * SECOND_NS
    with api.database.begin() as connection:
        clip_id = add_clip(connection, start_ns=start_ns, fired=[(campaign, "hard")], state="ready")
        connection.execute(
            update(campaign_versions).where(campaign_versions.c.campaign == campaign).values(signal_catalog=catalog)
        )
        if signals is None:
            return clip_id
        data = signals if isinstance(signals, bytes) else signals_file(signals, start_ns)
        key = f"extracted/{clip_id}/signals.parquet"
        asset = {"name": SIGNALS_ASSET, "media_type": media_types.PARQUET, "size_bytes": len(data)}
        add_row(connection, clip_assets, clip_id=clip_id, object_key=key, **asset)
    api.app.state.services.store.put(key, data)
    return clip_id
