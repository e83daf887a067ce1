"""`longtail alerts` against real servers: what fires, since when, told once, over once."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from fleet_api.cli.main import main
from fleet_api.watching.alerts.evaluate import Alert, Metrics, evaluate
from fleet_api.watching.alerts.expressions import Labels
from fleet_api.watching.alerts.rules import RULES, UP
from fleet_api.watching.alerts.state import SAMPLE_EVERY_S, State
from storage.database import Database
from storage.settings import Settings
from tests.fleet_api.watching.scraping import TOKEN
from tests.fleet_api.watching.test_metrics import serving
from tests.support.fleet import add_version, enroll_vehicle
from triggers.contracts.campaign import BudgetLimits
from triggers.errors import Misconfigured

NOW_S = 1_800_000_000.0
DAY_S = 86_400


@dataclass
class Hook:
    """A webhook that keeps what it is told, and refuses when it shall."""

    url: str = ""
    messages: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    status: int = 204


@contextmanager
def webhook() -> Iterator[Hook]:
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if hook.status < 300:
                hook.messages.append(message)
                hook.keys.append(self.headers["Idempotency-Key"])
            self.send_response(hook.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hook.url = f"http://127.0.0.1:{server.server_address[1]}/secret-path"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield hook
        finally:
            server.shutdown()
            thread.join(60)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"metrics_token": TOKEN})


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONGTAIL_METRICS_TOKEN", TOKEN)


def use(database: Database, held: int) -> None:
    with database.begin() as connection:
        connection.execute(text("DELETE FROM ledger_accounts"))
        connection.execute(
            text(
                "INSERT INTO ledger_accounts (kind, campaign, unit, held, settled) "
                "VALUES ('campaign_bytes', 'braking', 'bytes', :held, :held)"
            ),
            {"held": held},
        )


def test_a_budget_that_is_used_up_is_told_once_and_its_end_once(
    settings: Settings, database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with database.begin() as connection:
        add_version(connection, "braking", limits=BudgetLimits(total_bytes=1000))
        enroll_vehicle(connection)
    state = str(tmp_path / "state.json")
    with serving(settings) as (url, _), webhook() as hook:
        arguments = ["alerts", url, "--state", state, "--webhook", hook.url]
        assert main(arguments) == 0
        assert capsys.readouterr().out == "no alerts\n" and hook.messages == []
        use(database, 995)
        for _ in range(3):
            assert main(arguments) == 3
        shown = capsys.readouterr()
        assert "campaign braking has used 99.5% of its bytes" in " ".join(shown.out.split())
        [message] = hook.messages
        assert (message["status"], message["alert"]) == ("firing", "LongtailBudgetExhausted")
        assert message["labels"] == {"campaign": "braking"} and message["value"] == pytest.approx(0.995)
        assert "longtail budget show braking" in message["remedy"]
        use(database, 10)
        for _ in range(2):
            assert main(arguments) == 0
        assert [each["status"] for each in hook.messages] == ["firing", "resolved"]
        assert len(set(hook.keys)) == 2
        use(database, 995)
        assert main(arguments) == 3
        assert [each["status"] for each in hook.messages] == ["firing", "resolved", "firing"]


def test_what_a_webhook_did_not_take_is_told_the_next_time_and_its_address_is_not_shown(
    settings: Settings, database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with database.begin() as connection:
        add_version(connection, "braking", limits=BudgetLimits(total_bytes=1000))
    use(database, 1000)
    with serving(settings) as (url, _), webhook() as hook:
        arguments = ["alerts", url, "--state", str(tmp_path / "s.json"), "--webhook", hook.url]
        hook.status = 500
        assert main(arguments) == 1
        shown = capsys.readouterr().err
        assert "answered 500" in shown and "secret-path" not in shown
        hook.status = 204
        assert main(arguments) == 3
        assert [each["alert"] for each in hook.messages] == ["LongtailBudgetExhausted"]


def test_nothing_is_over_because_the_process_that_tells_of_it_did_not_answer(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    with database.begin() as connection:
        add_version(connection, "braking", limits=BudgetLimits(total_bytes=1000))
    use(database, 1000)
    with serving(settings) as (url, _), webhook() as hook:
        options = ["--state", str(tmp_path / "s.json"), "--webhook", hook.url]
        assert main(["alerts", url, *options]) == 3
        main(["alerts", "http://127.0.0.1:1", *options])
        assert main(["alerts", url, *options]) == 3
        assert [each["status"] for each in hook.messages] == ["firing"]
        use(database, 10)
        assert main(["alerts", url, *options]) == 0
        assert [each["status"] for each in hook.messages] == ["firing", "resolved"]


def test_a_process_that_does_not_answer_is_pending_and_then_fires(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["alerts", "http://127.0.0.1:1", "--state", str(tmp_path / "s.json"), "--json"]
    assert main(arguments) == 0
    shown = capsys.readouterr()
    assert shown.err.startswith("127.0.0.1:1: ")
    [alert] = json.loads(shown.out)
    assert (alert["alert"], alert["state"]) == ("LongtailProcessDown", "pending")
    down = frozenset({("job", "longtail"), ("instance", "api:8080")})
    state = State()
    for after_s, firing in ((0, False), (119, False), (120, True)):
        [found] = evaluate(Metrics({UP: {down: 0.0}}, state, NOW_S + after_s))
        assert (found.is_firing, found.since_s) == (firing, NOW_S)
    assert evaluate(Metrics({UP: {down: 1.0}}, state, NOW_S + 130)) == []
    [again] = evaluate(Metrics({UP: {down: 0.0}}, state, NOW_S + 140))
    assert not again.is_firing, "it was up in between"


def of(campaign: str) -> Labels:
    return frozenset({("campaign", campaign), ("instance", "api:8080"), ("job", "longtail")})


def names(alerts: list[Alert]) -> dict[str, str]:
    return {alert.rule.name: dict(alert.labels).get("campaign", "") for alert in alerts}


def test_a_campaign_that_falls_silent_and_one_that_burns_above_plan_are_found_after_a_day() -> None:
    state = State()
    for hours in range(0, 25):
        samples = {
            "longtail_fired_total": {of("silent"): 50.0, of("lively"): 50.0 + hours, of("rare"): 0.0},
            "longtail_expected_fires_total": {of(name): hours / 4 for name in ("silent", "lively")} | {of("rare"): 0.1},
            "longtail_budget_settled_bytes": {of("lively"): hours * 1e6, of("silent"): 5e9},
            "longtail_expected_bytes_total": {of("lively"): hours * 1e5, of("silent"): hours * 1e5},
        }
        found = evaluate(Metrics(samples, state, NOW_S + hours * 3600))
        if hours < 23:
            assert found == [], hours
    assert names(found) == {"LongtailCampaignSilent": "silent", "LongtailBurnAbovePlan": "lively"}
    burn = next(alert for alert in found if alert.rule.name == "LongtailBurnAbovePlan")
    assert burn.value == pytest.approx(10)


def test_a_campaign_whose_counts_fall_is_as_silent_as_one_whose_counts_stay() -> None:
    """Counts of a vehicle that are voided, or of one that lost its journal, are taken away."""
    state = State()
    for hours in (0, 24):
        samples = {
            "longtail_fired_total": {of("a"): 50.0 - hours},
            "longtail_expected_fires_total": {of("a"): float(hours)},
        }
        found = evaluate(Metrics(samples, state, NOW_S + hours * 3600))
    assert names(found) == {"LongtailCampaignSilent": "a"}


@pytest.mark.parametrize("planned", [{}, {of("a"): 500.0}], ids=["paused", "nobody was armed"])
def test_clips_that_come_late_are_no_burn_above_a_plan_of_nothing(planned: dict[Labels, float]) -> None:
    state = State()
    for hours in (0, 24):
        samples = {
            "longtail_budget_settled_bytes": {of("a"): hours * 1e8},
            "longtail_expected_bytes_total": planned if hours else {of("a"): 500.0},
        }
        assert evaluate(Metrics(samples, state, NOW_S + hours * 3600)) == []


def used(share: float, campaign: str) -> dict[str, dict[Labels, float]]:
    return {
        "longtail_budget_limit_bytes": {of(campaign): 100.0},
        "longtail_budget_reserved_bytes": {of(campaign): 0.0},
        "longtail_budget_settled_bytes": {of(campaign): 100 * share},
    }


def test_the_fleets_own_budget_has_its_own_alerts_whose_remedy_is_of_the_fleet() -> None:
    for share, severity, name in ((0.9, "warning", "NearlyUsed"), (1.0, "critical", "Exhausted")):
        [alert] = evaluate(Metrics(used(share, ""), State(), NOW_S))
        assert (alert.rule.name, alert.rule.severity) == (f"LongtailFleetBudget{name}", severity)
        assert "LONGTAIL_FLEET_TOTAL_BYTES" in alert.remedy and "version" not in alert.remedy
        assert dict(alert.labels) == {} and alert.summary.startswith(f"the fleet has used {share * 100:.0f}%")
        [other] = evaluate(Metrics(used(share, "a"), State(), NOW_S))
        assert (other.rule.name, dict(other.labels)) == (f"LongtailBudget{name}", {"campaign": "a"})


@pytest.mark.parametrize(("reason", "told"), [("budget", {"LongtailCampaignUsedUp": "a"}), ("date", {})])
def test_a_campaign_that_completed_has_no_alert_but_that_it_used_up_its_budget(
    reason: str, told: dict[str, str]
) -> None:
    full = used(1.0, "a") | {
        "longtail_budget_limit_clips": {of("a"): 5.0},
        "longtail_budget_held_clips": {of("a"): 5.0},
        "longtail_forecast_bytes": {of("a") | {("quantile", "mean")}: 200.0},
    }
    running = names(evaluate(Metrics(full, State(), NOW_S)))
    assert set(running) == {"LongtailBudgetExhausted", "LongtailClipsExhausted", "LongtailForecast100"}
    completed = full | {"longtail_campaign_completed": {of("a") | {("reason", reason)}: 1.0}}
    assert names(evaluate(Metrics(completed, State(), NOW_S))) == told


def test_samples_are_kept_for_a_day_and_no_longer(tmp_path: Path) -> None:
    state, path = State(), tmp_path / "state.json"
    series = {"longtail_fired_total": {of("a"): 1.0}}
    for minute in range(0, 3 * 24 * 60, 5):
        evaluate(Metrics(series, state, NOW_S + minute * 60))
    assert len(state.samples) <= (DAY_S + 2 * 3600) / SAMPLE_EVERY_S + 1
    state.save(path)
    assert path.stat().st_mode & 0o077 == 0
    loaded = State.load(path)
    key, at_s = "max by (campaign) (longtail_fired_total)", state.samples[3][0]
    assert loaded.before(key, at_s) == state.before(key, at_s) == {frozenset({("campaign", "a")}): 1.0}
    assert loaded.before(key, at_s - 10 * DAY_S) is None


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "held": [], "samples": 3}'])
def test_a_file_that_is_no_state_is_refused_and_left_as_it_is(content: str, tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text(content)
    with pytest.raises(Misconfigured, match=r"not a state of `longtail alerts`"):
        State.load(path)
    assert path.read_text() == content


def test_every_rule_can_fire() -> None:
    everything = frozenset(
        {("campaign", "a"), ("instance", "i"), ("job", "longtail"), ("source", "s"), ("reason", "r"), ("disk", "data")}
        | {("partition", "0"), ("part", "assembler")}
    )
    stalled, seen = (everything | {("state", state)} for state in ("stalled", "seen"))

    def samples(**values: float) -> dict[str, dict[Labels, float]]:
        return {name: {everything: value} for name, value in values.items()}

    full = samples(
        up=0, longtail_metrics_collected=0, longtail_snapshot_age_seconds=1000, longtail_budget_limit_bytes=100,
        longtail_budget_reserved_bytes=0, longtail_budget_settled_bytes=100e6, longtail_budget_held_clips=5,
        longtail_budget_limit_clips=5, longtail_fired_total=3, longtail_expected_fires_total=10,
        longtail_expected_bytes_total=5, longtail_fires_unaccounted=1, longtail_ingest_lag_records=3000,
        longtail_part_ready=0, longtail_waiting_extractions=2000, longtail_dead_letters=1, longtail_disk_free_bytes=1,
        longtail_disk_size_bytes=100, longtail_campaigns_left_out=1,
        longtail_triggers_left_out=1,
    ) | {"longtail_vehicles": {stalled: 1.0, seen: 10.0}}  # fmt: skip
    state = State()
    before = full | samples(
        longtail_budget_settled_bytes=0, longtail_expected_fires_total=0, longtail_expected_bytes_total=0
    )
    evaluate(Metrics(before, state, NOW_S - DAY_S))
    fired = {alert.rule.name for alert in evaluate(Metrics(full, state, NOW_S))}
    nearly = full | samples(longtail_budget_settled_bytes=85)
    fired |= {alert.rule.name for alert in evaluate(Metrics(nearly, State(), NOW_S))}
    fleets = frozenset(label for label in everything if label[0] != "campaign") | {("campaign", "")}
    for share in (0.85, 1.0):
        budget = {name: {fleets: value} for name, value in (("limit", 1.0), ("reserved", 0.0), ("settled", share))}
        of_fleet = {f"longtail_budget_{name}_bytes": values for name, values in budget.items()}
        fired |= {alert.rule.name for alert in evaluate(Metrics(of_fleet, State(), NOW_S))}
    fired |= {alert.rule.name for alert in evaluate(Metrics(samples(longtail_campaign_completed=1), State(), NOW_S))}
    mean = everything | {("quantile", "mean")}
    for bytes_ in (50, 85, 120):
        forecast = full | {"longtail_forecast_bytes": {mean: bytes_, everything | {("quantile", "0.95")}: 1e9}}
        found = [alert.rule.name for alert in evaluate(Metrics(forecast, State(), NOW_S))]
        assert sum(name.startswith("LongtailForecast") for name in found) == 1, "the nearest of the three alone"
        fired |= set(found)
    of_trigger = everything | {("trigger", "t")}
    for bytes_ in (85, 120):
        own = {"longtail_trigger_forecast_bytes": {of_trigger | {("quantile", "mean")}: bytes_}}
        own["longtail_trigger_budget_limit_bytes"] = {of_trigger: 100}
        (alert,) = evaluate(Metrics(own, State(), NOW_S))
        assert "trigger a.t is forecast" in alert.summary and "longtail budget forecast a.t" in alert.remedy
        fired.add(alert.rule.name)
    assert fired == {rule.name for rule in RULES}


def test_addresses_and_webhooks_over_which_others_could_listen_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = ["--state", str(tmp_path / "s.json")]
    for arguments, said in (
        (["http://fleet.example"], "could be read on its way to fleet.example"),
        (["ftp://fleet.example"], "not an address of metrics"),
        (["http://127.0.0.1:1", "--webhook", "http://hook.example/x"], "not an https:// address"),
    ):
        assert main(["alerts", *arguments, *state]) == 1
        assert said in capsys.readouterr().err


def test_rules_are_printed_for_prometheus(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["alerts", "--rules"]) == 0
    assert "- alert: LongtailBudgetExhausted" in capsys.readouterr().out
