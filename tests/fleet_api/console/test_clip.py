"""Somebody looks at a clip in the browser: cameras, labels and signals in step, marks, datasets, what is damaged."""

from __future__ import annotations

import io
import re
from urllib.parse import unquote

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Request, Route, expect
from sqlalchemy import insert, update

from storage.objects import open_store
from storage.tables import clip_assets, clips, label_jobs, labels
from tests.fleet_api.api_server import Api
from tests.fleet_api.console.visitor import NARROW, Visitor
from tests.storage.clips.catalog_support import SECOND_NS, T_NS, add_clip, add_labels
from tests.support.rows import add_row
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


def openlabel(start_ns: int, **parts: object) -> dict[str, object]:
    """A document with ten frames a second, the first and the last of which have times."""
    stamps = {"0": start_ns / SECOND_NS, "40": start_ns / SECOND_NS + DURATION_S}
    frames: dict[str, dict[str, object]] = {
        frame: {"frame_properties": {"timestamp": f"{stamp:.3f}"}} for frame, stamp in stamps.items()
    }
    for frame, content in parts.pop("frames", {}).items():  # type: ignore[attr-defined]
        frames.setdefault(frame, {}).update(content)
    return {"openlabel": {"metadata": {"schema_version": "1.0.0"}, "frames": frames, **parts}}


INTERVALS = [{"frame_start": first, "frame_end": last} for first, last in ((10, 25), (50, 60), (70, 80))]
"""Two of them are after the clip."""
LANE_CHANGE = {"0": {"name": "lane_change_0", "type": "lane_change", "frame_intervals": INTERVALS}}
CAR = {"7": {"name": "silver", "type": "car", "coordinate_system": "front"}}
CAR_IN_PICTURE = {"7": {"object_data": {"bbox": [{"name": "shape", "val": [320, 180, 100, 50]}]}}}


def add_document(api: Api, clip_id: str, task: str, kind: str, document: dict[str, object]) -> None:
    """A set of labels of a clip, by the labeler of a task."""
    with api.database.begin() as connection:
        job = insert(label_jobs).values(clip_id=clip_id, task=task).returning(label_jobs.c.id)
        job_id = connection.execute(job).scalar_one()
        made = {"clip_id": clip_id, "job_id": job_id, "labeler": f"ada/{task}", "types": [kind]}
        add_row(connection, labels, **made, openlabel=document, provenance={"name": task, "version": "1.2.3"})


def with_files(api: Api, video: bytes) -> str:
    """A clip with signals and two cameras, of which one has pictures, with two sets of labels."""
    store = open_store(api.settings)
    with api.database.begin() as connection:
        clip_id = add_clip(
            connection,
            start_ns=T_NS,
            duration_s=DURATION_S,
            fired=[("lanes", "cut_in"), ("merging", "cut_in")],  # both collect it, at one instant
            statistics={"ego.speed": (10.0, 14.0, 12.0)},
            units={"ego.speed": "m/s"},
            state="ready",
            manifest={"recording": {"cameras": ["front", "rear"]}},
        )
        for name, media_type, data in (
            ("signals", media_types.PARQUET, signals_file()),
            ("preview", media_types.MP4, video),
        ):
            key = f"derived/v3/{clip_id}/{name}"
            store.put(key, data)
            values = {"clip_id": clip_id, "name": name, "object_key": key, "media_type": media_type}
            picture = {"offset_ns": 0, "width": 640, "height": 360} if name == "preview" else {}
            connection.execute(
                insert(clip_assets).values(**values, **picture, size_bytes=len(data), extractor_version=4)
            )
    add_document(api, clip_id, "maneuvers", "lane_change", openlabel(T_NS, actions=LANE_CHANGE))
    boxes = {str(frame): {"objects": CAR_IN_PICTURE} for frame in range(10, 31)}
    add_document(api, clip_id, "detector", "car", openlabel(T_NS, objects=CAR, frames=boxes))
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
    expect(page).to_have_title(re.compile(f"^Clip {clip[:12]} · Longtail$"))
    page.get_by_role("button", name="cut_in at 0.0 s").click()
    expect(page.get_by_text("0.00 s of 4.00 s")).to_be_visible()
    table = page.get_by_text("Table of cut_in.detected")
    table.click()
    row = page.get_by_role("region", name="cut_in.detected").get_by_role("row").filter(has_text=re.compile("^2.5"))
    expect(row).to_have_text(re.compile(r"^2\.5\s*0\s*1$"))
    expect(page.get_by_text("ego.speed in m/s").first).to_be_visible()
    visitor.require_accessible()


@pytest.mark.parametrize(("t", "shown"), [("99", "4.00"), ("-5", "0.00"), ("soon", "0.00")])
def test_an_instant_that_the_clip_does_not_have_is_its_nearest(visitor: Visitor, clip: str, t: str, shown: str) -> None:
    page = visitor.open(f"/clips/{clip}?t={t}")
    expect(page.get_by_text(f"{shown} s of 4.00 s")).to_be_visible()


