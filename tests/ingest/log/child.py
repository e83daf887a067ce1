"""Roles that tests play in a process of its own, so that it can be killed at any moment.

append   appends records for ever, and prints `partition offset value` for each once `append` has returned
consume  joins a group, prints `assigned N` with every change, and holds what it has for ever
"""

from __future__ import annotations

import itertools
import sys

from ingest.log import Log, open_log
from storage.database import Database
from storage.settings import Settings
from tests.ingest.log.support import TOPIC


def append(log: Log) -> None:
    for number in itertools.count():
        partition = number % 2
        texts = [f"{number}.{part}" for part in range(1 + number % 3)]
        offsets = log.append(TOPIC, partition, [(b"key", text.encode() + b" " * 50_000) for text in texts])
        for offset, text in zip(offsets, texts, strict=True):
            say(partition, offset, text)


def consume(log: Log, group: str, member: str) -> None:
    consumer = log.consumer(
        TOPIC,
        group=group,
        member=member,
        on_assigned=lambda partitions: say("assigned", len(consumer.assignment())),
    )
    while True:
        consumer.poll(max_records=1, timeout_s=0.1)


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def main(role: str, *arguments: str) -> None:
    settings = Settings.load()
    log = open_log(settings, Database.from_settings(settings))
    {"append": append, "consume": consume}[role](log, *arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
