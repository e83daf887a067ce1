"""Duties: each in its own time, none held up by another that fails, and all of them on a real deployment."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from ingest.readiness import Readiness
from ingest.steward.duties import Duties, Rest
from ingest.steward.loop import Duty, Steward
from storage.clips import extraction_jobs
from storage.clips.properties import indexed_signals
from storage.database import Database
from storage.likeness import jobs as vector_jobs
from storage.settings import Settings
from storage.tables import uploads
from tests.ingest.assembler.world import World
from tests.support.fleet import add_version
from triggers.contracts.clip import CELL_BYTES
from triggers.errors import LongtailError, Misconfigured, Unreachable


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Work:
    """Counts its turns; says that there is more so many times, or fails."""

    def __init__(self, *, more: int = 0, error: Exception | None = None) -> None:
        self.turns = 0
        self._more = more
        self._error = error

    def __call__(self) -> bool:
        self.turns += 1
        if self._error is not None:
            raise self._error
        return self.turns <= self._more


def test_every_duty_has_its_own_period() -> None:
    clock, often, seldom = Clock(), Work(), Work()
    steward = Steward([Duty("often", 2, often), Duty("seldom", 60, seldom)], monotonic_s=clock)
    assert steward.round() == 2
    for _ in range(30):
        clock.now_s += 2
        steward.round()
    assert (often.turns, seldom.turns) == (31, 2)


def test_more_to_do_at_once_does_not_repeat_the_others() -> None:
    fold, other = Work(more=3), Work()
    steward = Steward([Duty("fold", 2, fold), Duty("other", 60, other)], monotonic_s=Clock())
    assert [steward.round() for _ in range(4)] == [0, 0, 0, 2]
    assert (fold.turns, other.turns) == (4, 1)


@pytest.mark.parametrize("error", [RuntimeError("a mistake"), Unreachable("no answer")])
def test_a_duty_that_fails_neither_starves_the_others_nor_spins(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    clock, failing, other = Clock(), Work(error=error), Work()
    steward = Steward([Duty("failing", 0.1, failing), Duty("other", 1, other)], monotonic_s=clock)
    for _ in range(5):
        steward.round()
        clock.now_s += 1
    assert (failing.turns, other.turns) == (3, 5)
    assert str(error) in caplog.text and "failing" in caplog.text


def test_a_setting_that_cannot_work_ends_the_steward() -> None:
    steward = Steward([Duty("duty", 1, Work(error=Misconfigured("LONGTAIL_X")))])
    with pytest.raises(Misconfigured, match="LONGTAIL_X"):
        steward.run(threading.Event())


def test_a_duty_that_has_worked_waits_for_its_setting_to_work_again_and_keeps_no_other_waiting() -> None:
    problems: list[LongtailError] = []

    def refused() -> bool:
        if problems:
            raise problems[0]
        return False

    readiness, other = Readiness(), Work()
    steward = Steward([Duty("refused", 0, refused), Duty("other", 0, other)], readiness=readiness)
    steward.round()
    problems.append(Misconfigured("the key was rotated"))
    steward.round()
    with pytest.raises(Unreachable, match="refused: the key was rotated"):
        readiness.check()
    assert other.turns == 2


@pytest.mark.integration
def test_one_round_does_every_duty_of_a_deployment(world: World) -> None:
    clip = world.clip(CELL_BYTES)
    world.store.put(f"staging/{clip.upload_id}/part", b"parked")
    with world.database.begin() as connection:
        connection.execute(update(uploads).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    duties = Duties(world.database, world.log, world.store, Settings()).all()
    Steward(duties).round()
    assert world.upload_state(clip) == "expired"
    assert world.store.list("staging/") == []
    assert all(duty.due_s > float("-inf") for duty in duties)
    assert len({duty.name for duty in duties}) == len(duties)


LOOKS = {
    "extracting older clips again": (extraction_jobs, "add_for_older_clips"),
    "indexing signals": (indexed_signals, "declare"),
    "queueing vectors of older clips": (vector_jobs, "queue_older_clips"),
}
"""By duty: what looks through the whole catalog, or through all signal catalogs."""


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each of them has looked."""
    counted: Counter[str] = Counter()
    for name, (module, function) in LOOKS.items():
        real = getattr(module, function)

        def look(*arguments: object, name: str = name, real: Callable[..., object] = real) -> object:
            counted[name] += 1
            return real(*arguments)

        monkeypatch.setattr(module, function, look)
    return counted


@pytest.mark.integration
def test_the_whole_catalog_is_looked_through_again_after_ten_minutes_or_when_a_campaign_is_new(
    world: World, looks: Counter[str]
) -> None:
    clock = Clock()
    duties = Duties(world.database, world.log, world.store, Settings(), monotonic_s=clock).all()
    works = {duty.name: duty.work for duty in duties if duty.name in LOOKS}

    def turn() -> dict[str, int]:
        looks.clear()
        for work in works.values():
            assert not work()
        return dict(looks)

    assert turn() == dict.fromkeys(LOOKS, 1)
    clock.now_s += 599
    assert turn() == {}, "nothing was found, a moment ago"
    with world.database.begin() as connection:
        add_version(connection, "another")
    assert turn() == {"indexing signals": 1}, "its catalog may declare signals"
    clock.now_s += 2
    assert turn() == {"extracting older clips again": 1, "queueing vectors of older clips": 1}
    clock.now_s += 600
    assert turn() == dict.fromkeys(LOOKS, 1)


def test_a_look_that_found_something_or_could_not_look_is_followed_by_another() -> None:
    rest = Rest(Clock())
    for found, holds in ((3, False), (None, False), (0, True)):
        rest.after(found)
        assert rest.holds() is holds, found
