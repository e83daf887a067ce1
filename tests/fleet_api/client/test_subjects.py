"""The client against the API: pages are followed, versions are chosen, beginnings of ids stand for the only one."""

from __future__ import annotations

import re
from contextlib import suppress

import httpx
import pytest

from fleet_api.client import Client
from fleet_api.client import vehicles as vehicles_module
from storage.uploads import dead_letters
from tests.fleet_api.api_server import SIGNALS, Api, campaign_text
from tests.fleet_api.budget.test_routes import reserve
from tests.support.paths import REPOSITORY
from tests.support.used import use
from tests.triggers.costs.books import BOOK
from triggers.contracts.api.backtests.requests import BacktestRequest, Over, ProgramRequest
from triggers.contracts.signing import Signature
from triggers.errors import Conflict, DiagnosticsError, Forbidden, InvalidInput, NotFound


@pytest.fixture
def client(api: Api) -> Client:
    return api.as_client("admin")


BACKTEST = BacktestRequest(programs=(ProgramRequest(source="", signals=""),), over=Over(drives=("a",)))


def test_a_campaign_is_applied_approved_found_and_stopped(api: Api, client: Client) -> None:
    applied = api.as_client("author").campaigns.apply(campaign_text(), SIGNALS)
    assert (applied.campaign, applied.version, applied.state) == ("braking", 1, "submitted")
    approved = client.campaigns.approve("braking", 1, digest=applied.approval_digest)
    assert approved.state == "active"
    client.campaigns.apply(campaign_text("priority 10"), SIGNALS)
    assert client.campaigns.reject("braking", 2, reason="not before Monday").rejected_reason == "not before Monday"
    assert client.campaigns.version("braking").version == 2
    with pytest.raises(Conflict, match="version 2"):
        client.campaigns.apply(campaign_text("priority 20"), SIGNALS, based_on=1)
    assert client.campaigns.version("braking", running=True).version == 1
    assert client.campaigns.version("braking", 1).source == campaign_text()
    assert [each.version for each in client.campaigns.versions("braking").versions] == [2, 1]
    assert client.campaigns.move("braking", 1, "stop").state == "stopped"
    assert client.campaigns.version("braking", running=True).version == 2, "none runs: the newest"


def test_a_text_with_mistakes_comes_back_with_all_of_them(client: Client) -> None:
    with pytest.raises(DiagnosticsError) as caught:
        client.campaigns.apply("trigger a { when ego.sped > 3 }", SIGNALS)
    assert caught.value.diagnostics


def test_campaigns_are_listed_over_pages(api: Api, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "c"):
        api.apply(campaign_text().replace("braking", name))
    monkeypatch.setattr("fleet_api.client.campaigns.PAGE", 2)
    assert [each.campaign for each in client.campaigns.list()] == ["a", "b", "c"]