def test_it_plays_to_its_end_and_its_instant_stays_with_its_page(visitor: Visitor, clip: str) -> None:
    page = visitor.open(f"/clips/{clip}?t=1.00")
    video = page.locator("video")
    expect(video).to_have_js_property("readyState", 4)
    page.get_by_role("combobox", name="Speed").select_option(value="0.25")
    page.get_by_role("button", name="Play").click()
    expect(video).to_have_js_property("paused", False)
    page.get_by_role("combobox", name="Speed").select_option(value="4")
    expect(page.get_by_text("4.00 s of 4.00 s")).to_be_visible()
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    expect(video).to_have_js_property("paused", True)
    expect(page).to_have_url(re.compile(r"[?]t=4\.00$"))  # no timer is left of those before
    page.clock.install()
    page.evaluate("""() => {
        document.querySelector("[aria-label='One frame back']").click();
        document.querySelector("nav a[href$='/clips']").click();
    }""")
    expect(visitor.heading("Clips")).to_be_visible()
    page.clock.fast_forward(5000)
    expect(page).to_have_url(re.compile(r"/clips$"))


def test_labels_are_drawn_over_time_and_over_the_picture_and_the_set_is_in_the_address(
    visitor: Visitor, clip: str
) -> None:
    page = visitor.open(f"/clips/{clip}?t=0.50")
    boxes = page.locator("svg[data-boxes]")
    expect(boxes).to_have_attribute("data-boxes", "0")
    expect(page.get_by_role("img", name="car: when")).to_be_visible()
    expect(page.get_by_text("rear has no preview. The recording has no pictures of it.")).to_be_visible()
    page.get_by_text("Spans and provenance").click()
    page.get_by_role("button", name="1 s: go to car silver").press("Enter")
    expect(boxes).to_have_attribute("data-boxes", "1")
    expect(boxes).to_have_attribute("viewBox", "0 0 640 360")
    expect(page).to_have_url(re.compile(r"\?label=objects%2F7&t=1\.00$|\?t=1\.00&label=objects%2F7$"))
    expect(page.get_by_text("1.2.3")).to_be_visible()
    visitor.require_accessible()
    page.get_by_role("combobox", name="Labels").select_option(index=1)
    expect(page.get_by_role("img", name="lane_change: when")).to_be_visible()
    expect(boxes).to_have_attribute("data-boxes", "0")
    row = page.get_by_role("region", name="Labels over time").get_by_role("row").filter(has_text="lane_change")
    expect(row.get_by_role("cell").nth(1)).to_have_text("2.5")
    page.reload()
    expect(page.get_by_role("img", name="lane_change: when")).to_be_visible()


def test_a_clip_is_added_to_datasets_and_erased_for_a_reason_that_stays_typed(visitor: Visitor, api: Api) -> None:
    page = visitor.open(f"/clips/{with_files(api, video_file())}", role="admin")
    page.get_by_role("button", name="Add to a dataset").click()
    page.get_by_label("Name", exact=True).fill("cuts")
    page.get_by_role("button", name="Add …").click()
    dialog = page.get_by_role("dialog", name="Add this clip to cuts?")
    expect(dialog.get_by_label("Reason")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Add …")).to_be_focused()
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("Version 1 of cuts has 1 clip")).to_be_visible()
    expect(page.get_by_text("cuts version 1")).to_be_visible()

    page.get_by_role("button", name="Erase this clip").click()
    dialog = page.get_by_role("dialog", name="Erase this clip?")
    expect(dialog.get_by_text("It is in cuts")).to_be_visible()
    reason = dialog.get_by_label("Reason")
    dialog.get_by_role("button", name="Erase").click()
    expect(reason).to_be_focused()  # an empty one is not sent
    visitor.expect_errors("net::ERR_FAILED")
    asked: list[Route] = []
    page.route("**/v1/clips/*", lambda route: asked.append(route) if is_erasure(route.request) else route.continue_())
    reason.fill("a face is visible")
    with page.expect_request(is_erasure):
        dialog.get_by_role("button", name="Erase").click()
    expect(dialog.get_by_role("button", name="Cancel")).to_be_disabled()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")  # what is under way cannot be given up, and its outcome is told
    asked.pop().abort()
    expect(dialog.get_by_role("alert")).to_contain_text("does not answer")
    expect(reason).to_have_value("a face is visible")
    visitor.require_accessible(schemes=("dark",))
    page.unroute("**/v1/clips/*")
    dialog.get_by_role("button", name="Erase").click()
    expect(visitor.heading("Clips")).to_be_visible()
    (member,) = api.as_client("viewer").datasets.members("cuts")
    assert member.erased is not None and member.erased.reason == "a face is visible"


def is_erasure(request: Request) -> bool:
    return request.method == "DELETE"


