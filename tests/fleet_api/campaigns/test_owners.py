"""Owners and cost centres of campaigns over HTTP: who has them at first, who may change them, and what is refused."""

from __future__ import annotations

import json

import pytest

from tests.fleet_api.api_server import SIGNALS, Api, campaign_text
from triggers.errors import Forbidden, NotFound

ASSIGN = "/v1/campaign-owners/braking"


def test_who_applies_a_campaign_first_owns_it_whoever_applies_later_versions(api: Api) -> None:
    api.apply(campaign_text())
    later = {"source": campaign_text("priority 10"), "signals": SIGNALS}
    applied = api.client.post("/v1/campaigns", json=later, headers=api.as_("author", "zoe"))
    assert (applied.json()["version"], applied.json()["author"]) == (2, "zoe")
    assert (applied.json()["owner"], applied.json()["cost_centre"]) == ("author-user", "")
    first, second = (api.as_client("viewer").campaigns.version("braking", version) for version in (1, 2))
    assert (second.author, second.owner, second.owner_id) == ("zoe", "author-user", first.author_id)


def test_its_owner_gives_a_campaign_a_cost_centre_and_an_operator_another_owner(api: Api) -> None:
    api.apply(campaign_text())
    api.as_("author", "zoe")
    assigned = api.as_client("author").campaigns.assign("braking", cost_centre="maps.eu-7", reason="a map project")
    assert (assigned.owner, assigned.cost_centre) == ("author-user", "maps.eu-7")
    assigned = api.as_client("operator").campaigns.assign("braking", owner="ZOE")
    assert (assigned.owner, assigned.cost_centre) == ("zoe", "maps.eu-7")
    with pytest.raises(Forbidden, match="not author-user's to assign") as refused:
        api.as_client("author").campaigns.assign("braking", cost_centre="")
    assert "its owner (zoe) or an operator" in refused.value.remedy
    cleared = api.client.post(ASSIGN, json={"cost_centre": ""}, headers=api.as_("author", "zoe"))
    assert cleared.json()["cost_centre"] == ""
    (listed,) = api.as_client("viewer").campaigns.list()
    assert (listed.owner, listed.cost_centre) == ("zoe", "")


def test_the_audit_log_has_what_a_campaign_was_assigned_to_before_and_after_and_why(api: Api) -> None:
    api.apply(campaign_text())
    api.as_client("author").campaigns.assign("braking", cost_centre="maps", reason="a map project")
    entry = api.get("/v1/audit", "operator", object="braking").json()["entries"][-1]
    assert (entry["action"], entry["object"], entry["reason"]) == ("campaign.assign", "braking", "a map project")
    assert entry["before"] == {"owner": "author-user", "cost_centre": ""}
    assert entry["after"] == {"owner": "author-user", "cost_centre": "maps"}


@pytest.mark.parametrize(
    "body",
    [{"owner": ""}, {"cost_centre": "a/b"}, {"cost_centre": "-a"}, {"cost_centre": "a" * 65}, {"center": "maps"}],
)
def test_what_is_no_assignment_is_refused(api: Api, body: dict[str, str]) -> None:
    api.apply(campaign_text())
    assert api.post(ASSIGN, body, "author").status_code == 422


def test_a_user_or_a_campaign_that_is_not_there_is_not_found(api: Api) -> None:
    api.apply(campaign_text())
    with pytest.raises(NotFound, match="no user 'nobody'"):
        api.as_client("author").campaigns.assign("braking", owner="nobody")
    with pytest.raises(NotFound, match="no campaign 'none'"):
        api.as_client("author").campaigns.assign("none", cost_centre="maps")


@pytest.mark.parametrize("name", ["zoe\x00", "\ud800", "x" * 201])
def test_a_name_that_nobody_can_have_is_refused(api: Api, name: str) -> None:
    api.apply(campaign_text())
    body = json.dumps({"owner": name})
    headers = {**api.as_("author"), "Content-Type": "application/json"}
    assert api.client.post(ASSIGN, content=body, headers=headers).status_code in (404, 422)
