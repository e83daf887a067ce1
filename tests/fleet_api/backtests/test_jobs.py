"""Backtests as jobs: one at a time, ended at once, limits, whose they are, and what outlives a process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select, update

from fleet_api.api.app import create_app
from fleet_api.backtest_processes.tasks import MAX_FIRES
from fleet_api.backtests import run
from storage.backtests import jobs
from storage.settings import Settings
from storage.tables import backtest_results, backtests
from tests.fleet_api.api_server import Api
from tests.fleet_api.backtests.recorded import SOURCE, add_drives, begun, done, ended, request
from tests.support.waiting import wait_for


def begun_without_runner(api: Api, body: dict[str, Any] | None = None) -> str:
    """A backtest that waits, as no process of this application runs backtests any more."""
    api.app.state.backtests.close()
    return begun(api, body or request())


def removed(api: Api, backtest_id: str, role: str = "author") -> int:
    return int(api.client.delete(f"/v1/backtests/{backtest_id}", headers=api.as_(role)).status_code)


def test_a_user_has_one_at_a_time_and_ending_it_frees_the_place(api: Api, tmp_path: Path) -> None:
    add_drives(tmp_path, "a", "b")
    first = begun_without_runner(api)
    refused = api.post("/v1/backtests", request(), "author")
    assert refused.status_code == 429 and first in refused.json()["detail"]
    assert removed(api, first) == 200
    second = begun(api, request())
    assert [each["id"] for each in api.client.get("/v1/backtests", headers=api.as_("author")).json()["backtests"]] == [
        second
    ]


def test_one_that_is_ended_while_it_runs_ends_its_processes(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_drives(tmp_path, "a", "b")
    started: list[run.Aside] = []

    class Watched(run.Aside):
        """A process that never gets to its end, as what it says is not listened to."""

        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            started.append(self)

        def said(self) -> None:
            return None

    monkeypatch.setattr(run, "Aside", Watched)
    backtest_id = begun(api, request(SOURCE, SOURCE))
    wait_for(lambda: len(started) == 2, within_s=60, what="its two processes")
    state = api.client.get(f"/v1/backtests/{backtest_id}", headers=api.as_("author")).json()["backtest"]
    assert (state["state"], state["step"], state["total"]) == ("running", "running", 2 * size_of(tmp_path))
    assert removed(api, backtest_id) == 200
    wait_for(lambda: not any(each.is_alive for each in started), within_s=60, what="the end of its processes")
    monkeypatch.undo()
    assert done(api, request())[1]["results"], "the thread goes on with the next one"


def size_of(tmp_path: Path) -> int:
    return sum(path.stat().st_size for path in (tmp_path / "drives").iterdir())


def test_a_backtest_is_its_users_own(api: Api, tmp_path: Path) -> None:
    add_drives(tmp_path, "a", "b")
    backtest_id, _ = done(api, request())
    path = f"/v1/backtests/{backtest_id}"
    for sub in ("", "/fires", "/signals?drive=a&from_ns=0&to_ns=1"):
        assert api.client.get(path + sub, headers=api.as_("operator")).status_code == 403
        assert api.client.get(path + sub, headers=api.as_("admin")).status_code == 200
    assert removed(api, backtest_id, "operator") == 403
    assert removed(api, backtest_id) == 200
    assert api.client.get(path, headers=api.as_("author")).status_code == 404
    with api.database.begin() as connection:
        assert connection.execute(select(func.count()).select_from(backtest_results)).scalar() == 0


def test_what_is_not_done_has_no_fires_and_no_signals(api: Api, tmp_path: Path) -> None:
    add_drives(tmp_path, "a", "b")
    backtest_id = begun_without_runner(api)
    for sub in ("fires", "signals?drive=a&from_ns=0&to_ns=1"):
        answer = api.client.get(f"/v1/backtests/{backtest_id}/{sub}", headers=api.as_("author"))
        assert answer.status_code == 409, answer.text


def test_a_backtest_begins_again_when_its_process_has_died(api: Api, tmp_path: Path, settings: Settings) -> None:
    add_drives(tmp_path, "a", "b")
    backtest_id = begun_without_runner(api)
    with api.database.begin() as connection:
        taken = jobs.claim(connection, worker="one that dies", lease_s=30)
        assert taken is not None
        connection.execute(update(backtests).values(lease_until=func.now()))
    with TestClient(create_app(settings)):
        assert ended(api, backtest_id)["backtest"]["state"] == "done"


def test_a_backtest_that_ends_every_process_is_given_up(api: Api, tmp_path: Path, settings: Settings) -> None:
    add_drives(tmp_path, "a", "b")
    backtest_id = begun_without_runner(api)
    with api.database.begin() as connection:
        for _ in range(jobs.MAX_ATTEMPTS):
            assert jobs.claim(connection, worker="one that dies", lease_s=30) is not None
            connection.execute(update(backtests).values(lease_until=func.now() - func.make_interval(0, 0, 0, 0, 0, 1)))
    with TestClient(create_app(settings)):
        backtest = ended(api, backtest_id)["backtest"]
    assert (backtest["state"], backtest["reason"]) == ("failed", "its lease expired 2 times")


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        ({"backtest_bytes": 10}, "a backtest reads at most 10"),
        ({"backtest_s": 1}, "it takes more than 1 s of processor time"),
    ],
)
def test_limits_end_a_backtest_and_it_says_which(
    api: Api, tmp_path: Path, settings: Settings, limit: dict[str, int], told: str
) -> None:
    add_drives(tmp_path, "a", "b")
    conditions = " or ".join(f"ego.speed > {number} km/h for 1 s" for number in range(500, 1500))
    slow = "\n".join(f"trigger t{number} {{ when {conditions} }}" for number in range(8))
    backtest_id = begun_without_runner(api, request(slow))
    with TestClient(create_app(settings.model_copy(update=limit))):
        backtest = ended(api, backtest_id)["backtest"]
    assert backtest["state"] == "failed" and told in backtest["reason"]
    assert backtest["remedy"]


def test_a_drive_that_is_gone_at_its_turn_fails_the_backtest_and_it_says_so(
    api: Api, tmp_path: Path, settings: Settings
) -> None:
    add_drives(tmp_path, "a", "b")
    backtest_id = begun_without_runner(api)
    (tmp_path / "drives/b.parquet").unlink()
    with TestClient(create_app(settings)):
        backtest = ended(api, backtest_id)["backtest"]
    assert (backtest["state"], backtest["reason"]) == ("failed", "there is no recorded drive 'b'")


def test_a_reason_that_quotes_what_cannot_be_stored_is_told(api: Api, tmp_path: Path) -> None:
    add_drives(tmp_path, "a", "b")
    refused = api.post("/v1/backtests", request(SOURCE + "\x00"), "author")
    assert refused.status_code == 400 and "program 0" in refused.json()["detail"]
    backtest_id = begun_without_runner(api)
    with api.database.begin() as connection:
        taken = jobs.claim(connection, worker="one", lease_s=30)
        assert taken is not None
        told = {"reason": "a\x00", "remedy": "b\x00", "diagnostics": [{"message": "c\x00", "line": 1}]}
        jobs.abandon(connection, taken, **told)  # type: ignore[arg-type]
        failed = jobs.get(connection, backtest_id)
    assert (failed.state, failed.reason, failed.remedy) == ("failed", "a\ufffd", "b\ufffd")
    assert failed.diagnostics == [{"message": "c\ufffd", "line": 1}]


def test_a_defect_fails_the_backtest_at_once(
    api: Api, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    add_drives(tmp_path, "a", "b")
    backtest_id = begun_without_runner(api)
    monkeypatch.setattr(run, "limits_of", broken)
    with TestClient(create_app(settings)):
        backtest = ended(api, backtest_id)["backtest"]
    assert (backtest["state"], backtest["reason"]) == ("failed", "an unexpected error ended the backtest")


def test_backtests_expire(api: Api, tmp_path: Path) -> None:
    add_drives(tmp_path, "a", "b")
    begun_without_runner(api)
    with api.database.begin() as connection:
        connection.execute(update(backtests).values(expires_at=func.now()))
    assert api.client.get("/v1/backtests", headers=api.as_("author")).json() == {"backtests": []}
    with api.database.begin() as connection:
        assert jobs.expire(connection) == 1


def test_only_so_many_fires_are_kept_and_counts_are_whole(api: Api, tmp_path: Path) -> None:
    add_drives(tmp_path, "b")
    rows = 2 * MAX_FIRES + 100
    columns = {"t": np.arange(rows) / 10, "ego.speed": np.where(np.arange(rows) % 2, 12.0, 10.0)}
    pq.write_table(pa.table(columns), tmp_path / "drives/a.parquet")
    fast = "trigger fast { when ego.speed > 40 km/h }"
    _, page = done(api, request(fast, fast))
    for result in page["results"]:
        assert (result["fires"], result["fires_left_out"]) == (MAX_FIRES, 51)
        assert result["report"]["triggers"]["fast"]["fires"] == MAX_FIRES + 51
    assert page["comparison"]["complete"] is False
    assert page["comparison"]["fires"][0]["both"] == MAX_FIRES
