"""Whatever answers in the gateway's place, and whatever it says: only the gateway's own word about a clip is final."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.triggers.vehicle.cloud import Cloud, Reply
from tests.triggers.vehicle.support import a_fire
from tests.triggers.vehicle.uploads.car import Car, a_large_fire, large
from triggers.contracts.campaign import DayRule
from triggers.contracts.clip import CELL_BYTES
from triggers.errors import BudgetExhausted
from triggers.vehicle.uploads.uploader import MAX_ALTERED

DAY_S = 86_400
LOGIN = b"<html>Please log in</html>"
REDIRECTS = [301, 302, 303, 307, 308]
REFUSALS = [
    400,
    401,
    402,
    403,
    404,
    405,
    407,
    408,
    409,
    410,
    411,
    412,
    413,
    414,
    415,
    417,
    421,
    422,
    423,
    431,
    451,
    460,
]
FAILURES = [500, 501, 502, 504, 505, 507, 508, 511, 599]
PAGES = [200, 201, 202, 204, 206]


@pytest.mark.parametrize("method", ["POST", "PATCH", "HEAD"])
@pytest.mark.parametrize("status", [*REDIRECTS, *REFUSALS, *FAILURES])
def test_no_refusal_passes_for_an_upload_or_loses_the_clip(cloud: Cloud, car: Car, method: str, status: int) -> None:
    refuse(cloud, method, Reply(status, headers={"Location": "http://127.0.0.1:1/login"} if status < 400 else {}))
    assert_the_clip_waits(cloud, car)


@pytest.mark.parametrize("method", ["POST", "PATCH", "HEAD"])
@pytest.mark.parametrize("status", PAGES)
def test_the_login_page_of_a_network_passes_for_no_acknowledgement(
    cloud: Cloud, car: Car, method: str, status: int
) -> None:
    refuse(cloud, method, Reply(status, body=LOGIN))
    assert_the_clip_waits(cloud, car)


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("status", [200, 201, 403, 409, 413, 422, 500])
def test_an_answer_that_is_cut_off_says_nothing(cloud: Cloud, car: Car, method: str, status: int) -> None:
    said = {"status": status, "detail": "no", "code": "manifest_invalid"}
    refuse(cloud, method, Reply(status, said, cut_bytes=7))
    assert_the_clip_waits(cloud, car)


def refuse(cloud: Cloud, method: str, reply: Reply) -> None:
    cloud.answers[method] = [reply] * 50
    if method == "HEAD":
        cloud.cuts = [0] * 50


def assert_the_clip_waits(cloud: Cloud, car: Car) -> None:
    """It is not handed over, and arrives whole once the gateway itself answers."""
    clip = car.add(a_fire(5))
    data = clip.path.read_bytes()
    report = car.upload(deadline_s=20)
    assert report.handed_over == 0
    assert report.problems
    assert car.counts().in_flight == 1
    cloud.answers.clear()
    cloud.cuts.clear()
    assert car.upload(deadline_s=100).handed_over == 1
    assert bytes(cloud.uploads[clip.clip_id].data) == data


def test_a_cell_that_arrived_altered_is_sent_again_from_the_gateways_offset(
    cloud: Cloud, new_car: Callable[..., Car]
) -> None:
    car = new_car(chunk_bytes=CELL_BYTES)
    clip = car.add(a_large_fire(), held=large())
    data = clip.path.read_bytes()
    car.upload(deadline_s=0)
    cloud.answers["PATCH"] = [Reply(460, headers={"Upload-Offset": str(CELL_BYTES)})]
    assert car.upload(deadline_s=60).handed_over == 1
    assert car.clock.slept_s == []
    assert bytes(cloud.uploads[clip.clip_id].data) == data


def test_a_clip_that_always_arrives_altered_fails_after_bounded_repeats(cloud: Cloud, car: Car) -> None:
    clip = car.add(a_fire(5))
    cloud.answers["PATCH"] = [Reply(460)] * 1000
    report = car.upload(deadline_s=10 * DAY_S)
    assert (report.failed, report.postponed) == (1, MAX_ALTERED - 1)
    assert car.counts().failed == {"altered": 1}
    assert not clip.path.exists()


def test_a_clip_whose_file_was_altered_on_disk_fails_at_the_first_mismatch(cloud: Cloud, car: Car) -> None:
    clip = car.add(a_fire(5))
    data = bytearray(clip.path.read_bytes())
    data[100] ^= 1
    clip.path.write_bytes(data)
    cloud.answers["PATCH"] = [Reply(460)] * 1000
    assert car.upload(deadline_s=DAY_S).failed == 1
    assert car.counts().failed == {"file_damaged": 1}
    assert car.clock.slept_s == []


def spent(*campaigns: str, until_next_day_s: int) -> Reply:
    """The refusal of budgets that are used up for today."""
    return Reply.refusing(BudgetExhausted("0 B left", accounts=(), campaigns=campaigns, retry_after_s=until_next_day_s))


@pytest.mark.parametrize("until_next_day_s", [60, DAY_S])
def test_a_clip_that_a_days_budget_refuses_waits_for_the_next_day(
    cloud: Cloud, car: Car, until_next_day_s: int
) -> None:
    car.add(a_fire(5))
    cloud.answers["POST"] = [spent("braking", until_next_day_s=until_next_day_s)]
    assert car.upload(deadline_s=until_next_day_s - 1).handed_over == 0
    assert (car.counts().in_flight, cloud.methods["POST"]) == (1, 1)
    assert car.upload(deadline_s=until_next_day_s * 1.1).handed_over == 1
    assert (car.counts().handed_over, cloud.methods["POST"]) == (1, 2)


def test_a_days_budget_holds_up_only_its_own_campaign(cloud: Cloud, car: Car) -> None:
    car.add(a_fire(4, before_s=2, after_s=2), a_fire(6, campaign="swerve", before_s=2, after_s=2, signals=("steer",)))
    cloud.answers["POST"] = [spent("braking", until_next_day_s=100)]
    report = car.upload(deadline_s=10)
    assert (report.handed_over, report.refused, report.postponed) == (1, 0, 1)
    assert (car.counts("swerve").handed_over, car.counts().in_flight) == (1, 1)
    (waiting,) = car.queue.all()
    assert "0 B left" in waiting.problem
    assert car.upload(deadline_s=200).handed_over == 1
    sent = [held.manifest.recording.fires[0].campaign for held in cloud.uploads.values()]
    assert sorted(sent) == ["braking", "swerve"]


def test_a_campaign_may_drop_what_its_day_refuses(cloud: Cloud, car: Car) -> None:
    car.add(
        a_fire(4, before_s=2, after_s=2, when_day_is_spent="drop"),
        a_fire(6, campaign="swerve", before_s=2, after_s=2, signals=("steer",)),
        a_fire(7, campaign="fast", before_s=2, after_s=2),
    )
    cloud.answers["POST"] = [spent("braking", "swerve", until_next_day_s=100)]
    report = car.upload(deadline_s=10)
    assert (report.handed_over, report.refused, report.postponed) == (1, 1, 1)
    assert car.counts().refused == {"budget": 1}
    assert (car.counts("swerve").in_flight, car.counts("fast").handed_over) == (1, 1)
    assert car.upload(deadline_s=200).handed_over == 1


def refused_trigger(*triggers: str, until_next_day_s: int | None) -> Reply:
    """The refusal of the own budgets of triggers."""
    return Reply.refusing(
        BudgetExhausted("0 B left", accounts=(), campaigns=(), triggers=triggers, retry_after_s=until_next_day_s)
    )


@pytest.mark.parametrize(
    ("rule", "until_next_day_s", "postponed"), [("keep", 100, 1), ("drop", 100, 0), ("keep", None, 0)]
)
def test_a_triggers_own_budget_holds_up_or_refuses_only_its_own_fires(
    cloud: Cloud, car: Car, rule: DayRule, until_next_day_s: int | None, postponed: int
) -> None:
    car.add(
        a_fire(4, before_s=2, after_s=2),
        a_fire(6, ordinal=2, before_s=2, after_s=2, trigger="soft", when_day_of_trigger_is_spent=rule),
    )
    cloud.answers["POST"] = [refused_trigger("braking.soft", until_next_day_s=until_next_day_s)]
    report = car.upload(deadline_s=10)
    assert (report.handed_over, report.refused, report.postponed) == (1, 1 - postponed, postponed)
    assert car.counts().refused == ({} if postponed else {"budget": 1})
    car.upload(deadline_s=200)
    sent = [fire.trigger for held in cloud.uploads.values() for fire in held.manifest.recording.fires]
    assert sorted(sent) == sorted(["hard", *(["soft"] if postponed else [])])


def test_a_clip_that_no_day_has_room_for_expires_and_is_counted(cloud: Cloud, new_car: Callable[..., Car]) -> None:
    car = new_car(max_clip_age_ns=3 * DAY_S * 10**9)
    car.add(a_fire(5))
    cloud.answers["POST"] = [spent("braking", until_next_day_s=DAY_S)] * 20
    assert car.upload(deadline_s=10 * DAY_S).expired == 1
    assert car.counts().dropped == {"expired": 1}