def test_price_books_are_published_listed_and_got(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleet_api.client.volume.budget.PAGE", 2)
    texts = [BOOK, BOOK.replace("0.05", "0.06"), BOOK.replace("0.05", "0.07")]
    assert [client.price_books.publish(text).version for text in texts] == [1, 2, 3]
    assert [each.version for each in client.price_books.list()] == [3, 2, 1]
    assert (client.price_books.get().text, client.price_books.get(1).text) == (texts[2], BOOK)


def test_signal_catalogs_are_published_listed_and_applied_against(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fleet_api.client.campaigns.PAGE", 2)
    for name in ("cars", "trucks", "vans"):
        assert client.signal_catalogs.publish(name, SIGNALS).version == 1
    assert [each.name for each in client.signal_catalogs.list()] == ["cars", "trucks", "vans"]
    assert client.signal_catalogs.get("cars@1").text == SIGNALS
    assert client.campaigns.apply(campaign_text(), None, catalog="cars").version == 1


def test_vehicles_are_enrolled_listed_shown_and_revoked(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vehicles_module, "PAGE", 2)
    for name in ("car-1", "car-10", "car-11", "van-1"):
        assert client.vehicles.enrol(name, {"region": "EU"}).token.startswith("lt_")
    assert [each.id for each in client.vehicles.list()] == ["car-1", "car-10", "car-11", "van-1"]
    assert [each.id for each in client.vehicles.list(limit=3)] == ["car-1", "car-10", "car-11"]
    assert [each.id for each in client.vehicles.list(prefix="car-1", limit=9)] == ["car-1", "car-10", "car-11"]
    assert client.vehicles.get("van-1").attributes == {"region": "EU"}
    client.vehicles.revoke("van-1")
    assert client.vehicles.get("van-1").revoked_at is not None


def test_the_beginning_of_a_vehicles_id_stands_for_the_only_one(client: Client) -> None:
    for name in ("car-1", "car-10", "car_2"):
        client.vehicles.enrol(name)
    assert client.vehicles.resolve("car-1") == "car-1", "an id that is whole is meant"
    assert client.vehicles.resolve("car_") == "car_2", "the underscore means itself"
    assert client.vehicles.resolve("nothing") == "nothing"
    with pytest.raises(InvalidInput, match="car-1, car-10"):
        client.vehicles.resolve("car-")


def test_dead_letters_are_listed_over_pages_up_to_the_limit(api: Api) -> None:
    with api.database.begin() as transaction:
        ids = [
            dead_letters.record(transaction, stage="gateway", reason="manifest_invalid", detail=str(number))
            for number in range(5)
        ][::-1]
    client = api.as_client("operator")
    assert [each.id for each in client.dead_letters.list()] == ids
    assert [each.id for each in client.dead_letters.list(limit=3)] == ids[:3]
    client.dead_letters.discard(ids[0])
    assert [each.id for each in client.dead_letters.list(state="discarded")] == ids[:1]


def test_outcomes_budget_jobs_and_health_have_their_types(api: Api, client: Client) -> None:
    api.activate(campaign_text())
    assert client.outcomes.count("braking").outcomes == []
    (account,) = client.budget.accounts("braking")
    assert (account.kind, account.held) == ("campaign_bytes", 0)
    assert client.labels.claim("auto", "me") == []
    assert client.labels.stats().tasks == {}
    assert (client.health.live().status, client.health.ready().schema_revision is None) == ("ok", False)


def test_budgets_are_listed_over_pages(api: Api, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    reserve(api, "car-1", "car-2")
    whole = list(client.budget.accounts())
    monkeypatch.setattr("fleet_api.client.volume.budget.PAGE", 3)
    assert list(client.budget.accounts()) == whole and len(whole) == 10


def test_usage_is_summed_over_pages_of_one_span(api: Api, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    use(api.database)
    whole = client.usage.sums(("campaign", "network"))
    groups = list(whole.groups)
    monkeypatch.setattr("fleet_api.client.volume.usage.PAGE", 1)
    paged = client.usage.sums(("campaign", "network"), since=whole.since, until=whole.until)
    assert list(paged.groups) == groups and len(groups) == 4
    assert (paged.since, paged.until) == (whole.since, whole.until)
    (lanes,) = client.usage.sums(("campaign",), where={"campaign": "lanes", "network": "cellular"}).groups
    assert (lanes.campaign, lanes.network, lanes.wire_bytes) == ("lanes", None, 14)


@pytest.mark.parametrize("clip_id", ["/", "a/b", "..", "", "7", "x" * 32, "0" * 33, "-1"])
def test_what_is_no_clips_id_is_told_what_one_looks_like(client: Client, clip_id: str) -> None:
    for call in (lambda: client.clips.get(clip_id), lambda: client.clips.get(client.clips.resolve(clip_id))):
        with pytest.raises((InvalidInput, NotFound)) as caught:
            call()
        assert "32 characters of 0-9 and a-f" in str(caught.value) or clip_id == "7"


def test_a_name_with_a_slash_is_refused_with_what_a_name_looks_like(client: Client) -> None:
    with pytest.raises(InvalidInput, match="A-Z a-z 0-9"):
        client.vehicles.get("/")
    with pytest.raises(InvalidInput, match="a-z 0-9 _"):
        client.campaigns.versions("a/b")


def test_a_role_that_does_not_suffice_is_refused_as_the_api_says(api: Api) -> None:
    with pytest.raises(Forbidden, match="needs the role operator"):
        api.as_client("viewer").vehicles.enrol("car-1")


def test_what_is_not_there_is_not_found(client: Client) -> None:
    with pytest.raises(NotFound):
        client.campaigns.version("nothing")
    with pytest.raises(NotFound):
        client.clips.get("0" * 32)


METHODS = {"get", "post", "put", "delete"}
FOR_VEHICLES = {"check-in", "telemetry", "bundles", "uploads", "token", "key"}
"""Parts of the routes that vehicles call; people have no use for them."""
FOR_BROWSERS = {"/v1/login", "/v1/login/callback", "/v1/login/token"}
FOR_STAC = "/stac"
"""Where clients of others begin, such as pystac-client: tests/fleet_api/stac/test_standard_tools.py."""


def test_the_client_reaches_every_route_that_people_use(api: Api) -> None:
    asked: set[tuple[str, str]] = set()

    def refuse(request: httpx.Request) -> httpx.Response:
        asked.add((request.method.lower(), request.url.path))
        return httpx.Response(404)

    client = Client("http://x", "lt_x", http=httpx.Client(transport=httpx.MockTransport(refuse)))
    for call in (
        lambda: client.campaigns.apply("", ""),
        lambda: next(client.campaigns.list()),
        lambda: client.campaigns.versions("a"),
        lambda: client.campaigns.version("a", 1),
        lambda: client.campaigns.reject("a", 1, reason="r"),
        lambda: client.budget.set_limit("fleet", amount=1, reason="r"),
        lambda: next(client.budget.audit()),
        lambda: client.campaigns.assign("a", cost_centre="r"),
        lambda: client.authoring.check("", ""),
        lambda: client.authoring.vocabulary(""),
        lambda: client.signal_catalogs.get("a"),
        lambda: next(client.signal_catalogs.list()),
        lambda: client.signal_catalogs.publish("a", ""),
        lambda: client.price_books.publish(""),
        lambda: next(client.price_books.list()),
        client.price_books.get,
        lambda: client.price_books.get(1),
        client.costs.to_date,
        client.costs.months,
        lambda: client.costs.close("2026-01"),
        lambda: client.costs.statement("2026-01"),
        lambda: next(client.costs.focus()),
        lambda: client.campaigns.approve("a", 1, digest="0" * 64),
        *(lambda step=step: client.campaigns.move("a", 1, step) for step in ("submit", "pause", "resume", "stop")),
        lambda: client.campaigns.hold("a", 1, reason="r"),
        lambda: client.campaigns.signatures("a", 1),
        lambda: client.campaigns.course("a", 1),
        lambda: client.campaigns.attach_report("a", 1, backtest="b"),
        lambda: client.campaigns.report("a", 1),
        lambda: client.campaigns.report_page("a", 1),
        lambda: client.campaigns.difference("a", 2, since=1),
        lambda: next(client.campaigns.trail("a")),
        lambda: next(client.campaigns.vehicles("a", 1)),
        lambda: client.campaigns.other_vehicles("a", 1),
        lambda: client.campaigns.sign("a", 1, Signature(bytes(8), bytes(64))),
        client.trust.newest,
        lambda: client.trust.publish(b"a"),
        lambda: client.vehicles.enrol("a"),
        lambda: client.vehicles.issue_code("a"),
        lambda: client.vehicles.quarantine("a", reason="r"),
        lambda: client.vehicles.release("a", reason="r"),
        lambda: client.vehicles.void_counts("a", reason="r"),
        lambda: client.vehicles.restore_counts("a", reason="r"),
        lambda: next(client.vehicles.list()),
        lambda: client.datasets.create("a", filter_text="a"),
        lambda: client.datasets.add_version("a", filter_text="a"),
        lambda: next(client.datasets.list()),
        lambda: client.datasets.get("a"),
        lambda: client.datasets.version("a@1"),
        lambda: next(client.datasets.members("a@1")),
        lambda: client.datasets.difference("a", 1, 2),
        lambda: client.datasets.release("a", reason="r"),
        lambda: client.datasets.keep("a", reason="r"),
        lambda: client.searches.save("a", "a"),
        lambda: next(client.searches.list()),
        lambda: client.searches.get("a"),
        lambda: client.searches.delete("a"),
        lambda: client.vehicles.get("a"),
        lambda: client.vehicles.revoke("a"),
        lambda: client.vehicles.erase("a", reason="b"),
        lambda: client.vehicles.erasure_report("a"),
        lambda: next(client.clips.search()),
        lambda: client.clips.get("a"),
        lambda: client.clips.translate("TRUE"),
        client.clips.functions,
        client.clips.properties,
        client.clips.count,
        client.clips.facets,
        lambda: client.clips.erase("a", reason="b"),
        lambda: client.clips.similar("a"),
        lambda: client.clips.put_vector("a", "b", [1.0, 0.0]),
        lambda: client.clips.restore("a"),
        lambda: client.clips.read("/objects/a"),
        lambda: client.scans.begin("a"),
        lambda: next(client.scans.hits("a")),
        client.scans.list,
        lambda: client.scans.end("a"),
        client.backtests.drives,
        client.backtests.list,
        lambda: client.backtests.begin(BACKTEST),
        lambda: client.backtests.page("a"),
        lambda: client.backtests.wait("a"),
        lambda: next(client.backtests.fires("a")),
        lambda: client.backtests.signals("a", "b", from_ns=0, to_ns=1),
        lambda: client.backtests.end("a"),
        lambda: client.clips.tag("a", "b"),
        lambda: client.clips.untag("a", "b"),
        lambda: client.clips.note("a", "b"),
        lambda: client.clips.remove_note("a", 1),
        lambda: client.labels.claim("a", "b"),
        lambda: next(client.labels.list()),
        lambda: client.labels.retry(1),
        client.labels.stats,
        lambda: client.labels.renew(1, 1),
        lambda: client.labels.complete(1, 1, {}),
        lambda: client.labels.fail(1, 1, "a"),
        lambda: next(client.budget.accounts()),
        client.usage.sums,
        lambda: client.history.clip("a"),
        lambda: client.history.fire("a", "b", 1, 1),
        client.history.latency,
        lambda: next(client.audit.list()),
        client.outcomes.count,
        client.alerts.current,
        client.rates.of_triggers,
        client.forecasts.current,
        lambda: client.forecasts.kept("a"),
        lambda: client.rates.heads("a"),
        lambda: client.rates.events("a"),
        lambda: client.rates.compare("a", "1", "2"),
        lambda: next(client.dead_letters.list()),
        lambda: client.dead_letters.discard(1),
        client.health.live,
        client.health.ready,
        client.login.provider,
        lambda: client.login.exchange("code", verifier="v" * 43, nonce="n" * 43, redirect_uri="http://127.0.0.1:1/"),
        client.login.me,
        client.login.log_out,
    ):
        with suppress(NotFound):
            call()
    paths = api.client.get("/openapi.json").json()["paths"]
    routes = {(method, path) for path, item in paths.items() for method in METHODS & set(item)}
    unreached = {
        (method, path)
        for method, path in routes
        if not FOR_VEHICLES & set(path.split("/"))
        and path not in FOR_BROWSERS
        and not path.startswith(FOR_STAC)
        and not any(method == verb and re.fullmatch(re.sub(r"{[^}]+}", "[^/]+", path), url) for verb, url in asked)
    }
    assert unreached == set()


def test_the_python_in_the_documents_runs(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (REPOSITORY / "docs" / "commands.md").read_text(), re.DOTALL)
    monkeypatch.setattr("fleet_api.client.open_client", lambda: api.as_client("viewer"))
    exec(example, {})
