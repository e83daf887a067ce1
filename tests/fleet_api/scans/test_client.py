"""Scans by the client library and on the command line."""

from __future__ import annotations

import pytest

from fleet_api.client.clips import scans as client_scans
from tests.fleet_api.api_server import Api
from tests.fleet_api.cli.conftest import Longtail, longtail
from tests.fleet_api.scans.recorded import BRAKING, SLOWER, SLOWER_AT_NS, STEADY, add_recorded
from tests.storage.clips.catalog_support import T_NS
from triggers.contracts.api.scans.answers import ScanView
from triggers.errors import DiagnosticsError, LongtailError, NotFound, TooMany

__all__ = ["longtail"]


def test_what_a_scan_finds_comes_as_it_is_found_over_pages(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_scans, "PAGE", 2)
    braked = [add_recorded(api, BRAKING, number=number) for number in range(5)][::-1]
    client = api.as_client("viewer")
    begun = client.scans.begin(SLOWER, filter_text="campaign = 'braking'")
    seen: list[ScanView] = []
    assert [hit.clip for hit in client.scans.hits(begun.id, progress=seen.append)] == braked
    assert (seen[-1].scanned, seen[-1].complete) == (5, True)
    assert [scan.id for scan in client.scans.list()] == [begun.id]
    assert client.scans.end(begun.id).found == 5
    with pytest.raises(NotFound):
        client.scans.page(begun.id)


def test_mistakes_and_a_second_scan_are_refused_as_the_api_says(api: Api) -> None:
    add_recorded(api, STEADY)
    client = api.as_client("viewer")
    with pytest.raises(DiagnosticsError):
        client.scans.begin("ego.sped > 3")
    api.app.state.scans.close()
    client.scans.begin(SLOWER)
    with pytest.raises(TooMany):
        client.scans.begin(SLOWER)


def test_a_scan_that_cannot_go_on_says_why(api: Api) -> None:
    add_recorded(api, STEADY)
    api.app.state.scans.close()
    client = api.as_client("viewer")
    begun = client.scans.begin(SLOWER)
    from storage.scans import jobs

    with api.database.begin() as connection:
        scan = jobs.claim(connection, worker="w", lease_s=30)
        assert scan is not None
        jobs.abandon(connection, scan, reason="the disk is on fire")
    with pytest.raises(LongtailError, match="the disk is on fire"):
        list(client.scans.hits(begun.id))


def test_the_command_line_lists_clips_and_instants(api: Api, longtail: Longtail) -> None:
    add_recorded(api, STEADY, number=1)
    braked = add_recorded(api, BRAKING)
    silent = add_recorded(api, None, number=2)
    shown = longtail("clips", "search", "--when", SLOWER, role="viewer")
    assert shown.status == 0
    assert braked in shown.out and "2.520" in shown.out and str(T_NS + SLOWER_AT_NS) in shown.out
    assert "scanned 3 clips" in shown.err and "1 instant in 1 clip" in shown.err
    assert f"left out 1 clip, such as {silent}: its signals are not extracted" in shown.err
    document = longtail("clips", "search", "campaign = 'braking'", "--when", SLOWER, "--json").json()
    assert document["hits"][0]["t_ns"] == [T_NS + SLOWER_AT_NS]
    assert document["scan"]["left_out"][0]["clips"] == 1
    assert longtail("clips", "search", "--when", SLOWER, "--ids").out == f"{braked}\n"
    rows = longtail("clips", "search", "--when", SLOWER, "--csv").out.splitlines()
    assert rows[0] == "id,start,vehicle,instants,t_s,t_ns" and rows[1].startswith(f"{braked},")


def test_the_command_line_shows_mistakes_with_their_places_and_refuses_an_order(api: Api, longtail: Longtail) -> None:
    add_recorded(api, STEADY)
    shown = longtail("clips", "search", "--when", "ego.sped < 3 m/s")
    assert (shown.status, shown.out) == (1, "")
    assert "--when:1:1" in shown.err and "did you mean `ego.speed`?" in shown.err
    assert longtail("clips", "search", "--when", SLOWER, "--sortby", "start").status == 2


def test_ctrl_c_ends_the_scan(api: Api, longtail: Longtail, monkeypatch: pytest.MonkeyPatch) -> None:
    add_recorded(api, STEADY)
    api.app.state.scans.close()

    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("fleet_api.client.clips.scans.time.sleep", interrupted)
    assert longtail("clips", "search", "--when", SLOWER, role="viewer").status == 130
    assert api.get("/v1/scans").json() == {"scans": []}
