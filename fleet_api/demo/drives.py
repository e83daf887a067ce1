"""Generated drives as recorded ones: a Parquet file of signals and a camera's MP4 in a folder each.

The format is that of any recorded drive: `t` in float64 seconds, one column a signal, NaN between its samples. The
schema's metadata say when the drive began (`longtail.start_ns`, ns since the Unix epoch).
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fleet_api.demo.scene import write_camera
from fleet_api.demo.sensors import Reading, sense
from fleet_api.demo.traffic import PLACES, Array, drive_traffic

START_NS_KEY = b"longtail.start_ns"
FIRST_START_NS = int(datetime(2026, 1, 5, 6, 30, tzinfo=UTC).timestamp()) * 1_000_000_000
_BETWEEN_STARTS_NS = 3 * 3600 * 1_000_000_000
DURATION_S = 120.0
COUNT = 4


def generate_drives(
    folder: Path, *, count: int = COUNT, duration_s: float = DURATION_S, seed: int = 1, camera: bool = True
) -> list[Path]:
    """Write `count` drives below `folder`, each in a folder of its own; returns these folders.

    The same arguments give the same files, byte for byte.
    """
    with ThreadPoolExecutor(max_workers=2) as pool:
        made = [pool.submit(_generate, folder, index, duration_s, seed, camera) for index in range(count)]
        return [each.result() for each in made]


def package_file(name: str) -> str:
    """The text of a file of this package: `signals.yaml` or `demo.trigger`."""
    return (files("fleet_api.demo") / name).read_text("utf-8")


def _generate(folder: Path, index: int, duration_s: float, seed: int, camera: bool) -> Path:
    truth = drive_traffic(seed, index, duration_s)
    round_trip = index // len(PLACES)
    drive = folder / (truth.place.name if round_trip == 0 else f"{truth.place.name}_{round_trip + 1}")
    drive.mkdir(parents=True, exist_ok=True)
    write_drive(drive / "signals.parquet", sense(truth, seed, index), FIRST_START_NS + index * _BETWEEN_STARTS_NS)
    if camera:
        write_camera(truth, drive / "front_main.mp4", seed * 1000 + index)
    return drive


def write_drive(path: Path, readings: Sequence[Reading], start_ns: int) -> None:
    """Merge the sensors' samples into rows of rising time, NaN where a signal had no sample."""
    t = np.unique(np.concatenate([reading.t for reading in readings]))
    columns: dict[str, Array] = {"t": t}
    for reading in readings:
        rows = np.searchsorted(t, reading.t)
        for name, values in reading.signals.items():
            columns[name] = np.full(t.size, np.nan)
            columns[name][rows] = values
    table = pa.table(columns).replace_schema_metadata({START_NS_KEY: str(start_ns).encode()})
    pq.write_table(table, path, compression="zstd")
