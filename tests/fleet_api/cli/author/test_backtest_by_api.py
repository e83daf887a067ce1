"""Backtests over catalogued clips by the API: as `longtail backtest --clips`, and nothing of clips that are erased."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fleet_api.backtest_processes.tasks import GivenClip
from fleet_api.backtests.inputs import ClipFetcher
from storage.backtests import jobs
from storage.database import Connection
from storage.erasure import clips as erased_clips
from storage.tables.erasure import ErasureCause
from tests.fleet_api.api_server import Api
from tests.fleet_api.backtests.recorded import begun, ended
from tests.fleet_api.backtests.test_backtests import of_author
from tests.fleet_api.cli.conftest import Longtail
from tests.fleet_api.scans.recorded import BRAKING, SIGNALS, SLOWER_AT_NS, STEADY, add_recorded
from tests.storage.clips.catalog_support import SECOND_NS, T_NS
from tests.support.waiting import wait_for

TRIGGERS = """
trigger slower { when ego.speed < 15 m/s  capture 1 s before, 1 s after { signals ego.speed, lead.distance } }
trigger slow { when ego.speed < 16 m/s }
campaign braking { collect slower budget 4 kB per vehicle per day, 1 GB total }
"""
OTHER_COLUMNS = "time: {column: ts, unit: ns}\n" + SIGNALS.replace("rate: 50}", "rate: 50, column: lead.distance}")


def over_clips(**chosen: Any) -> dict[str, Any]:
    program = {"source": TRIGGERS, "filename": "file.trigger", "signals": OTHER_COLUMNS}
    return {"programs": [program], "over": {"clips": chosen}}


def test_over_clips_it_gives_what_the_command_line_reports(
    api: Api, longtail: Longtail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.trigger").write_text(TRIGGERS)
    (tmp_path / "signals.yaml").write_text(OTHER_COLUMNS)
    add_recorded(api, STEADY, number=0)
    braked = add_recorded(api, BRAKING, number=1)
    silent = add_recorded(api, None, number=2)
    in_km = SIGNALS.replace("unit: m/s", "unit: km/h")
    other = add_recorded(api, BRAKING, number=3, campaign="kilometres", catalog=in_km)
    lost = add_recorded(api, b"PAR1 no parquet PAR1", number=4)
    arguments = ("backtest", "file.trigger", "--signals", "signals.yaml", "--clips", "", "--json", "report.json")
    longtail(*arguments)
    expected = json.loads(Path("report.json").read_text())
    backtest_id = begun(api, over_clips())
    page = ended(api, backtest_id)
    report = page["results"][0]["report"]
    for key in expected.keys() - {"fires", "by_drive", "failed_drives", "run"}:
        assert report[key] == expected[key], key
    assert report["forecast"] is None and page["results"][0]["costs"] == []
    failed = {each["drive"]: each["problem"] for each in report["failed_drives"]}
    assert "not extracted" in failed[silent] and "is in km/h, not in m/s" in failed[other]
    assert "cannot be read" in failed[lost]
    fires = of_author(api, f"/v1/backtests/{backtest_id}/fires")["fires"]
    start_ns = T_NS + 60 * SECOND_NS
    (slower,) = [fire for fire in fires if fire["trigger"] == "slower"]
    assert (slower["drive"], slower["t_ns"], slower["t_s"]) == (braked, start_ns + SLOWER_AT_NS, 2.52)
    assert "more than the 4000 of the budget of a vehicle's day in braking" in slower["reason"]
    shown = of_author(
        api, f"/v1/backtests/{backtest_id}/signals", drive=braked, from_ns=start_ns, to_ns=start_ns + 4 * SECOND_NS
    )
    assert [each["name"] for each in shown["series"]] == ["ego.speed"] and shown["series"][0]["t_s"][:2] == [0.0, 0.02]


def test_a_limit_takes_the_latest_and_no_clip_is_told(api: Api) -> None:
    add_recorded(api, BRAKING, number=0)
    latest = add_recorded(api, BRAKING, number=1)
    page = ended(api, begun(api, over_clips(limit=1)))
    assert [each["drive"] for each in page["results"][0]["report"]["by_drive"]] == [latest]
    failed = ended(api, begun(api, over_clips(filter="state = 'damaged'")))["backtest"]
    assert (failed["state"], failed["reason"]) == ("failed", "no clip matches the filter")


def test_a_backtest_goes_with_the_first_of_its_clips_that_is_erased(api: Api) -> None:
    erased, _ = (add_recorded(api, BRAKING, number=number) for number in range(2))
    both = begun(api, over_clips())
    ended(api, both)
    one = begun(api, over_clips(limit=1))
    ended(api, one)
    with api.database.begin() as connection:
        erased_clips.erase(connection, [erased], ErasureCause.ERASED)
    assert [each["id"] for each in of_author(api, "/v1/backtests")["backtests"]] == [one]


def test_a_clip_that_is_erased_before_it_is_noted_is_not_read(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    erased, kept = (add_recorded(api, BRAKING, number=number) for number in range(2))
    note = jobs.note_clips

    def erase_first(connection: Connection, *given: Any) -> set[str]:
        with api.database.begin() as other:
            erased_clips.erase(other, [erased], ErasureCause.ERASED)
        return note(connection, *given)

    monkeypatch.setattr(jobs, "note_clips", erase_first)
    page = ended(api, begun(api, over_clips()))
    report = page["results"][0]["report"]
    assert [each["drive"] for each in report["by_drive"]] == [kept] and report["failed_drives"] == []


def test_the_lease_is_kept_while_a_clip_is_fetched(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    add_recorded(api, BRAKING, number=0)
    renewed: list[int] = []
    move_on, fetch = jobs.move_on, ClipFetcher.fetch

    def counted(*given: Any, **more: Any) -> None:
        renewed.append(len(renewed))
        move_on(*given, **more)

    def slow(*given: Any) -> GivenClip:
        wait_for(lambda: len(renewed) >= 3, within_s=60, what="renewals of the lease while it is fetched")
        return fetch(*given)

    monkeypatch.setattr(jobs, "move_on", counted)
    monkeypatch.setattr(ClipFetcher, "fetch", slow)
    assert ended(api, begun(api, over_clips()))["backtest"]["state"] == "done"
