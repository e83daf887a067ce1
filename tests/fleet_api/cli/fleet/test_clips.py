"""What `longtail clips` shows of a clip, and what it calls the files that it fetches."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest

from fleet_api.cli.fleet.clips.commands import file_name, statistics_rows
from tests.fleet_api.api_server import Api
from tests.fleet_api.cli.conftest import Longtail
from tests.storage.clips.catalog_support import T_NS, add_clip, add_labels

DATA = bytes(range(256)) * 500


@pytest.mark.parametrize(
    ("asset", "media_type", "name"),
    [
        ("clip.mcap", "application/x-mcap", "clip.mcap"),
        ("signals", "application/vnd.apache.parquet", "signals.parquet"),
        ("preview.front_main", "video/mp4", "preview.front_main.mp4"),
        ("preview", "text/x-unknown", "preview"),
        ("../../etc/passwd", "video/mp4", "passwd.mp4"),
    ],
)
def test_a_fetched_file_has_the_ending_of_its_type_and_stays_in_its_folder(
    asset: str, media_type: str, name: str
) -> None:
    assert file_name(asset, media_type) == name


def test_statistics_are_shown_signal_by_signal() -> None:
    statistics = {
        "ego.speed.min": 0.0,
        "ego.speed.max": 31.5,
        "ego.speed.mean": 12.0,
        "ego.speed.samples": 5,
        "b.max": None,
        "signal.signal.left.max": 1.0,
    }
    units = {"ego.speed": "m/s", "b": None, "signal.left": "1"}
    mean_over = {"ego.speed": "samples", "signal.left": "time"}
    assert statistics_rows(statistics, units, mean_over) == [
        ("ego.speed", 5, 0.0, 31.5, 12.0, "m/s", "samples"),
        ("b", None, None, None, None, None, None),
        ("signal.signal.left", None, None, 1.0, None, "1", "time"),
    ]


@pytest.fixture
def clip_id(api: Api) -> str:
    """A clip with two fires, statistics, and its file."""
    with api.database.begin() as connection:
        made = add_clip(
            connection,
            start_ns=T_NS + 1,
            duration_s=12.5,
            fired=[("braking", "hard_brake"), ("lanes", "cut_in")],
            statistics={"ego.speed": (0.0, 31.25, 12.0)},
            size_bytes=len(DATA),
            attributes={"model": "m3", "hardware": 3},
            tags=["rain"],
        )
    api.app.state.services.store.put(f"clips/{made}.mcap", DATA)
    return made


def test_a_search_lists_clips_under_the_names_that_filters_use(longtail: Longtail, clip_id: str) -> None:
    shown = longtail("clips", "search", "trigger = 'cut_in' AND vehicle.model = 'm3'")
    assert shown.err == ""
    heading, row = shown.out.splitlines()
    assert heading.split() == ["id", "state", "start", "duration_s", "size_bytes", "vehicle", "trigger"]
    start = "2026-01-05T12:00:00.000000001Z"
    assert row.split() == [clip_id, "ready", start, "12.5", f"{len(DATA):,}", "car-1", "cut_in,", "hard_brake"]
    assert longtail("clips", "search", "--ids", "--sortby", "start").out == f"{clip_id}\n"
    (line,) = csv.DictReader(longtail("clips", "search", "--csv").out.splitlines())
    assert (line["start"], line["size_bytes"], line["trigger"]) == (start, str(len(DATA)), "cut_in, hard_brake")
    (clip,) = longtail("clips", "search", f"start = TIMESTAMP('{start}')", "--json").json()
    assert (clip["start"], clip["start_ns"], clip["attributes"]["vehicle.model"]) == (start, T_NS + 1, "m3")


@pytest.mark.parametrize(("words", "said"), [([], "no clips yet; "), (["trigger = 'x'"], "no clip matches\n")])
def test_a_search_that_finds_nothing_is_one_remark(longtail: Longtail, words: list[str], said: str) -> None:
    shown = longtail("clips", "search", *words)
    assert (shown.status, shown.out) == (0, "")
    assert shown.err.startswith(said) and shown.err.count("\n") == 1


def test_a_clip_is_shown_whole_and_its_files_are_fetched(longtail: Longtail, clip_id: str, tmp_path: Path) -> None:
    shown = longtail("clips", "get", clip_id, "--out", str(tmp_path / "new" / "folder"))
    for line in (
        f"id +{clip_id}",
        "start +2026-01-05T12:00:00.000000001Z",
        "vehicle.model +m3",
        "vehicle.hardware +3",
        "tags +rain",
        "braking +1 +hard_brake +2026-01-05T12:00:00.000000001Z +1",
        "clip.mcap +application/x-mcap +128,000",
        "ego.speed +5 +0 +31.25 +12 +samples",
    ):
        assert re.search(rf"^{line}$", shown.out, re.MULTILINE), (line, shown.out)
    assert "Labels" not in shown.out
    assert (tmp_path / "new" / "folder" / "clip.mcap").read_bytes() == DATA
    assert shown.err == f"wrote {tmp_path / 'new' / 'folder' / 'clip.mcap'}\n"


@pytest.mark.parametrize(("signal", "name"), [("vehicle", "signal.vehicle"), ("signal.left", "signal.signal.left")])
def test_a_signal_whose_statistics_have_a_prefix_in_filters_is_shown_by_that_name(
    api: Api, longtail: Longtail, signal: str, name: str
) -> None:
    with api.database.begin() as connection:
        made = add_clip(connection, statistics={signal: (0.0, 1.0, 0.5)}, units={signal: "m"})
    shown = longtail("clips", "get", made)
    assert re.search(rf"^{re.escape(name)} +5 +0 +1 +0.5 +m +samples$", shown.out, re.MULTILINE), shown
    assert longtail("clips", "search", f"{name}.max = 1", "--ids").out == f"{made}\n"


def test_a_clip_is_shown_with_its_labels(api: Api, longtail: Longtail, clip_id: str) -> None:
    with api.database.begin() as connection:
        add_labels(connection, clip_id, "car", "truck")
    shown = longtail("clips", "get", clip_id)
    assert re.search(r"^labels +car, truck$", shown.out, re.MULTILINE)
    assert re.search(r"^Labels$", shown.out, re.MULTILINE)
    assert re.search(r"^x +car, truck", shown.out, re.MULTILINE)


@pytest.mark.parametrize("folder", ["/proc/no/such", "/dev/null", "/dev/null/below"])
def test_a_folder_that_cannot_be_made_is_an_error_in_one_line(longtail: Longtail, clip_id: str, folder: str) -> None:
    shown = longtail("clips", "get", clip_id, "--out", folder)
    assert shown.status == 1
    assert shown.err.startswith("longtail: ") and shown.err.count("\n") == 1 and folder in shown.err


def test_the_beginning_of_an_id_stands_for_the_only_clip_whose_id_begins_so(
    api: Api, longtail: Longtail, clip_id: str
) -> None:
    assert longtail("clips", "get", clip_id[:12].upper(), "--json").json()["id"] == clip_id
    with api.database.begin() as connection:
        others = [add_clip(connection) for _ in range(16)]
    twice = next(first for first in "0123456789abcdef" if sum(known[0] == first for known in [clip_id, *others]) > 1)
    ambiguous = longtail("clips", "get", twice)
    assert ambiguous.status == 1 and ambiguous.out == ""
    assert "several clips have an id that begins with" in ambiguous.err
    assert re.search(rf"{twice}[0-9a-f]{{31}}, {twice}[0-9a-f]{{31}}", ambiguous.err)


@pytest.mark.parametrize("text", ["ffffffffffff", "f" * 32, "nonsense", "%", "'; --", "..", "", "\udcff", "x" * 5000])
def test_an_id_that_no_clip_has_is_an_error_in_one_line(longtail: Longtail, text: str) -> None:
    shown = longtail("clips", "get", text)
    assert (shown.status, shown.out) == (1, "")
    assert shown.err.startswith("longtail: ") and shown.err.count("\n") == 1
    assert "internal error" not in shown.err


def test_clips_are_erased_by_their_whole_ids(longtail: Longtail, clip_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    erase = ("clips", "erase", "--reason", "a face is visible")
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert longtail(*erase, clip_id).status != 0
    assert longtail("clips", "search", "--ids").out == f"{clip_id}\n"
    assert longtail(*erase, clip_id[:8], "--yes").status == 1, "not by a beginning"
    assert longtail(*erase, clip_id, "--yes").out.startswith(f"{clip_id} is erased (")
    assert "a face is visible" in longtail("clips", "get", clip_id).err


def test_a_filter_may_have_units_and_is_explained(longtail: Longtail, api: Api) -> None:
    with api.database.begin() as connection:
        fast = add_clip(connection, statistics={"ego.yaw": (0.0, 25.0, 9.0)}, units={"ego.yaw": "deg/s"})
    written = "ego.yaw.max > 0.1 rad/s AND start < now"
    assert longtail("clips", "search", written, "--ids").out == f"{fast}\n"
    explained = longtail("clips", "search", "ego.yaw.max > 0.5 deg/s", "--explain")
    assert explained.out.strip() == "ego.yaw.max > 0.5"
    assert "`ego.yaw.max` is not declared `indexed`: add a time or a trigger" in explained.err
    refused = longtail("clips", "search", "ego.yaw.max > 5 kg")
    assert refused.status != 0 and "5 kg is a mass" in refused.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("search", "--explain", "--limit", "3"),
            "--explain and --limit cannot be combined: it only",
        ),
        (("search", "--explain", "--json"), "--explain and --json cannot be combined"),
        (("search", "--explain", "--sortby", "start"), "--explain and --sortby cannot be combined"),
        (("search", "--explain", "--when", "ego.speed > 1 m/s"), "--explain and --when cannot be combined"),
        (("search", "--when", "ego.speed > 1 m/s", "--sortby", "start"), "--when and --sortby cannot be combined"),
        (
            ("get", "CLIP", "--signals", "*", "--out", "part", "--json"),
            "--json prints the samples of a part, and",
        ),
    ],
)
def test_options_that_would_be_ignored_are_refused(
    longtail: Longtail, clip_id: str, arguments: tuple[str, ...], said: str
) -> None:
    refused = longtail("clips", *(clip_id if word == "CLIP" else word for word in arguments))
    assert (refused.status, refused.out) == (2, "") and said in refused.err


def test_clips_are_tagged_and_noted_and_show_who_did_it(longtail: Longtail, clip_id: str) -> None:
    assert longtail("clips", "tag", clip_id, "wet road").out == f"{clip_id} has the tags rain, wet road\n"
    assert re.fullmatch(rf"note \d+ is on {clip_id}\n", longtail("clips", "note", clip_id, "closed lane").out)
    shown = longtail("clips", "get", clip_id).out
    assert re.search(r"Tags of people\n.*\n\s*wet road +\S+-user", shown), shown
    (note,) = longtail("clips", "get", clip_id, "--json").json()["notes"]
    assert note["text"] == "closed lane" and "closed lane" in shown
    assert longtail("clips", "note", clip_id, "--remove", str(note["id"])).out == f"note {note['id']} is gone\n"
    assert longtail("clips", "untag", clip_id, "wet road").out == "the tag wet road is gone\n"
    assert "give either a TEXT or --remove" in longtail("clips", "note", clip_id).err


def test_clips_are_counted_and_their_facets_are_shown_with_bars(longtail: Longtail, clip_id: str) -> None:
    assert longtail("clips", "count", "trigger = 'cut_in'").out == "1 clip\n"
    assert longtail("clips", "count", "--json").json() == {"clips": 1, "exact": True, "low": 1, "high": 1}
    shown = longtail("clips", "facets", "--by", "trigger,label", "--by", "size_bytes:1")
    assert re.search(r"trigger\n.*\n\s*cut_in +1 +#{30}", shown.out), shown.out
    assert re.search(r"size_bytes:1 \[byte\]\n", shown.out) and re.search(r"\(none\) +1", shown.out)
    found = longtail("clips", "facets", "state = 'ready'", "--by", "trigger", "--json").json()
    assert found["facets"][0]["values"] == [{"value": "cut_in", "clips": 1}, {"value": "hard_brake", "clips": 1}]
