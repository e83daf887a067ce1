"""A check that many ask for: each gets the outcome of the one that ran while it waited."""

from __future__ import annotations

import asyncio
import threading

import pytest

from ingest.single_check import SingleCheck
from triggers.errors import Unreachable


def test_a_check_that_begins_before_all_have_heard_of_the_last_one_disturbs_nobody() -> None:
    ran = threading.Semaphore(0)
    go_on = threading.Semaphore(0)

    def slow() -> None:
        ran.release()
        assert go_on.acquire(timeout=60)

    async def scene() -> None:
        check = SingleCheck(slow)

        async def twice() -> None:
            await check.run()
            await check.run()  # it begins as soon as the first one is over, while others have yet to hear of it

        waiting = [asyncio.create_task(twice()), *(asyncio.create_task(check.run()) for _ in range(5))]
        await asyncio.to_thread(ran.acquire)
        go_on.release()
        go_on.release()
        async with asyncio.timeout(60):
            assert await asyncio.gather(*waiting) == [None] * 6
        check.close()

    asyncio.run(scene())


def test_a_check_that_fails_does_so_for_all_who_wait_and_one_that_hangs_is_given_up() -> None:
    release = threading.Event()

    def failing() -> None:
        raise Unreachable("no database")

    async def scene() -> None:
        check = SingleCheck(failing)
        found = await asyncio.gather(*(check.run() for _ in range(3)), return_exceptions=True)
        assert [str(each) for each in found] == ["no database"] * 3
        check.close()
        hanging = SingleCheck(lambda: assert_released(release), within_s=0.05)
        with pytest.raises(Unreachable, match=r"within 0\.05 s"):
            await hanging.run()
        release.set()
        hanging.close()

    asyncio.run(scene())


def assert_released(release: threading.Event) -> None:
    assert release.wait(60)
