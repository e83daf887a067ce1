"""The page of a trace needs nothing but itself, and shows text as text."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.triggers.pages.tags import Tags
from triggers.drives.drive import Drive
from triggers.language.parts import parts_program
from triggers.signals.catalog import SignalCatalog
from triggers.trace.page import binning, page
from triggers.trace.run import TraceRun, TraceView, window

CATALOG = SignalCatalog.parse(
    "signals: {x: {unit: m/s, rate: 10}, who: {type: text, values: [a, '</svg><script>'], update: on_change}}", name="c"
)
SOURCE = 'trigger t { when x > 1 m/s and who != "</svg><script>" }'


def drawn(path: Path, drive_name: str = "d", *, who: dict[int, str] | None = None) -> str:
    t = np.arange(100) / 10
    texts = [({0: "a"} if who is None else who).get(row) for row in range(100)]
    pq.write_table(pa.table({"t": t, "x": np.sin(t) * 3, "who": texts}), path)
    drive, program = Drive(path), parts_program(SOURCE, "f", "t", CATALOG)
    run = TraceRun(program, drive, CATALOG)
    run.run_through()
    view = TraceView(program, drive_name, run.summary(), 0, 5_000_000_000, 2_000_000_000)
    taken = binning(view)
    for block in window(program, drive, CATALOG, view.first_ns, view.last_ns):
        taken.take(block)
    return page(view, taken.bins())


def test_it_asks_for_nothing_and_runs_nothing(tmp_path: Path) -> None:
    tags = Tags(drawn(tmp_path / "d.parquet")).tags
    names = {name for name, _ in tags}
    assert names <= {
        *(
            "html",
            "head",
            "meta",
            "title",
            "style",
            "body",
            "h1",
            "p",
            "span",
            "i",
            "div",
            "svg",
            "rect",
            "path",
            "line",
            "text",
            "link",
        )
    }
    attributes = {attribute for _, given in tags for attribute in given}
    assert not attributes & {"src", "srcset", "xlink:href", "action", "style"}
    assert [given["href"] for _, given in tags if "href" in given] == ["data:,"]
    assert not [attribute for attribute in attributes if attribute.startswith("on")]


def test_text_of_triggers_and_drives_stays_text(tmp_path: Path) -> None:
    text = drawn(tmp_path / "d.parquet", 'a"><img src=x>\x1b[2J')
    tags = Tags(text)
    assert not {"script", "img"} & {name for name, _ in tags.tags}
    assert 'who != "</svg><script>"' in tags.words
    assert "\x1b" not in text
    labels = [given["aria-label"] for name, given in tags.tags if name == "svg" and "role" in given]
    assert 'who != "</svg><script>"' in labels


def test_it_is_light_and_dark_and_as_wide_as_the_screen(tmp_path: Path) -> None:
    text = drawn(tmp_path / "d.parquet")
    assert "prefers-color-scheme: dark" in text
    assert "width=device-width" in text
    assert not re.search(r"(?<!max-)width:\s*\d+(px|rem)", text)
    widths = [given.get("width", "100%") for name, given in Tags(text).tags if name == "svg"]
    assert all(str(width).endswith("%") for width in widths)


def test_plots_are_not_indented_so_that_a_moment_is_at_one_place_in_all_of_them(tmp_path: Path) -> None:
    tags = Tags(drawn(tmp_path / "d.parquet")).tags
    before = [tags[index - 1] for index, (name, given) in enumerate(tags) if "role" in given]
    assert before == [("div", {"class": "facts"})] * 5
    indented = [given["class"] for name, given in tags if re.fullmatch(r"d\d", given.get("class") or "")]
    assert indented == ["d0", "d1", "d2", "d1", "d2"]


def test_it_says_what_became_of_the_trigger_and_marks_the_moment(tmp_path: Path) -> None:
    tags = Tags(drawn(tmp_path / "d.parquet"))
    assert any(word.startswith("It fired ") for word in tags.words)
    marks = [given for name, given in tags.tags if name == "line" and given.get("class") == "at"]
    assert len(marks) == 5
    assert {given["x1"] for given in marks} == {"240.0"}


def test_a_text_is_bands_with_the_names_of_its_values_in_order(tmp_path: Path) -> None:
    text = drawn(tmp_path / "d.parquet", who={10: "a", 25: "</svg><script>", 40: "a"})
    tags = Tags(text).tags
    bands = [given for name, given in tags if name == "svg" and given.get("class") == "band"]
    assert [(given["x"], given["width"]) for given in bands] == [
        ("20.000%", "30.000%"),
        ("50.000%", "30.000%"),
        ("80.000%", "20.000%"),
    ]
    assert re.findall(r'<text x="5" y="20">([^<]*)</text>', text) == ["a", "&lt;/svg&gt;&lt;script&gt;", "a"]
    assert "text: a, &lt;/svg&gt;&lt;script&gt;<" in text
    begin = text.index('aria-label="who"')
    plot = text[begin : text.index("</svg></svg></div>", begin)]
    unknown = [int(x) for x in re.findall(r'<rect class="u" x="(\d+)"', plot)]
    assert unknown == list(range(120))
    assert "<path" not in plot
