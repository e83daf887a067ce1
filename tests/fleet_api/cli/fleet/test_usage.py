"""`longtail usage`: tables with bars for people, JSON, CSV and Parquet for programs."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from fleet_api.cli.fleet.usage.moments import moment
from fleet_api.client.volume import usage as client_usage
from tests.fleet_api.api_server import Api
from tests.fleet_api.cli.conftest import Longtail
from tests.support.used import use
from triggers.errors import InvalidInput

NOW = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)


def test_the_largest_comes_first_with_the_longest_bar(api: Api, longtail: Longtail) -> None:
    use(api.database)
    shown = longtail("usage", "--by", "campaign,network")
    heading, *rows = shown.out.splitlines()
    assert heading.split() == [
        *("campaign", "network", "clips", "clip", "bytes", "wire", "bytes", "fires", "suppressed"),
        *("armed", "h", "km", "clip_bytes"),
    ]
    assert [row.split()[:6] for row in rows] == [
        ["braking", "wifi", "1", "30", "B", "30"],
        ["lanes", "wifi", "1", "20", "B", "20"],
        ["lanes", "cellular", "1", "7", "B", "14"],
        ["braking", "-", "0", "0", "B", "0"],
    ]
    assert [row.count("█") + row.count("#") for row in rows] == [20, 13, 5, 0]
    assert shown.err.startswith("from ") and shown.err.rstrip().endswith("UTC")
    assert rows[3].split()[-4:] == ["3", "6", "2", "1.5"]


def test_what_is_not_known_of_vehicles_is_said(api: Api, longtail: Longtail) -> None:
    use(api.database)
    rows = longtail("usage", "--by", "region,model", "--sort", "fires").out.splitlines()[1:]
    assert [row.split()[:2] for row in rows] == [["eu", "m1"], ["unknown", "unknown"]]


def test_a_file_has_no_order_of_its_own(api: Api, longtail: Longtail, tmp_path: Path) -> None:
    refused = longtail("usage", "--sort", "fires", "--out", str(tmp_path / "used.parquet"))
    assert refused.status == 2 and "--sort cannot be combined with it" in refused.err
    assert not (tmp_path / "used.parquet").exists()


def test_sums_over_time_are_in_the_order_of_time(api: Api, longtail: Longtail) -> None:
    use(api.database)
    rows = longtail("usage", "--by", "day,campaign").out.splitlines()[1:]
    assert [row.split()[1] for row in rows] == ["braking", "lanes"]
    assert {len(row.split()[0]) for row in rows} == {len("2026-11-28")}
    assert [len(row.split()[0]) for row in longtail("usage", "--by", "month").out.splitlines()[1:]] == [7]


def test_programs_get_the_numbers_and_the_span(api: Api, longtail: Longtail) -> None:
    use(api.database)
    shown = longtail("usage", "--by", "campaign", "--since", "24h", "--json").json()
    assert datetime.fromisoformat(shown["until"]) - datetime.fromisoformat(shown["since"]) == timedelta(hours=25)
    assert shown["groups"][0] == {
        "campaign": "braking",
        "clips": 1,
        "kept_fires": 1,
        "clip_bytes": 30,
        "wire_bytes": 30,
        "fires": 3,
        "suppressed": 6,
        "sampled_out": 0,
        "refused": 0,
        "dropped": 0,
        "failed": 0,
        "armed_ns": 7200 * 10**9,
        "distance_m": 1500,
    }
    rows = list(csv.DictReader(longtail("usage", "--by", "", "--csv").out.splitlines()))
    assert [(row["clips"], row["wire_bytes"]) for row in rows] == [("2", "64")]


def test_only_what_is_asked_for_is_counted(api: Api, longtail: Longtail) -> None:
    use(api.database)
    only = ("--campaign", "lanes", "--version", "1", "--network", "cellular", "--region", "", "--model", "")
    (group,) = longtail("usage", "--by", "campaign", *only, "--json").json()["groups"]
    assert (group["clips"], group["clip_bytes"], group["wire_bytes"]) == (1, 7, 14)


def test_nothing_used_is_one_remark(api: Api, longtail: Longtail) -> None:
    use(api.database)
    shown = longtail("usage", "--until", "2026-01-02", "--since", "2026-01-01")
    assert (shown.status, shown.out, shown.err) == (0, "", "nothing was used in this time\n")


def test_a_parquet_file_has_every_group_of_all_pages(
    api: Api, longtail: Longtail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(api.database)
    monkeypatch.setattr(client_usage, "PAGE", 1)
    path = tmp_path / "usage.parquet"
    shown = longtail("usage", "--by", "day,campaign,version,network", "--out", str(path))
    assert shown.out == f"4 groups in {path}\n"
    table = pq.read_table(path)
    rows = {(row["campaign"], row["network"]): row for row in table.to_pylist()}
    assert len(rows) == 4 and rows["lanes", "cellular"]["wire_bytes"] == 14
    assert rows["braking", ""]["armed_ns"] == 7200 * 10**9 and rows["braking", ""]["version"] == 1
    assert {row["day"].tzinfo is not None for row in table.to_pylist()} == {True}
    assert {b"longtail.since", b"longtail.until"} <= set(table.schema.metadata)


def test_a_file_that_cannot_be_written_and_forms_that_exclude_each_other_are_said(
    api: Api, longtail: Longtail, tmp_path: Path
) -> None:
    use(api.database)
    refused = longtail("usage", "--out", str(tmp_path / "none" / "usage.parquet"))
    assert refused.status != 0 and "cannot be written" in refused.err
    both = longtail("usage", "--out", str(tmp_path / "usage.parquet"), "--json")
    assert both.status == 2 and "cannot be combined" in both.err


@pytest.mark.parametrize(
    ("text", "is_"),
    [
        ("7d", NOW - timedelta(days=7)),
        ("90min", NOW - timedelta(minutes=90)),
        ("24 h", NOW - timedelta(hours=24)),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T10:00:00+01:00", datetime(2026, 1, 31, 9, tzinfo=UTC)),
    ],
)
def test_times_are_written_in_three_ways(text: str, is_: datetime) -> None:
    assert moment(text, now=NOW) == is_


@pytest.mark.parametrize("text", ["", "soon", "7", "-7d", "7 weeks", "999999d", "2026-13-01", "2026-01-31T10:00"])
def test_what_is_no_time_is_said_with_the_forms_there_are(text: str) -> None:
    with pytest.raises(InvalidInput, match="is not a time") as caught:
        moment(text, now=NOW)
    assert "7d" in str(caught.value.remedy)


def test_what_usage_is_not_counted_by_is_said(longtail: Longtail) -> None:
    refused = longtail("usage", "--by", "vehicle")
    assert refused.status == 1 and "not counted by 'vehicle'" in refused.err
