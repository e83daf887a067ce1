"""Every rule of the audit finds the mistake that it is there for, and is silent about what is right."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.chaos import checks
from tests.chaos.checks import Account, Amounts
from triggers.contracts.api.clips import ClipView, FireView
from triggers.contracts.api.outcomes import OutcomesView

RIGHT: dict[Account, Amounts] = {
    ("fleet", "", ""): Amounts(300, 300),
    ("campaign_bytes", "night", ""): Amounts(120, 120),
    ("campaign_clips", "night", ""): Amounts(2, 2),
    ("campaign_vehicle_day", "night", "car-0"): Amounts(60, 60),
    ("campaign_vehicle_day", "night", "car-1"): Amounts(60, 60),
}


def clip(digest: str, *, vehicle: str = "car-0", state: str = "ready", size_bytes: int = 150) -> ClipView:
    fire = FireView(
        campaign="night",
        version=1,
        trigger="dark",
        ordinal=1,
        fire_time_ns=1,
        window_start_ns=0,
        window_end_ns=2,
        inclusion_probability=1.0,
        charged_bytes=60,
        program_digest="00",
    )
    return ClipView.model_construct(  # only the fields that the rules read
        id=f"id-{digest}",
        vehicle=vehicle,
        state=state,
        damage="mcap_truncated" if state == "damaged" else None,
        size_bytes=size_bytes,
        digest=digest,
        fires=[fire],
    )


def counts(**changed: object) -> OutcomesView:
    right: dict[str, object] = {
        "fired": 10,
        "sampled_out": 1,
        "refused": {"budget": 2},
        "dropped": {"disk_full": 1},
        "failed": {"log_lost": 1},
        "catalogued": 5,
        "in_flight": 0,
        "unaccounted": 0,
    }
    return OutcomesView.model_construct(None, **right | changed)  # only the fields that the rules read


CLIPS = [clip("a"), clip("b", vehicle="car-1")]


@pytest.mark.parametrize(
    ("found", "wrong"),
    [
        (checks.twice([clip("a"), clip("b"), clip("a")]), "the catalog holds clip a 2 times"),
        (
            checks.lost({"a", "c"}, {"a"}, at_risk={"a", "b"}, failed_fires=9),
            "1 acknowledged clips are not in the catalog, such as c",
        ),
        (
            checks.lost({"a", "c"}, {"a"}, at_risk={"c"}, failed_fires=0),
            "1 clips are gone with the topic, but only 0 fires count as failed",
        ),
        (
            checks.vanished(["a", "c"], ["a"], other_ends=0),
            "1 recorded clips are not in the catalog, such as c, but only 0 fires ended otherwise",
        ),
        (checks.damaged([clip("a", state="damaged")]), "clip id-a is damaged: mcap_truncated"),
        (checks.other_bytes([clip("a")], {"id-a": "b"}), "the recording of clip id-a is not what its manifest says: b"),
        (checks.other_bytes([clip("a")], {}), "the recording of clip id-a is not what its manifest says: None"),
        (checks.uncounted([counts(catalogued=3)], CLIPS), "3 fires count as catalogued, and the clips have 2"),
        (checks.left_over("files in the spool", ["x", "y"]), "2 files in the spool were left, such as x"),
        (checks.unfinished({"parked cells": 3, "events to send": 0}), "3 parked cells are still there"),
        (
            checks.complaints([{"check": "log", "status": "fail", "message": "no topic"}]),
            "doctor: log: no topic",
        ),
        (
            checks.complaints([{"check": "uploads", "status": "warn", "message": "1 overdue"}]),
            "doctor: uploads: 1 overdue",
        ),
    ],
)
def test_a_mistake_is_found(found: Iterable[str], wrong: str) -> None:
    assert list(found) == [wrong]


def test_what_is_right_is_not_reported() -> None:
    assert list(checks.twice(CLIPS)) == []
    assert list(checks.lost({"a"}, {"a", "b"}, at_risk=(), failed_fires=0)) == []
    assert list(checks.lost({"a", "c"}, {"a"}, at_risk={"c"}, failed_fires=1)) == []
    assert list(checks.vanished(["a", "c"], ["a"], other_ends=1)) == []
    assert list(checks.damaged(CLIPS)) == []
    assert list(checks.other_bytes(CLIPS, {"id-a": "a", "id-b": "b"})) == []
    assert list(checks.wrong_counts({"night": counts()})) == []
    assert list(checks.uncounted([counts(catalogued=2)], CLIPS)) == []
    assert list(checks.wrong_ledger(RIGHT, CLIPS)) == []
    assert list(checks.left_over("files", [])) == []
    assert list(checks.unfinished({"parked cells": 0})) == []
    assert list(checks.complaints([{"check": "approval", "status": "warn", "message": "authors may"}])) == []


@pytest.mark.parametrize(
    "changed", [{"fired": 11}, {"catalogued": 4}, {"in_flight": 1, "catalogued": 4}, {"unaccounted": 1}]
)
def test_fires_that_did_not_end_in_one_way_are_found(changed: dict[str, object]) -> None:
    (sentence,) = checks.wrong_counts({"night": counts(**changed)})
    assert sentence.startswith("the counts of night do not add up")


@pytest.mark.parametrize("account", RIGHT)
@pytest.mark.parametrize("change", [Amounts(1, 0), Amounts(0, -1), Amounts(1, 1)])
def test_an_account_of_any_kind_that_differs_from_the_clips_is_found(account: Account, change: Amounts) -> None:
    (sentence,) = checks.wrong_ledger(RIGHT | {account: RIGHT[account] + change}, CLIPS)
    assert sentence.startswith(f"the account {':'.join(filter(None, account))}: ")


def test_bytes_that_came_of_no_clip_are_what_an_account_may_have_more() -> None:
    account = ("campaign_bytes", "night", "")
    assert account in RIGHT
    more = RIGHT | {account: RIGHT[account] + Amounts(7, 7)}
    assert list(checks.wrong_ledger(more, CLIPS, {account: 7})) == []
    assert len(list(checks.wrong_ledger(RIGHT, CLIPS, {account: 7}))) == 1


def test_an_account_that_is_missing_or_that_no_clip_explains_is_found() -> None:
    without_fleet = {account: amounts for account, amounts in RIGHT.items() if account[0] != "fleet"}
    assert list(checks.wrong_ledger(without_fleet, CLIPS)) == ["the account fleet: 0 held, 0 settled, 300 stored"]
    more = RIGHT | {("campaign_bytes", "day", ""): Amounts(5, 0)}
    assert list(checks.wrong_ledger(more, CLIPS)) == ["the account campaign_bytes:day: 5 held, 0 settled, 0 stored"]
