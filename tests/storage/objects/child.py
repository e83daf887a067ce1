"""Roles that tests play in a process of its own, so that it can be killed or race with others.

put KEY             writes objects KEY-0, KEY-1... for ever, and prints each key once `put` has returned
halfway KEY         writes 5 MiB of an object of two parts, prints `halfway`, and waits for ever
race KEY COUNT ME   waits for a line, then tries to create KEY-0, KEY-1...; prints those that it won
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator

from storage.objects import ObjectStore, open_store
from storage.objects.contract import MIN_PART_BYTES, ObjectExists
from storage.settings import Settings


def put(store: ObjectStore, key: str) -> None:
    for number in itertools.count():
        store.put(f"{key}-{number}", b"%d" % number * 1000, if_absent=number % 2 == 0)
        say(f"{key}-{number}")


def halfway(store: ObjectStore, key: str) -> None:
    def parts() -> Iterator[bytes]:
        yield bytes(MIN_PART_BYTES)
        say("halfway")
        sys.stdin.read()

    store.put_parts(key, parts())


def race(store: ObjectStore, key: str, count: str, me: str) -> None:
    say("ready")
    sys.stdin.readline()
    for number in range(int(count)):
        try:
            store.put(f"{key}-{number}", me.encode(), if_absent=True)
        except ObjectExists:
            continue
        say(f"{key}-{number}")


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def main(role: str, *arguments: str) -> None:
    {"put": put, "halfway": halfway, "race": race}[role](open_store(Settings.load()), *arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
