"""Somebody looks at a clip in the browser: camera and signals in step, tags, notes, and what is missing or damaged."""

from __future__ import annotations

import io
import re

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import expect
from sqlalchemy import insert

from storage.objects import open_store
from storage.tables import clip_assets
from tests.fleet_api.api_server import Api
from tests.fleet_api.console.visitor import NARROW, Visitor
from tests.storage.clips.catalog_support import T_NS, add_clip, add_labels
from triggers.contracts import media_types

pytestmark = pytest.mark.integration
DURATION_S = 4.0


def signals_file() -> bytes:
    """Ten rows a second; active and shadow differ from 2 s to 3 s."""
    t = np.arange(0, DURATION_S, 0.1)
    table = pa.table(
        {
            "t": t,
            "active.cut_in.detected": np.zeros_like(t),
            "shadow.cut_in.detected": ((t >= 2) & (t < 3)).astype(float),
            "ego.speed": 10 + t,
        }
    )
    file = io.BytesIO()
    pq.write_table(table, file, compression="zstd")
    return file.getvalue()


def video_file() -> bytes:
    """A preview as extraction writes them: ten small pictures a second."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as output:
        stream = output.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 36, "yuv420p"
        for number in range(int(10 * DURATION_S)):
            picture = np.full((36, 64, 3), 5 * number, dtype=np.uint8)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        output.mux(stream.encode(None))
    return file.getvalue()


def with_files(api: Api, video: bytes) -> str:
    """A clip with signals and one camera, labelled."""
    store = open_store(api.settings)
    with api.database.begin() as connection:
        clip_id = add_clip(
            connection,
            start_ns=T_NS,
            duration_s=DURATION_S,
            fired=[("lanes", "cut_in")],
            statistics={"ego.speed": (10.0, 14.0, 12.0)},
            units={"ego.speed": "m/s"},
            state="ready",
        )
        add_labels(connection, clip_id, "lane_change")
        for name, media_type, data in (
            ("signals", media_types.PARQUET, signals_file()),
            ("preview", media_types.MP4, video),
        ):
            key = f"derived/v3/{clip_id}/{name}"
            store.put(key, data)
            values = {"clip_id": clip_id, "name": name, "object_key": key, "media_type": media_type}
            connection.execute(insert(clip_assets).values(**values, size_bytes=len(data), extractor_version=3))
    return clip_id


@pytest.fixture(scope="module")
def clip(api: Api) -> str:
    return with_files(api, video_file())


def test_the_camera_goes_frame_by_frame_with_the_signals_and_the_instant_is_in_the_address(
    visitor: Visitor, clip: str
) -> None:
    page = visitor.open(f"/clips/{clip}?t=2.00")
    video = page.locator("video")
    expect(video).to_have_js_property("readyState", 4)
    expect(video).to_have_js_property("currentTime", 2)
    expect(page.get_by_text("2.00 s of 4.00 s")).to_be_visible()
    page.get_by_role("button", name="One frame on").click()
    expect(page.get_by_text("2.10 s of 4.00 s")).to_be_visible()
    expect(video).to_have_js_property("currentTime", 2.1)
    expect(page).to_have_url(re.compile(r"\?t=2\.10$"))
    page.get_by_role("button", name="cut_in at 0.0 s").click()
    expect(page.get_by_text("0.00 s of 4.00 s")).to_be_visible()
    table = page.get_by_text("Table of cut_in.detected")
    table.click()
    row = page.get_by_role("region", name="cut_in.detected").get_by_role("row").filter(has_text=re.compile("^2.5"))
    expect(row).to_have_text(re.compile(r"^2\.5\s*0\s*1$"))
    expect(page.get_by_text("ego.speed in m/s").first).to_be_visible()
    visitor.require_accessible()


def test_it_plays_to_its_end(visitor: Visitor, clip: str) -> None:
    page = visitor.open(f"/clips/{clip}?t=3.50")
    expect(page.locator("video")).to_have_js_property("readyState", 4)
    page.get_by_role("combobox", name="Speed").select_option(value="4")
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_text("4.00 s of 4.00 s")).to_be_visible()
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def test_tags_and_notes_are_added_and_labels_and_history_are_told(visitor: Visitor, clip: str) -> None:
    page = visitor.open(f"/clips/{clip}", role="author")
    page.get_by_label("Add a tag").fill("wet road")
    page.get_by_role("button", name="Add tag").click()
    expect(page.get_by_role("button", name="Remove the tag wet road")).to_be_visible()
    page.get_by_label("Add a note").fill("the left lane is closed")
    page.get_by_role("button", name="Add note").click()
    expect(page.get_by_text("the left lane is closed")).to_be_visible()
    page.get_by_role("button", name="Remove the tag wet road").click()
    expect(page.get_by_text("wet road")).to_have_count(0)
    expect(page.get_by_text("lane_change")).to_be_visible()
    expect(page.get_by_role("heading", name="History")).to_be_visible()


def test_what_was_typed_stays_when_it_cannot_be_added(visitor: Visitor, clip: str) -> None:
    page = visitor.open(f"/clips/{clip}", role="author")
    visitor.expect_errors("net::ERR_FAILED")
    page.route("**/notes", lambda route: route.abort())
    page.get_by_label("Add a note").fill("a long thought")
    page.get_by_role("button", name="Add note").click()
    expect(page.get_by_role("alert")).to_contain_text("does not answer")
    expect(page.get_by_label("Add a note")).to_have_value("a long thought")


def test_a_damaged_video_is_told_and_the_signals_are_shown_all_the_same(visitor: Visitor, api: Api) -> None:
    page = visitor.open(f"/clips/{with_files(api, b'no video at all')}")
    expect(page.get_by_text("cannot be played here")).to_be_visible()
    expect(page.get_by_text("Table of cut_in.detected")).to_be_visible()
    visitor.require_accessible(schemes=("light",))


def test_a_clip_without_files_and_one_that_is_not_there_say_so(visitor: Visitor, api: Api) -> None:
    with api.database.begin() as connection:
        bare = add_clip(connection, state="stored")
    page = visitor.open(f"/clips/{bare}")
    expect(page.get_by_text("being extracted")).to_be_visible()
    page = visitor.open(f"/clips/{'0' * 31}f")
    expect(page.get_by_role("alert").first).to_contain_text("no clip")


def test_it_fits_a_narrow_screen(visitor: Visitor, clip: str) -> None:
    visitor.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    page = visitor.open(f"/clips/{clip}")
    expect(page.get_by_text("Table of cut_in.detected")).to_be_visible()
    visitor.require_no_sideways_scrolling()
