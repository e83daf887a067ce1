"""A vehicle of the chaos suite, a process of its own: it drives, fires, uploads and reports until it is told to stop.

`python -m tests.chaos.vehicle FOLDER`: FOLDER/config.json is what it is told about its servers. While FOLDER/drain
exists it records nothing more; it ends by itself once its queue is empty and reported. FOLDER/clock holds the seconds
by which its clock is wrong.
"""

from __future__ import annotations

import base64
import contextlib
import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.chaos.parts.witness import WitnessTransport
from tests.support.waiting import let_pass
from triggers.errors import LongtailError
from triggers.language.rows import Row
from triggers.times import NS_PER_S
from triggers.vehicle.agent import VehicleAgent
from triggers.vehicle.clock import SystemClock
from triggers.vehicle.config import VehicleConfig

NOISE_SIGNALS = 120
ROWS_AN_EVENT = 260
PERIOD_NS = 10_000_000
PAUSE_S = 2.0
UPLOAD_S = 3.0
REPORT_EVERY = 3
LARGE_EVERY = 4
"""Every fourth clip has several cells, the others one."""
CATALOG = """
max_gap: 2.0
signals:
  event.small: {rate: 100}
  event.large: {rate: 100}
""" + "".join(f"  noise.n{index}: {{rate: 100}}\n" for index in range(NOISE_SIGNALS))
SOURCE = """
trigger small { when event.small > 0.5  capture 500 ms before, 500 ms after { signals noise.n0, noise.n1 } }
trigger large { when event.large > 0.5  capture 1 s before, 1 s after { signals noise.* } }
campaign chaos { collect small, large  budget 100 GB total }
"""


class SteppedClock(SystemClock):
    """The machine's clock plus the seconds that a file holds; waiting takes the time it takes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def now_ns(self) -> int:
        step_s = 0
        with contextlib.suppress(OSError, ValueError):
            step_s = int(self._path.read_text())
        return super().now_ns() + step_s * NS_PER_S


def rows(rng: random.Random, start_ns: int, *, large: bool) -> Iterator[Row]:
    """One event in the middle of 2.6 s of noise that does not compress."""
    for index in range(ROWS_AN_EVENT):
        middle = 1.0 if index == ROWS_AN_EVENT // 2 else 0.0
        samples = {"event.small": 0.0 if large else middle, "event.large": middle if large else 0.0}
        for signal in range(NOISE_SIGNALS if large else 2):
            samples[f"noise.n{signal}"] = rng.random()
        yield Row(start_ns + index * PERIOD_NS, samples)


def run(folder: Path) -> None:
    """Work until told to stop and everything is handed over."""
    told = json.loads((folder / "config.json").read_text())
    witness = WitnessTransport(Path(told["witness"]))
    config = VehicleConfig(
        vehicle_id=told["vehicle_id"],
        token=told["token"],
        api_url=told["api_url"],
        gateway_url=told["gateway_url"],
        trusted_keys=tuple(base64.b64decode(key) for key in told["public_keys"]),
        state_directory=folder / "state",
        backoff_first_s=0.2,
        backoff_max_s=2.0,
        read_timeout_s=30.0,
    )
    try:
        with VehicleAgent(config, clock=SteppedClock(folder / "clock"), transport=witness) as agent:
            _work(agent, witness, folder)
    except Exception as error:
        witness.note(event="error", message=f"{type(error).__name__}: {error}")
        raise


def _work(agent: VehicleAgent, witness: WitnessTransport, folder: Path) -> None:
    rng = random.Random(time.time_ns())
    # Row times run ahead of the clock when driving is faster than life; a day back, they stay in the past.
    start_ns = time.time_ns() - 24 * 3600 * NS_PER_S
    known: set[str] = set()
    for event in range(1 << 62):
        draining = (folder / "drain").exists()
        if event % REPORT_EVERY == 0 or draining:
            _attempt(agent.check_in)
        if not draining:
            begin_ns = max(start_ns, time.time_ns() - 24 * 3600 * NS_PER_S)
            driven = rows(rng, begin_ns, large=event % LARGE_EVERY == 0)
            _attempt(lambda driven=driven: agent.feed(driven))
            _attempt(agent.finish_drive)
            start_ns += 4 * NS_PER_S
        for clip in agent.status().queued:
            digest = agent.manifest(clip).digest
            if digest not in known:
                witness.note(event="recorded", digest=digest)
                known.add(digest)
        agent.upload_pending(UPLOAD_S)
        reported = _attempt(agent.report)
        if draining and reported and not agent.status().queued:
            return
        let_pass(PAUSE_S, why="a vehicle that drives all the time would be all the load there is")


def _attempt(step: Callable[[], object]) -> bool:
    """What needs a network or a disk may fail as the agent says; anything else ends this process with a traceback."""
    try:
        step()
    except LongtailError:
        return False
    return True


if __name__ == "__main__":
    run(Path(sys.argv[1]))
