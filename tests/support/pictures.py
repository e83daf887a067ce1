"""Pictures of pages for the documentation, of 256 colours; taken only where LONGTAIL_TEST_PICTURES names a folder."""

from __future__ import annotations

import io
import os
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import av.filter

from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Page

FOLDER = "LONGTAIL_TEST_PICTURES"
MAX_BYTES = 150_000
_ONCE = Fraction(1)
_IS_WHOLE = """[...document.images].every(
    (image) => image.getBoundingClientRect().top > innerHeight || (image.complete && image.naturalWidth > 0)
) && document.querySelector("[data-drawn=false]") === null"""


def take(page: Page, name: str, *, height: int) -> None:
    """Write the page as a window of this height shows it to NAME.png in the folder of the environment, if any."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return
    usual = page.viewport_size
    assert usual is not None
    page.set_viewport_size({"width": usual["width"], "height": height})
    wait_for(lambda: page.evaluate(_IS_WHOLE), within_s=60, what=f"all pictures on the page {name}")
    found = quantised(page.screenshot(animations="disabled"))
    page.set_viewport_size(usual)
    assert len(found) <= MAX_BYTES, f"{name}.png would have {len(found)} bytes, more than {MAX_BYTES}"
    path = Path(folder) / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(found)


def quantised(png: bytes) -> bytes:
    """A picture as PNG, with the 256 colours that suit it best."""
    with av.open(io.BytesIO(png)) as file:
        (picture,) = file.decode(video=0)
    return _encoded(_with_palette(picture.reformat(format="rgb24")))


def _with_palette(picture: av.VideoFrame) -> av.VideoFrame:
    """The picture in pal8, without dithering: pages are plain areas and text."""
    graph = av.filter.Graph()
    source = graph.add_buffer(width=picture.width, height=picture.height, format=picture.format, time_base=_ONCE)
    split, palette = graph.add("split"), graph.add("palettegen", "reserve_transparent=0")
    mapped, sink = graph.add("paletteuse", "dither=none"), graph.add("buffersink")
    for here, place, there, entry in (
        (source, 0, split, 0),
        (split, 0, palette, 0),
        (split, 1, mapped, 0),
        (palette, 0, mapped, 1),
        (mapped, 0, sink, 0),
    ):
        here.link_to(there, place, entry)
    graph.configure()
    picture.pts, picture.time_base = 0, _ONCE
    graph.push(picture)
    graph.push(None)
    mapped_picture = graph.pull()
    assert isinstance(mapped_picture, av.VideoFrame)
    return mapped_picture


def _encoded(picture: av.VideoFrame) -> bytes:
    encoder = av.CodecContext.create("png", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = picture.width, picture.height, picture.format.name
    encoder.time_base = _ONCE
    encoder.options = {"pred": "none", "compression_level": "9"}
    return b"".join(bytes(packet) for packet in (*encoder.encode(picture), *encoder.encode(None)))
