"""The faults: each a function that breaks something on the stage, lets it be broken for a while, and puts it right.

`seconds` is how long it lasts, where it lasts. What a fault needs but the machine does not allow (a file system of its
own, another clock) leaves it out of the deck, and the report says so.
"""

from __future__ import annotations

import random
import signal
from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos import topics
from tests.chaos.parts.wire import Trouble
from tests.chaos.stage import Stage
from tests.support.waiting import let_pass, wait_for

RESTARTED_WITHIN_S = 240.0
LASTS = "a fault that lasts is what is tested"
KILLED = ("gateway", "ingest", "api", "extraction", "postgres", "up", "car-0")
HELD = ("gateway", "ingest", "api", "postgres", "kafka", "s3", "car-0")
WIRES = ("gateway", "api", "kafka", "s3")
STEPS_S = (-90_000, -7200, -61, 61, 7200, 90_000)
"""Past a day in both directions: uploads expire after one."""
ROLLED = ("gateway", "api", "ingest")

Action = Callable[[Stage, float], None]


@dataclass(frozen=True)
class Fault:
    """A fault of the deck: its kind and name, what it does, and whether it can lose clips that nobody else has.

    `loses_cells`: the log itself is destroyed. Clips under way then end as failed, counted and with their reason, and
    every other promise holds.
    """

    kind: str
    name: str
    action: Action
    longest_s: float = 10.0
    loses_cells: bool = False


def shuffled(faults: list[Fault], rng: random.Random) -> list[Fault]:
    """All of them in a new order: first one of every kind, then the others, so that short runs see every kind."""
    order = rng.sample(faults, k=len(faults))
    firsts = {fault.kind: fault for fault in reversed(order)}
    return [*firsts.values(), *(fault for fault in order if firsts[fault.kind] is not fault)]


def deck(stage: Stage) -> list[Fault]:
    """Every fault that this stage can play."""
    faults = [
        *(Fault("kill", f"kill -9 of {name}", _killing(name), longest_s=0) for name in KILLED),
        *(Fault("stop", f"{name} stopped and continued", _holding(name), longest_s=20) for name in HELD),
        Fault("outage", "an outage of Kafka", _kafka_outage, longest_s=120),
        Fault("outage", "an outage of S3", _s3_outage, longest_s=120),
        Fault("topic", "the topic deleted and made again", _topic_lost, longest_s=5, loses_cells=True),
        Fault("partitions", "partitions added", lambda stage, _: topics.add_partitions(stage), longest_s=0),
        Fault("twice", "every record twice", lambda stage, _: topics.repeat_records(stage), longest_s=0),
        Fault("restart", "a rolling restart", lambda stage, _: _rolling_restart(stage), longest_s=0),
        Fault("kill", "ingest killed again and again", lambda stage, _: _kill_often(stage, "ingest"), longest_s=0),
        Fault("clock", "a vehicle's clock stepped", _vehicle_clock, longest_s=10),
    ]
    for name in WIRES:
        faults += [
            Fault("refused", f"connections to {name} refused", _troubling(name, Trouble(refused=True)), longest_s=20),
            Fault("stalled", f"connections to {name} stalled", _troubling(name, Trouble(stalled=True)), longest_s=40),
            Fault("slow", f"connections to {name} slow", _troubling(name, Trouble(delay_s=0.2)), longest_s=20),
            Fault("cut", f"connections to {name} cut", _troubling(name, Trouble(cut=0.2)), longest_s=20),
            Fault("flip", f"bits turned over on the way to {name}", _troubling(name, Trouble(flip=0.1)), longest_s=20),
        ]
    faults += [
        Fault("disk", f"the disk of {name} full", _filling(name), longest_s=20)
        for name, disk in stage.disks.items()
        if disk.mounted
    ]
    if stage.clock:
        faults.append(Fault("clock", "the cloud's clock stepped", _cloud_clock, longest_s=15))
    return faults


def left_out(stage: Stage) -> list[str]:
    """What this machine does not allow, for the report."""
    reasons = [f"the disk of {name} full: mounting needs root" for name, d in stage.disks.items() if not d.mounted]
    return reasons + ([] if stage.clock else ["the cloud's clock stepped: libfaketime is not there"])


def _killing(name: str) -> Action:
    def kill(stage: Stage, _: float) -> None:
        if name == "extraction":
            _await_extraction(stage)
        stage.signal(name, signal.SIGKILL)

    return kill


def _await_extraction(stage: Stage) -> None:
    wait_for(
        lambda: stage.watch() or stage.processes("extraction"),
        within_s=RESTARTED_WITHIN_S,
        what="a clip under extraction",
    )


def _holding(name: str) -> Action:
    def hold(stage: Stage, seconds: float) -> None:
        held = stage.processes(name)
        stage.signal(name, signal.SIGSTOP)
        let_pass(seconds, why=LASTS)
        for process in held:
            if process.is_running():
                process.send_signal(signal.SIGCONT)

    return hold


def _troubling(name: str, trouble: Trouble) -> Action:
    def make_trouble(stage: Stage, seconds: float) -> None:
        stage.wires[name].set(trouble)
        let_pass(seconds, why=LASTS)
        stage.wires[name].set(Trouble())

    return make_trouble


def _filling(name: str) -> Action:
    def fill(stage: Stage, seconds: float) -> None:
        disk = stage.disks[name]
        disk.fill()
        let_pass(seconds, why=LASTS)
        disk.free()

    return fill


def _kafka_outage(stage: Stage, seconds: float) -> None:
    stage.kafka.kill()
    let_pass(seconds, why=LASTS)
    stage.kafka.start()


def _s3_outage(stage: Stage, seconds: float) -> None:
    stage.s3.kill()
    let_pass(seconds, why=LASTS)
    stage.s3.start()


def _topic_lost(stage: Stage, seconds: float) -> None:
    topics.delete(stage)
    let_pass(seconds, why=LASTS)
    topics.create(stage)


def _rolling_restart(stage: Stage) -> None:
    for name in ROLLED:
        old = {process.pid for process in stage.processes(name)}
        stage.signal(name, signal.SIGTERM)

        def replaced(name: str = name, old: set[int] = old) -> bool:
            stage.watch()
            now = {process.pid for process in stage.processes(name)}
            return bool(now - old) and stage.is_ready(name)

        wait_for(replaced, within_s=RESTARTED_WITHIN_S, what=f"a new {name}")


def _kill_often(stage: Stage, name: str) -> None:
    for _ in range(5):
        let_pass(stage.rng.uniform(0.2, 1.5), why="a random point of the work is what is tested")
        stage.signal(name, signal.SIGKILL)


def _vehicle_clock(stage: Stage, seconds: float) -> None:
    stage.step_vehicle_clock("car-0", stage.rng.choice(STEPS_S))
    let_pass(seconds, why=LASTS)
    stage.step_vehicle_clock("car-0", 0)


def _cloud_clock(stage: Stage, seconds: float) -> None:
    assert stage.clock is not None
    stage.clock.step(stage.rng.choice(STEPS_S))
    let_pass(seconds, why=LASTS)
    stage.clock.step(0)
