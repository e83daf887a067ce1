"""What `longtail clips` shows of a clip, and what it calls the files that it fetches."""

from __future__ import annotations

import pytest

from fleet_api.cli.fleet.clips import clip_row, file_name, statistics_rows


@pytest.mark.parametrize(
    ("asset", "media_type", "name"),
    [
        ("clip.mcap", "application/x-mcap", "clip.mcap"),
        ("signals", "application/vnd.apache.parquet", "signals.parquet"),
        ("preview", "text/x-unknown", "preview"),
        ("../../etc/passwd", "video/mp4", "passwd.mp4"),
    ],
)
def test_a_fetched_file_has_the_ending_of_its_type_and_stays_in_its_folder(
    asset: str, media_type: str, name: str
) -> None:
    assert file_name(asset, media_type) == name


def test_a_clip_is_shown_by_what_the_answer_says() -> None:
    clip = {
        "id": "6f1c",
        "state": "ready",
        "start": "2026-01-05T12:00:00.000000001Z",
        "duration_s": 12.345,
        "size_bytes": 1500,
        "vehicle": "car-1",
        "fires": [{"trigger": "b"}, {"trigger": "a"}, {"trigger": "b"}],
    }
    assert clip_row(clip) == ("6f1c", "ready", "2026-01-05T12:00:00.000000001Z", "12.3", "1.5 kB", "car-1", "a, b")


def test_statistics_are_shown_signal_by_signal() -> None:
    statistics = {
        "ego.speed.min": 0.0,
        "ego.speed.max": 31.5,
        "ego.speed.mean": 12.0,
        "ego.speed.samples": 5,
        "b.max": None,
    }
    assert statistics_rows(statistics) == [("ego.speed", 5, 0.0, 31.5, 12.0), ("b", None, None, None, None)]
