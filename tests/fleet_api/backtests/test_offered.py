"""The recorded drives that are offered: one thread looks, none waits for it, and what came of it is remembered."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fleet_api.backtest_processes import offered
from fleet_api.backtest_processes.offered import OfferedDrives
from fleet_api.backtest_processes.start import Ended
from fleet_api.backtest_processes.tasks import ListAnswer
from storage.settings import Settings
from triggers.errors import Overloaded

FOUND = {
    "path": "a.parquet",
    "view": {"name": "a", "bytes": 1, "seconds": None, "rows": 1, "signals": 1, "cameras": [], "problem": None},
}


def answer(*found: object) -> ListAnswer:
    return ListAnswer.model_validate({"drives": list(found), "complete": True, "problem": None})


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], ListAnswer]]:
    """What comes of the next looks, the last first; each is made in place of a process's answer."""
    coming: list[Callable[[], ListAnswer]] = []
    monkeypatch.setattr(offered, "answer_of", lambda *_: coming.pop()())
    return coming


@pytest.fixture
def drives(settings: Settings, tmp_path: Path) -> OfferedDrives:
    return OfferedDrives(settings.model_copy(update={"drives_dir": tmp_path}))


def test_nobody_waits_for_who_looks(drives: OfferedDrives, looked: list[Callable[[], ListAnswer]]) -> None:
    begun, goes_on = threading.Event(), threading.Event()

    def slow() -> ListAnswer:
        begun.set()
        assert goes_on.wait(60)
        return answer(FOUND)

    for before in (None, []):  # what others get meanwhile: at first there is nothing, and then what was found before
        begun.clear(), goes_on.clear()
        drives.forget()
        looked.append(slow)
        with ThreadPoolExecutor(1) as other:
            looking = other.submit(drives.list)
            assert begun.wait(60)
            if before is None:
                with pytest.raises(Overloaded):
                    drives.list()
            else:
                assert [each.name for each in drives.list().drives] == ["a"]
            goes_on.set()
            assert [each.name for each in looking.result().drives] == ["a"]


def test_a_failure_is_remembered_and_then_looked_after_again(
    drives: OfferedDrives, looked: list[Callable[[], ListAnswer]]
) -> None:
    def fails() -> ListAnswer:
        raise Ended("finding them takes too long")

    looked += [lambda: answer(FOUND), fails]
    for _ in range(3):
        with pytest.raises(Ended, match="too long"):
            drives.list()
    drives.forget()
    assert len(drives.list().drives) == 1 and not looked


def test_a_drive_that_is_not_in_the_folder_is_not_offered() -> None:
    for path in ("/etc/passwd", "../a.parquet", "x/../../a", "", "a\0b"):
        with pytest.raises(ValueError, match="within the folder"):
            answer(FOUND | {"path": path})
    assert answer(FOUND | {"path": "2024/..7/a.parquet"}).drives
