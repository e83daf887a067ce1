"""`longtail audit`: lists, exports, and the walk that names what somebody changed."""

from __future__ import annotations

import csv
import json

from sqlalchemy import text

from tests.fleet_api.api_server import Api, campaign_text
from tests.fleet_api.cli.conftest import Longtail
from triggers.contracts.api.audit import AuditChain, AuditEntryView


def test_the_log_is_shown_filtered_and_exported(api: Api, longtail: Longtail) -> None:
    api.activate(campaign_text())
    shown = longtail("audit", "--object", "braking", role="operator")
    assert "campaign.approve" in shown.out and "approver-user" in shown.out and "settings" not in shown.out
    table = list(csv.DictReader(longtail("audit", "--who", "Approver-User", "--csv").out.splitlines()))
    assert [(row["action"], row["object"]) for row in table] == [("campaign.approve", "braking/1")]
    lines = longtail("audit", "--jsonl").out.splitlines()
    assert AuditChain().broken(map(AuditEntryView.model_validate_json, lines)) is None
    assert len(lines) == len(longtail("audit", "--json").json())
    assert json.loads(lines[0])["sequence"] == 1
    assert longtail("audit", "--since", "2200-01-01", "--json").json() == []
    assert "no such entries" in longtail("audit", "--since", "2200-01-01T00:00:00Z").err
    assert len(longtail("audit", "--since", "1h", "--json").json()) == len(lines)
    for wrong in ("soon", "2026-13-01", "2026-11-28 09:00"):
        refused = longtail("audit", "--since", wrong)
        assert refused.status == 1 and f"'{wrong}' is not a time" in refused.err
    for form in ("--json", "--csv"):
        assert f"--jsonl and {form} cannot be combined" in longtail("audit", "--jsonl", form).err


def test_a_walk_finds_what_was_changed_or_cut_off(api: Api, longtail: Longtail) -> None:
    api.activate(campaign_text())
    api.as_("admin")
    whole = longtail("audit", "--verify")
    assert whole.status == 0 and "all as they were written" in whole.out
    head = whole.out.split()[-1]
    assert longtail("audit", "--verify", "--head", head).status == 0
    with api.database.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("DELETE FROM audit WHERE hash = :head"), {"head": head})
    assert longtail("audit", "--verify").status == 0
    cut = longtail("audit", "--verify", "--head", head)
    assert cut.status == 1 and "cut off" in cut.err
    with api.database.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("UPDATE audit SET user_name = 'bob' WHERE sequence = 2"))
    changed = longtail("audit", "--verify")
    assert changed.status == 1 and "entry 2 was changed" in changed.err
    for wrong in (("--head", head), ("--verify", "--csv"), ("--verify", "--who", "ann")):
        assert longtail("audit", *wrong).status == 2


def test_a_viewer_does_not_read_the_log(longtail: Longtail) -> None:
    assert longtail("audit", role="viewer").status == 1
