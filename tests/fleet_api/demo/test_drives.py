"""Generated drives: the same seed gives the same bytes, and they are drives like recorded ones."""

from __future__ import annotations

import hashlib
from pathlib import Path

import av
import numpy as np
import pytest

from fleet_api.demo.drives import FIRST_START_NS, generate_drives, package_file
from fleet_api.demo.traffic import PLACES, drive_traffic
from triggers.drives.drive import Drive
from triggers.drives.find import find_drives
from triggers.language.compile import compile_source
from triggers.signals.catalog import SignalCatalog

CATALOG = SignalCatalog.parse(package_file("signals.yaml"), name="signals.yaml")


@pytest.fixture(scope="module")
def drives(tmp_path_factory: pytest.TempPathFactory) -> list[Drive]:
    return find_drives(generate_drives(tmp_path_factory.mktemp("drives"), count=2, duration_s=40))


def digests(drive: Drive) -> list[str]:
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in (drive.path, drive.cameras["front_main"])]


def test_the_same_seed_gives_the_same_files_and_another_seed_others(drives: list[Drive], tmp_path: Path) -> None:
    again = find_drives(generate_drives(tmp_path / "again", count=2, duration_s=40))
    other = find_drives(generate_drives(tmp_path / "other", count=1, duration_s=40, seed=2))
    assert [digests(drive) for drive in again] == [digests(drive) for drive in drives]
    assert not set(digests(other[0])) & set(digests(drives[0]))


def test_every_signal_of_the_catalog_has_samples_at_about_its_rate(drives: list[Drive]) -> None:
    for drive in drives:
        counts = dict.fromkeys(CATALOG.signals, 0)
        for batch in drive.batches(CATALOG, list(CATALOG.signals)):
            for name, values in batch.columns.items():
                counts[name] += int(np.count_nonzero(~np.isnan(values)))
        for name, signal in CATALOG.signals.items():
            assert counts[name] > 0, name
            if signal.rate is not None:
                assert 0.6 * signal.rate < counts[name] / 40 < 1.05 * signal.rate, name


def test_a_drive_says_when_it_began(drives: list[Drive]) -> None:
    assert [drive.start_ns for drive in drives] == [FIRST_START_NS, FIRST_START_NS + 3 * 3600 * 10**9]
    assert [drive.name for drive in drives] == [place.name for place in PLACES[:2]]


def test_the_camera_has_no_b_frames_and_a_keyframe_a_second(drives: list[Drive]) -> None:
    with av.open(str(drives[0].cameras["front_main"])) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    assert [packet.pts for packet in packets] == [packet.dts for packet in packets]
    assert len(packets) == 400
    keyframes = [index for index, packet in enumerate(packets) if packet.is_keyframe]
    assert keyframes == list(range(0, 400, 10))


def test_every_kind_of_event_happens_and_physics_holds() -> None:
    truth = drive_traffic(seed=1, index=0, duration_s=120)
    assert {event.kind for event in truth.events} == {"brake", "stop", "cut_in"}
    assert -8.01 <= truth["accel"].min() < -3
    assert truth["speed"].min() >= 0 and truth["gap"].min() >= 1
    travelled = np.trapezoid(truth["speed"], truth.t)
    assert abs(travelled - truth["distance"][-1]) < 1


def test_the_demo_campaigns_compile_without_findings() -> None:
    compilation = compile_source(package_file("demo.trigger"), filename="demo.trigger", catalog=CATALOG)
    assert compilation.ok and not compilation.diagnostics
    assert list(compilation.campaigns) == ["emergencies", "shadow_network", "everyday_braking"]
