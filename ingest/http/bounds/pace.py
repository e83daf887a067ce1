"""The pace of a body: it may not be silent, and each 64 KiB of it have their time, however long it is in all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from triggers.errors import TooSlow

STEP_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Pace:
    """In seconds. Only waiting for the client counts, not what is done with the bytes in between."""

    silence_s: float = 20.0
    """Without a byte."""
    step_s: float = 30.0
    """For each 64 KiB, so that less than 2.2 kB/s is too slow."""


PACE = Pace()


async def paced(chunks: AsyncIterator[bytes], pace: Pace, *, remedy: str) -> AsyncIterator[bytes]:
    """The chunks of a body as they come; TooSlow, with this remedy, when they do not."""
    loop = asyncio.get_running_loop()
    waited_s, came_bytes = 0.0, 0
    while True:
        began_s = loop.time()
        limit_s = min(pace.silence_s, pace.step_s - waited_s)
        try:
            async with asyncio.timeout(limit_s):
                chunk = await anext(chunks, None)
        except TimeoutError as error:
            raise TooSlow(
                f"the body was silent for {pace.silence_s:g} s, or took longer than {pace.step_s:g} s for 64 KiB",
                remedy=remedy,
            ) from error
        if chunk is None:
            return
        waited_s += loop.time() - began_s
        came_bytes += len(chunk)
        if came_bytes >= STEP_BYTES:
            waited_s, came_bytes = 0.0, came_bytes % STEP_BYTES
        yield chunk
