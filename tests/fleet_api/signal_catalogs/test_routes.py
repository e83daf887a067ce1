"""Signal catalogs: operators publish versions, which stay as they are, and authors apply against these."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import Response
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from tests.fleet_api.api_server import SIGNALS, Api, campaign_text
from triggers.contracts.limits import PROGRAM_OPERATIONS

WIDER = SIGNALS + "limits: {operations: 50000}\n"
LOWER = SIGNALS + "limits: {operations: 10}\n"


def publish(api: Api, signals: str = SIGNALS, name: str = "fleet") -> Response:
    return api.post("/v1/signal-catalogs", {"name": name, "signals": signals}, "operator")


def apply(api: Api, **catalog: str) -> Response:
    return api.post("/v1/campaigns", {"source": campaign_text(), **catalog}, "author")


def shown(api: Api) -> Any:
    return api.get("/v1/campaigns/braking/1").json()["review"]


def test_versions_of_a_name_are_added_and_the_same_text_is_the_same_version(api: Api) -> None:
    first, again, second, third = (publish(api, each) for each in (SIGNALS, SIGNALS, LOWER, SIGNALS))
    assert [each.status_code for each in (first, again, second, third)] == [201, 200, 201, 201]
    assert [each.json()["version"] for each in (first, again, second, third)] == [1, 1, 2, 3]
    assert first.json()["digest"] == third.json()["digest"]
    assert (first.json()["operations"], second.json()["operations"]) == (PROGRAM_OPERATIONS, 10)
    assert (first.json()["signals"], first.json()["published_by"]) == (6, "operator-user")
    (listed,) = api.get("/v1/signal-catalogs").json()["catalogs"]
    assert listed == third.json()
    for reference, version in (("fleet", 3), ("fleet@2", 2), (first.json()["digest"], 3), (second.json()["digest"], 2)):
        assert api.get(f"/v1/signal-catalogs/{reference}").json()["version"] == version
    for reference in ("fleet@4", "fleet@0", "fleet@99999999999", "fleet@", "other", "0" * 64):
        assert api.get(f"/v1/signal-catalogs/{reference}").status_code == 404


@pytest.mark.parametrize("change", ["UPDATE signal_catalogs SET text = ''", "DELETE FROM signal_catalogs"])
def test_a_published_version_is_never_changed(api: Api, change: str) -> None:
    publish(api)
    with pytest.raises(IntegrityError, match="never changed"), api.database.engine.begin() as connection:
        connection.execute(text(change))


def test_a_campaign_is_applied_against_a_published_catalog_which_its_approver_sees(api: Api) -> None:
    digest = publish(api).json()["digest"]
    publish(api, LOWER)
    assert apply(api, catalog="fleet").status_code == 422, "the newest version, whose limit is lower"
    assert apply(api, catalog="fleet@1").status_code == 201
    for same in ({"catalog": digest}, {"signals": SIGNALS}):
        answer = apply(api, **same)
        assert (answer.status_code, answer.json()["version"]) == (200, 1), "the same text"
    assert (shown(api)["catalogs"], shown(api)["catalog_digest"]) == (["fleet@1"], digest)
    unknown = apply(api, catalog="truck")
    assert (unknown.status_code, "signals list" in unknown.json()["remedy"]) == (404, True)


def test_an_authors_own_catalog_is_refused_where_others_are_published_unless_a_setting_allows_it(api: Api) -> None:
    own = SIGNALS + "# mine\n"
    assert apply(api, signals=own).status_code == 201, "none is published yet"
    publish(api)
    assert shown(api)["catalogs"] == [], "an approver sees that it is the author's own"
    refused = apply(api, signals=own)
    assert refused.status_code == 403 and "LONGTAIL_AUTHOR_CATALOGS" in refused.json()["remedy"]
    api.change_settings(author_catalogs=True)
    assert apply(api, signals=own).status_code == 200


@pytest.mark.parametrize("catalog", [{}, {"signals": SIGNALS, "catalog": "fleet"}])
def test_a_text_is_applied_against_exactly_one_catalog(api: Api, catalog: dict[str, str]) -> None:
    publish(api)
    answer = apply(api, **catalog)
    assert answer.status_code == 422 and "`catalog`" in answer.json()["detail"]


def test_limits_come_from_the_operator(api: Api) -> None:
    """Large programs need a larger limit: the operator raises the deployment's, then publishes a catalog with it."""
    refused = publish(api, WIDER)
    assert refused.status_code == 422
    assert "50,000 operations per tick, and this deployment allows 20,000" in refused.json()["detail"]
    large = {"source": many_triggers(221), "catalog": "fleet"}
    publish(api)
    answer = api.post("/v1/campaigns", large, "author")
    assert answer.status_code == 422 and "the limit is 20,000" in str(answer.json()["diagnostics"])
    api.change_settings(program_operations=50_000)
    assert publish(api, WIDER).status_code == 201
    assert api.post("/v1/campaigns", large, "author").status_code == 201


def many_triggers(number: int) -> str:
    triggers = "".join(
        f"trigger t{n} {{ when avg(ego.accel over 1 s) > {n + 1} m/s^2 for {20 * n + 40} ms }}\n" for n in range(number)
    )
    collected = ", ".join(f"t{n}" for n in range(number))
    return f"{triggers}campaign many {{ collect {collected} budget 1 GB total }}\n"


@pytest.mark.parametrize(
    ("signals", "name"), [("signals: {", "fleet"), ("signals: {a: {unit: parsec}}", "fleet"), (SIGNALS, "../x")]
)
def test_a_catalog_with_mistakes_is_refused(api: Api, signals: str, name: str) -> None:
    assert publish(api, signals, name).status_code == 422
    assert api.get("/v1/signal-catalogs").json()["catalogs"] == []


def test_a_catalog_that_says_nothing_of_limits_asks_for_none(api: Api) -> None:
    api.change_settings(program_operations=10)
    assert publish(api).status_code == 201
    assert publish(api, LOWER).status_code == 201


def test_a_derived_signal_that_depends_on_itself_is_refused_with_its_place(api: Api) -> None:
    circle = "signals:\n  x: {rate: 10}\n  a: {derived: b + x}\n  b: {derived: a}\n"
    answer = publish(api, circle)
    assert answer.status_code == 422
    assert "signals:4:16: the derived signal `a` depends on itself: a -> b -> a" in answer.json()["detail"]
