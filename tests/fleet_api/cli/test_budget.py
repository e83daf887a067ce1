"""`longtail budget show`: accounts of one campaign and of all."""

from __future__ import annotations

from tests.fleet_api.api_server import Api, campaign_text
from tests.fleet_api.cli.conftest import Longtail


def test_nothing_used_is_one_remark(api: Api, longtail: Longtail) -> None:
    api.activate(campaign_text())
    shown = longtail("budget", "show")
    assert (shown.status, shown.out) == (0, "")
    assert shown.err.startswith("no budget has been used yet")


def test_a_campaign_that_is_not_there_is_said_in_one_line(longtail: Longtail) -> None:
    shown = longtail("budget", "show", "nothing")
    assert (shown.status, shown.out) == (1, "")
    assert shown.err.startswith("longtail: ") and "nothing" in shown.err
