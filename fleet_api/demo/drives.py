"""Generated drives in the format of recorded ones: a folder per drive, with signals in Parquet and a camera's MP4."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from fleet_api.demo.scene import write_camera
from fleet_api.demo.sensors import Reading, sense
from fleet_api.demo.traffic import PLACES, drive_traffic
from triggers.drives.names import FOLDER_FILE
from triggers.drives.series import SignalSeries, write_drive
from triggers.drives.times import to_ns
from triggers.times import NS_PER_S

FIRST_START_NS = int(datetime(2026, 1, 5, 6, 30, tzinfo=UTC).timestamp()) * NS_PER_S
_BETWEEN_STARTS_NS = 3 * 3600 * NS_PER_S
DURATION_S = 120.0
COUNT = 4


def generate_drives(
    folder: Path, *, count: int = COUNT, duration_s: float = DURATION_S, seed: int = 1, camera: bool = True
) -> list[Path]:
    """Write `count` drives of `duration_s` seconds, each in its own folder in `folder`; returns these folders.

    The same arguments give the same files, byte for byte.
    """
    with ThreadPoolExecutor(max_workers=2) as pool:
        drives = [pool.submit(_generate, folder, index, duration_s, seed, camera) for index in range(count)]
        return [drive.result() for drive in drives]


def package_file(name: str) -> str:
    """The text of a file of this package: `signals.yaml` or `demo.trigger`."""
    return (files("fleet_api.demo") / name).read_text("utf-8")


def _generate(folder: Path, index: int, duration_s: float, seed: int, camera: bool) -> Path:
    truth = drive_traffic(seed, index, duration_s)
    round_trip = index // len(PLACES)
    drive = folder / (truth.place.name if round_trip == 0 else f"{truth.place.name}_{round_trip + 1}")
    drive.mkdir(parents=True, exist_ok=True)
    start_ns = FIRST_START_NS + index * _BETWEEN_STARTS_NS
    write_drive(drive / FOLDER_FILE, _series(sense(truth, seed, index), start_ns), start_ns=start_ns)
    if camera:
        write_camera(truth, drive / "front_main.mp4", seed * 1000 + index)
    return drive


def _series(readings: Sequence[Reading], start_ns: int) -> dict[str, SignalSeries]:
    """The sensors' samples by signal, at times in ns since the Unix epoch."""
    return {
        name: SignalSeries(start_ns + to_ns(reading.t), values)
        for reading in readings
        for name, values in reading.signals.items()
    }
