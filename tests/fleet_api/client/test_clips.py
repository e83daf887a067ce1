"""Clips as objects of the client: tables of what is found, and parts of files, of which only what is needed travels."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import update

from fleet_api.client import Client, clips
from fleet_api.client.clips.ranges import CLOSE_BYTES, LinkedFile
from fleet_api.client.clips.signals import read_signals
from storage.objects.s3.store import S3Store, parse_location
from storage.tables import clips as clips_table
from tests.fleet_api.api_server import Api
from tests.fleet_api.cli.conftest import Longtail, longtail
from tests.fleet_api.scans.recorded import BRAKING, SIGNALS, add_recorded, signals_file
from tests.storage.clips.catalog_support import SECOND_NS, T_NS, add_clip, add_labels
from tests.support.fleet import clip_manifest
from tests.support.paths import REPOSITORY
from tests.support.servers.s3_server import S3Server
from triggers.clips.footage import Footage, VideoFrame
from triggers.clips.writer import write_mcap
from triggers.drives.drive import Drive
from triggers.errors import InvalidInput, NotFound, Unreachable
from triggers.signals.catalog import SignalCatalog

__all__ = ["longtail"]
MS = 1_000_000
KEY, OTHER = b"\x00\x00\x00\x01\x65", b"\x00\x00\x00\x01\x41"
RNG = np.random.default_rng(5)
FRAMES = tuple(
    VideoFrame(
        T_NS + n * 50 * MS, n % 20 == 0, (KEY if n % 20 == 0 else OTHER) + RNG.bytes(20_000).replace(b"\0", b"1")
    )
    for n in range(200)
)
"""Ten seconds at 20 Hz, a keyframe each second, 4 MB: several chunks of the file."""


def recording() -> bytes:
    content = Footage(T_NS, T_NS + 10 * SECOND_NS, {}, {"front_main": FRAMES})
    manifest = clip_manifest(b"x").recording.model_copy(
        update={"start_ns": content.start_ns, "end_ns": content.end_ns, "signals": (), "cameras": ("front_main",)}
    )
    file = io.BytesIO()
    write_mcap(file, manifest, content)
    return file.getvalue()


@pytest.fixture
def clip_id(api: Api) -> str:
    """A clip with signals and a camera."""
    wide = {**BRAKING, **{f"ego.other_{n}": {ms: float(RNG.random()) for ms in range(0, 4000, 5)} for n in range(30)}}
    made = add_recorded(api, wide)
    data = recording()
    with api.database.begin() as connection:
        connection.execute(update(clips_table).where(clips_table.c.id == made).values(size_bytes=len(data)))
    api.app.state.services.store.put(f"clips/{made}.mcap", data)
    return made


def test_a_search_gives_clips_page_after_page_and_each_time_anew(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleet_api.client.clips.subject.PAGE", 2)
    made = [add_recorded(api, BRAKING, number=number) for number in range(5)][::-1]
    found = api.as_client("viewer").clips.search()
    assert [clip.id for clip in found] == [clip.id for clip in found] == made
    assert next(found).id == made[0] and next(found).id == made[1]


def test_what_is_found_is_a_table(api: Api) -> None:
    with api.database.begin() as connection:
        one = add_clip(
            connection,
            fired=[("braking", "hard")],
            tags=["rain"],
            attributes={"model": "m3", "hardware": 3},
            box=(11.5, 48.1, 11.6, 48.2),
            place_cell="871f8d7a5ffffff",
        )
        add_labels(connection, one, "car")
        other = add_clip(connection, vehicle_id="car-2", start_ns=T_NS + 1, attributes={"model": 7}, duplicate_of=one)
    search = api.as_client("viewer").clips.search(sortby="start")
    table = search.to_arrow()
    assert table["id"].to_pylist() == [one, other]
    assert table["start"].cast(pa.int64()).to_pylist() == [T_NS, T_NS + 1]
    assert table["vehicle.model"].to_pylist() == ["m3", "7"], "of two types: as text"
    assert table["vehicle.hardware"].to_pylist() == [3, None]
    assert table["tags"].to_pylist() == [["rain"], []] and table["labels"].to_pylist() == [["car"], []]
    assert table["fires"].to_pylist()[0][0]["trigger"] == "hard"
    assert table["box"].to_pylist() == [[11.5, 48.1, 11.6, 48.2], None]
    assert table["place_cell"].to_pylist() == ["871f8d7a5ffffff", None]
    assert table["duplicate_of"].to_pylist() == [None, one]
    frame = search.to_pandas()
    assert list(frame["vehicle"]) == ["car-1", "car-2"] and frame["duration_s"].sum() == 20
    assert api.as_client("viewer").clips.search("state = 'damaged'").to_arrow().num_rows == 0


def test_a_table_rounds_no_number_and_has_room_for_times_far_away(api: Api) -> None:
    late = datetime(2318, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
    with api.database.begin() as connection:
        for number, odometer in enumerate([3.5, 2**53 + 1, 1e308]):
            attributes = {"odometer": odometer, "mass": [2.5, 3, 1e308][number]}
            add_clip(connection, start_ns=T_NS + number, attributes=attributes, expires_at=late)
    table = api.as_client("viewer").clips.search(sortby="start").to_arrow()
    assert table["vehicle.odometer"].to_pylist() == ["3.5", "9007199254740993", "1e+308"]
    assert table["vehicle.mass"].to_pylist() == [2.5, 3.0, 1e308]
    assert table["expires_at"].to_pylist() == [late] * 3


def test_the_signals_of_a_clip_are_one_table_in_one_call(api: Api, clip_id: str) -> None:
    clip = next(api.as_client("viewer").clips.search(f"id = '{clip_id}'"))
    table = clip.signals()
    assert table.num_columns == 32
    speed = clip.signals("ego.speed", from_s=2, to_s=3)
    assert speed.column_names == ["t", "ego.speed"]
    times = [T_NS + ms * MS for ms in BRAKING["ego.speed"] if 2000 <= ms <= 3000]
    assert speed["t"].cast(pa.int64()).to_pylist() == times
    assert speed["ego.speed"].to_pylist() == [v for ms, v in BRAKING["ego.speed"].items() if 2000 <= ms <= 3000]
    assert clip.details().signals("ego.sp*").num_rows == 200, "rows without a sample of these signals are left out"
    with pytest.raises(InvalidInput, match=r"no signal 'ego\.sped'"):
        clip.signals("ego.sped")
    with pytest.raises(InvalidInput, match="before it begins"):
        clip.signals(from_s=3, to_s=2)
    for beyond in (1e300, -1e300, float("inf"), float("nan")):
        with pytest.raises(InvalidInput, match="no clip reaches"):
            clip.signals(from_s=beyond)


def test_a_part_of_the_signals_is_a_drive_that_can_be_backtested(api: Api, clip_id: str, tmp_path: Path) -> None:
    path = tmp_path / "part.parquet"
    pq.write_table(api.as_client("viewer").clips.get(clip_id).signals("ego.speed", from_s=1), path)
    catalog = SignalCatalog.parse(SIGNALS, name="signals")
    rows = list(Drive(path).rows(catalog, ["ego.speed"]))
    assert (rows[0].t_ns, dict(rows[0].samples)) == (T_NS + SECOND_NS, {"ego.speed": 20.0})


def test_only_the_columns_that_are_wanted_travel() -> None:
    wide = {f"s{n}": {ms: float(RNG.random()) for ms in range(0, 20_000, 2)} for n in range(40)}
    data = signals_file(wide)
    asked: list[tuple[int, int]] = []

    def read(start: int, end: int) -> bytes:
        asked.append((start, end))
        return data[start:end]

    file = LinkedFile(read, len(data))
    table = read_signals(file, ["s7"])
    assert table["s7"].to_pylist() == list(wide["s7"].values())
    assert file.read_bytes == sum(end - start for start, end in asked) < len(data) / 8
    assert file.requests == len(asked) <= 5
    whole = LinkedFile(lambda start, end: data[start:end], len(data))
    assert read_signals(whole, []).num_rows == 10_000
    assert whole.read_bytes <= len(data) + CLOSE_BYTES


def test_a_file_that_is_read_in_any_order_is_the_same_file() -> None:
    data = RNG.bytes(300_000)
    file = LinkedFile(lambda start, end: data[start:end], len(data))
    file.fetch([(10, 20), (250_000, 260_000), (0, 5)])
    for start, length in RNG.integers(0, len(data), (200, 2)).tolist():
        file.seek(start)
        assert file.read(length) == data[start : start + length]
    assert file.read_bytes <= len(data), "nothing travels twice"
    assert (file.seek(-5, io.SEEK_END), file.read(9), file.read(1)) == (len(data) - 5, data[-5:], b"")


def test_a_part_of_the_pictures_begins_with_the_keyframe_it_needs(api: Api, clip_id: str, tmp_path: Path) -> None:
    clip = api.as_client("viewer").clips.get(clip_id)
    assert clip.video("front_main") == b"".join(frame.data for frame in FRAMES)
    part = clip.video("front_main", from_s=2.5, to_s=3.2)
    assert part == b"".join(frame.data for frame in FRAMES[40:65])
    assert clip.video("front_main", from_s=3, to_s=3) == FRAMES[60].data
    path = clip.video_file("front_main", tmp_path / "front", to_s=0.1)
    assert path.read_bytes() == b"".join(frame.data for frame in FRAMES[:3])
    with pytest.raises(InvalidInput, match="its cameras are front_main"):
        clip.video("rear")
    assert clip.video("front_main", from_s=60) == b""


def test_only_the_chunks_with_these_pictures_travel(api: Api, clip_id: str) -> None:
    from fleet_api.client.clips.video import read_frames

    data = recording()
    file = LinkedFile(lambda start, end: data[start:end], len(data))
    assert len(read_frames(file, "front_main", first_ns=T_NS + 4 * SECOND_NS, last_ns=T_NS + 5 * SECOND_NS)) == 21
    assert file.read_bytes < 0.7 * len(data)


def test_a_clip_without_the_file_says_what_it_has(api: Api) -> None:
    clip = api.as_client("viewer").clips.get(add_recorded(api, None))
    with pytest.raises(NotFound, match=r"\(ready\) has no 'signals'; it has clip.mcap"):
        clip.signals()


def test_a_damaged_file_is_told_as_such(api: Api) -> None:
    clip = api.as_client("viewer").clips.get(add_recorded(api, b"PAR1" + bytes(100) + b"PAR1"))
    with pytest.raises(InvalidInput, match="cannot be read"):
        clip.signals()


@pytest.mark.integration
def test_parts_of_a_file_in_a_bucket_travel_by_presigned_links(s3_server: S3Server) -> None:
    settings = s3_server.settings("ranges")
    store = S3Store(
        parse_location(settings.objects_url),
        access_key=settings.objects_access_key,
        secret_key=settings.objects_secret_key,
    )
    data = signals_file({f"s{n}": {ms: float(RNG.random()) for ms in range(0, 4000, 2)} for n in range(20)})
    store.put("signals.parquet", data)
    link = store.link("signals.parquet", expires_s=60)
    with Client("http://127.0.0.1:1", "lt_x") as client:
        file = client.clips.open_link(link, len(data))
        assert read_signals(file, ["s3"]).num_rows == 2000
    assert 0 < file.read_bytes < len(data)


def test_a_server_without_ranges_gives_the_same_bytes() -> None:
    data = RNG.bytes(1000)
    whole = httpx.Client(transport=httpx.MockTransport(lambda _request: httpx.Response(200, content=data)))
    client = Client("http://x", "lt_x", http=whole)
    file = client.clips.open_link("/objects/a", len(data))
    file.seek(990)
    assert file.read() == data[990:]
    short = httpx.Client(transport=httpx.MockTransport(lambda _request: httpx.Response(206, content=data[:5])))
    with pytest.raises(Unreachable, match="5 bytes of"):
        Client("http://x", "lt_x", http=short).clips.open_link("/objects/a", len(data)).read(100)


def test_the_command_line_prints_and_writes_parts(api: Api, clip_id: str, longtail: Longtail, tmp_path: Path) -> None:
    shown = longtail("clips", "get", clip_id, "--signals", "ego.speed", "--from", "2s", "--to", "2040 ms", "--json")
    assert shown.json() == {
        "t_ns": [T_NS + ms * MS for ms in (2000, 2020, 2040)],
        "signals": {"ego.speed": [BRAKING["ego.speed"][ms] for ms in (2000, 2020, 2040)]},
    }
    lines = longtail("clips", "get", clip_id, "--signals", "ego.speed", "--to", "0s").out.splitlines()
    assert re.search(r"2026-01-05T12:00:00.000000000Z\s+20$", lines[-1])
    folder = str(tmp_path / "part")
    written = longtail(
        "clips", "get", clip_id, "--signals", "ego.*", "--video", "front_main", "--to", "1s", "--out", folder
    )
    assert written.status == 0
    assert pq.read_table(tmp_path / "part" / "signals.parquet").num_columns == 32
    assert (tmp_path / "part" / "front_main.video").read_bytes() == b"".join(frame.data for frame in FRAMES[:21])
    assert longtail("clips", "get", clip_id, "--video", "front_main").status == 2
    assert longtail("clips", "get", clip_id, "--from", "2").status == 2, "a time has a unit"


def test_the_examples_of_the_page_on_the_client_run(
    api: Api, clip_id: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    page = (REPOSITORY / "docs" / "python-client.md").read_text("utf-8")
    examples = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(examples) >= 5
    names = {"client": api.as_client("viewer"), "clip_id": clip_id}
    monkeypatch.setattr("fleet_api.client.Client", lambda *_: api.as_client("viewer"))
    monkeypatch.setattr("fleet_api.client.open_client", lambda *_: api.as_client("viewer"))
    for example in examples:
        exec(example, names)
    assert clips.FoundClips.__doc__
