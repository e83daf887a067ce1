"""What the tests of the log share: clients, waiting with a deadline, and children that can be killed."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

from ingest.log import Log, LogConsumer, LogRecord, open_log
from storage.database import Database
from storage.settings import Settings
from tests.support.paths import REPOSITORY
from tests.support.waiting import Deadline, wait_for

TOPIC = "test.cells"
DEADLINE_S = 30.0
OpenLog = Callable[..., Log]


@contextmanager
def log_opener(settings: Settings) -> Iterator[OpenLog]:
    """Opens clients with the settings (and changes to them); closes them all at the end."""
    with ExitStack() as stack:

        def opened(**changes: object) -> Log:
            changed = settings.model_copy(update=changes)
            database = Database.from_settings(changed)
            stack.callback(database.close)
            log = open_log(changed, database)
            stack.callback(log.close)
            return log

        yield opened


def drain(consumer: LogConsumer, count: int, *, deadline_s: float = DEADLINE_S, at_once: int = 100) -> list[LogRecord]:
    """The next `count` records; fails when they do not come in time."""
    records: list[LogRecord] = []
    deadline = Deadline(deadline_s)
    while len(records) < count:
        deadline.check(f"the arrival of {count} records ({len(records)} came)")
        records += consumer.poll(max_records=min(at_once, count - len(records)), timeout_s=0.2)
    return records


def poll_until(
    condition: Callable[[], bool], consumers: Iterable[LogConsumer], *, deadline_s: float = DEADLINE_S
) -> None:
    """Poll the consumers in turn, dropping what they read, until the condition holds."""
    waiting = list(consumers)
    wait_until(
        lambda: [consumer.poll(max_records=1, timeout_s=0.01) for consumer in waiting] and condition(), deadline_s
    )


@contextmanager
def polled(consumer: LogConsumer) -> Iterator[None]:
    """Polls a consumer, dropping what it reads, in a thread of its own while the block runs."""
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        polling = pool.submit(lambda: [consumer.poll(max_records=1, timeout_s=0.01) for _ in iter(stop.is_set, True)])
        try:
            yield
        finally:
            stop.set()
        polling.result()


def wait_until(condition: Callable[[], object], deadline_s: float = DEADLINE_S) -> None:
    """Ask again and again until the condition holds; fails after the deadline."""
    wait_for(condition, within_s=deadline_s, what="what this test waits for")


def values(records: Iterable[LogRecord], partition: int) -> list[bytes]:
    """The values of one partition's records, as they came."""
    return [record.value for record in records if record.partition == partition]


@contextmanager
def child(settings: Settings, role: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A process that plays a role of `child.py` until the block ends; its lines come from `stdout`."""
    command = [sys.executable, "-m", "tests.ingest.log.child", role, *arguments]
    process = subprocess.Popen(
        command, cwd=REPOSITORY, env=settings.environment(), stdout=subprocess.PIPE, text=True, bufsize=1
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
