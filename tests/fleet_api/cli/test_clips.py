"""What `longtail clips` calls the files that it fetches."""

from __future__ import annotations

import pytest

from fleet_api.cli.fleet.clips import file_name


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