def test_tags_and_notes_are_added_and_history_and_links_to_other_programs_are_there(
    visitor: Visitor, api: Api, clip: str
) -> None:
    page = visitor.open(f"/clips/{clip}", role="author")
    page.get_by_label("Add a tag").fill("wet road")
    page.get_by_role("button", name="Add tag").click()
    expect(page.get_by_role("button", name="Remove the tag wet road")).to_be_visible()
    page.get_by_label("Add a note").fill("the left lane is closed")
    page.get_by_role("button", name="Add note").click()
    expect(page.get_by_text("the left lane is closed")).to_be_visible()
    page.get_by_role("button", name="Remove the tag wet road").click()
    expect(page.get_by_text("wet road")).to_have_count(0)
    expect(page.get_by_label("Add a tag")).to_be_focused()
    link = page.get_by_role("link", name="Open in Lichtblick").get_attribute("href")
    assert link is not None and unquote(link).partition("ds.url=")[2].startswith(str(api.client.base_url))


def test_what_was_typed_stays_when_it_cannot_be_added_and_what_failed_is_tried_again(
    visitor: Visitor, clip: str
) -> None:
    visitor.expect_errors("net::ERR_FAILED")
    for files in ("**/signals?*", "**/history"):
        visitor.page.route(files, lambda route: route.abort())
    page = visitor.open(f"/clips/{clip}", role="author")
    expect(page.get_by_role("alert")).to_have_count(2)
    page.unroute("**/signals?*")
    page.unroute("**/history")
    history = page.get_by_role("region", name="History")
    history.get_by_role("button", name="Try again").click()
    expect(history).to_contain_text("is in the catalog")
    expect(page.get_by_role("alert")).to_contain_text("does not answer")
    with page.expect_response(re.compile("/v1/clips/[0-9a-f]+$")):
        page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Table of cut_in.detected")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    page.route("**/notes", lambda route: route.abort())
    page.get_by_label("Add a note").fill("a long thought")
    page.get_by_role("button", name="Add note").click()
    expect(page.get_by_role("alert")).to_contain_text("does not answer")
    expect(page.get_by_label("Add a note")).to_have_value("a long thought")


def test_a_damaged_video_is_told_and_the_signals_are_shown_all_the_same(visitor: Visitor, api: Api) -> None:
    page = visitor.open(f"/clips/{with_files(api, b'no video at all')}")
    expect(page.get_by_text("The picture of front cannot be played")).to_be_visible()
    expect(page.get_by_role("button", name="Load front again")).to_be_visible()
    expect(page.get_by_text("Table of cut_in.detected")).to_be_visible()
    visitor.require_accessible(schemes=("light",))


def test_a_video_that_did_not_come_plays_once_it_is_loaded_again_with_new_links(visitor: Visitor, clip: str) -> None:
    preview = re.compile(r"/preview\?")
    visitor.expect_errors("net::ERR_FAILED")
    visitor.page.route(preview, lambda route: route.abort())
    page = visitor.open(f"/clips/{clip}")
    again = page.get_by_role("button", name="Load front again")
    expect(again).to_be_visible()
    page.unroute(preview)
    with page.expect_response(re.compile(f"/v1/clips/{clip}$")):
        again.click()
    expect(again).to_have_count(0)
    video = page.locator("video")
    expect(video).to_be_visible()
    page.wait_for_function("video => video.readyState >= HTMLMediaElement.HAVE_METADATA", arg=video.element_handle())


def test_a_clip_without_files_and_one_that_is_not_there_say_so(visitor: Visitor, api: Api) -> None:
    with api.database.begin() as connection:
        bare = add_clip(connection, fired=[("lanes", "cut_in")], state="stored")
    page = visitor.open(f"/clips/{bare}")
    expect(page.get_by_text("being extracted")).to_be_visible()
    visitor.expect_errors("net::ERR_FAILED")
    page.route("**/v1/clips/*", lambda route: route.abort())
    expect(page.get_by_role("alert").first).to_contain_text("does not answer")
    page.unroute("**/v1/clips/*")
    with api.database.begin() as connection:
        connection.execute(update(clips).where(clips.c.id == bare).values(state="ready"))
    expect(page.get_by_text("The recording has no cameras")).to_be_visible()  # the page follows, also after that
    page = visitor.open(f"/clips/{'f' * 32}")
    expect(page.get_by_role("alert").first).to_contain_text("no clip")


def test_it_fits_a_narrow_screen(visitor: Visitor, api: Api, clip: str) -> None:
    long = "w" * 60
    with api.database.begin() as connection:
        other = add_clip(connection, vehicle_id=long, fired=[(long, long)], state="ready")
        add_labels(connection, other, long)
    visitor.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    page = visitor.open(f"/clips/{other}")
    expect(page.get_by_role("button", name=f"{long} at ")).to_be_visible()
    visitor.require_no_sideways_scrolling()
    page = visitor.open("/clips")
    expect(page.get_by_role("main").get_by_role("link", name=long)).to_be_visible()
    visitor.require_no_sideways_scrolling()
    page = visitor.open(f"/clips/{clip}")
    expect(page.get_by_text("Table of cut_in.detected")).to_be_visible()
    visitor.require_no_sideways_scrolling()
