"""What every object store promises: whole objects, conditional writes, names, ranges, links."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from storage.objects import ObjectStore, open_store
from storage.objects.contract import (
    MAX_KEY_BYTES,
    MAX_LINK_S,
    MIN_PART_BYTES,
    ObjectExists,
    ObjectInfo,
    ObjectNotFound,
)
from storage.settings import Settings
from tests.support.paths import REPOSITORY
from triggers.errors import InvalidInput

LONGEST_KEY = "/".join(["k" * 179] * 4 + ["k" * 180])
EVIL_KEYS = [
    "",
    "/",
    "/a",
    "a/",
    "a//b",
    ".",
    "..",
    "../a",
    "a/../b",
    "a/./b",
    "a\\b",
    "a b",
    "a\0b",
    "a\nb",
    "ä",
    "a%2e",
    "~",
    "a~/b",
    "a^1",
    "*",
    "s" * 201,
    LONGEST_KEY + "k",
]


@contextmanager
def child(settings: Settings, role: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A process that plays a role of `child.py` until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.storage.objects.child", role, *arguments],
        cwd=REPOSITORY,
        env=settings.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def keys(store: ObjectStore, prefix: str = "") -> list[str]:
    return [info.key for info in store.list(prefix)]


def test_an_object_comes_back_as_it_was_put(store: ObjectStore) -> None:
    data = bytes(range(256)) * 100
    assert store.put("clips/a.mcap", data) == ObjectInfo("clips/a.mcap", len(data))
    assert store.get("clips/a.mcap") == data
    assert store.stat("clips/a.mcap") == ObjectInfo("clips/a.mcap", len(data))
    assert b"".join(store.stream("clips/a.mcap", chunk_bytes=1000)) == data
    assert max(map(len, store.stream("clips/a.mcap", chunk_bytes=1000))) <= 1000


def test_an_object_can_be_empty(store: ObjectStore) -> None:
    assert store.put("empty", b"") == ObjectInfo("empty", 0)
    assert store.put_parts("no-parts", []) == ObjectInfo("no-parts", 0)
    for key in ("empty", "no-parts"):
        assert store.get(key) == b"".join(store.stream(key)) == b""
        assert store.stat(key).size_bytes == 0


def test_what_is_not_there_is_not_found(store: ObjectStore) -> None:
    store.put("a/b", b"")
    for key in ("b", "a", "a/bb", "b/c"):
        with pytest.raises(ObjectNotFound, match=key):
            store.get(key)
        with pytest.raises(ObjectNotFound, match=key):
            store.stat(key)
        with pytest.raises(ObjectNotFound, match=key):
            store.stream(key)


@pytest.mark.parametrize("start", [0, 1, 9, 10, 11, 10**12])
@pytest.mark.parametrize("length", [None, 0, 1, 9, 10, 10**12])
def test_ranges_are_clipped_to_the_object(store: ObjectStore, start: int, length: int | None) -> None:
    store.put("ten", b"0123456789")
    expected = b"0123456789"[start:] if length is None else b"0123456789"[start : start + length]
    assert store.get("ten", start=start, length=length) == expected


def test_ranges_that_cannot_be_are_refused(store: ObjectStore) -> None:
    store.put("ten", b"0123456789")
    for wrong in ({"start": -1}, {"length": -1}):
        with pytest.raises(InvalidInput):
            store.get("ten", **wrong)
    with pytest.raises(InvalidInput):
        store.stream("ten", chunk_bytes=0)
    with pytest.raises(InvalidInput):
        store.list(limit=0)


def test_an_object_is_replaced_as_a_whole(store: ObjectStore) -> None:
    store.put("a", b"long " * 100_000)
    reading = store.stream("a", chunk_bytes=5)
    assert next(reading) == b"long "
    store.put("a", b"short")
    assert store.get("a") == b"short"
    assert set(reading) <= {b"long "}, "a reader never sees two objects mixed"


def test_a_conditional_write_leaves_what_is_there(store: ObjectStore) -> None:
    store.put("a", b"first", if_absent=True)
    with pytest.raises(ObjectExists):
        store.put("a", b"second", if_absent=True)
    with pytest.raises(ObjectExists):
        store.put_parts("a", [b"second"], if_absent=True)
    assert store.get("a") == b"first"
    store.delete("a")
    store.put("a", b"third", if_absent=True)
    assert store.get("a") == b"third"


def test_deleting_twice_is_deleting_once(store: ObjectStore) -> None:
    store.put("a/b/c", b"1")
    store.put("a/d", b"2")
    for _ in range(2):
        store.delete("a/b/c")
    assert keys(store) == ["a/d"]
    store.delete("never/was")
    assert store.get("a/d") == b"2"


@pytest.mark.parametrize("new_store_settings", ["directory"], indirect=True)
def test_a_key_and_one_below_it_do_not_disturb_each_other_where_both_can_be(store: ObjectStore) -> None:
    store.put("a/b", b"2")
    for missing in ("a/b/c", "a"):
        with pytest.raises(ObjectNotFound, match=missing):
            store.get(missing)
    store.put("a/b/c", b"1")
    assert keys(store) == ["a/b", "a/b/c"]
    store.delete("a/b/c")
    assert keys(store) == ["a/b"]
    assert store.get("a/b") == b"2"


def test_parts_become_one_object(store: ObjectStore) -> None:
    parts = [b"a" * MIN_PART_BYTES, b"b" * (MIN_PART_BYTES + 1), b"c"]
    assert store.put_parts("whole", iter(parts)) == ObjectInfo("whole", 2 * MIN_PART_BYTES + 2)
    assert store.get("whole") == b"".join(parts)
    assert store.get("whole", start=MIN_PART_BYTES - 1, length=2) == b"ab"


def test_an_object_is_not_there_before_its_last_part_and_never_when_that_fails(store: ObjectStore) -> None:
    def parts() -> Iterator[bytes]:
        yield b"a" * MIN_PART_BYTES
        assert keys(store) == ["before"]
        raise OSError("the spool is gone")

    store.put("before", b"old")
    for key in ("new", "before"):
        with pytest.raises(OSError, match="the spool is gone"):
            store.put_parts(key, parts())
    assert keys(store) == ["before"]
    assert store.get("before") == b"old"


def test_a_small_part_may_only_be_the_last(store: ObjectStore) -> None:
    with pytest.raises(InvalidInput, match="part 2"):
        store.put_parts("a", [b"a" * MIN_PART_BYTES, b"small", b"more"])
    assert keys(store) == []


def test_kill_9_in_the_middle_of_a_write_leaves_nothing(store: ObjectStore, store_settings: Settings) -> None:
    with child(store_settings, "halfway", "big") as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "halfway\n"
        writer.kill()
    assert keys(open_store(store_settings)) == []
    store.put("big", b"whole", if_absent=True)
    assert store.get("big") == b"whole"


def test_what_was_acknowledged_survives_kill_9(store: ObjectStore, store_settings: Settings) -> None:
    written = []
    with child(store_settings, "put", "a/b/c") as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            written.append(line.strip())
            if len(written) == 20:
                writer.kill()
    assert len(written) >= 20
    there = open_store(store_settings)
    for key in written:
        assert there.get(key) == key.rpartition("-")[2].encode() * 1000
    for info in there.list():
        assert info.size_bytes == len(info.key.rpartition("-")[2]) * 1000, "every object is whole"


def test_conditional_writes_of_two_processes_have_one_winner_each(store: ObjectStore, store_settings: Settings) -> None:
    count = 100
    with (
        child(store_settings, "race", "r/a", str(count), "x") as x,
        child(store_settings, "race", "r/a", str(count), "y") as y,
    ):
        for process in (x, y):
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in (x, y):
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        wins = {name: process.communicate()[0].split() for name, process in (("x", x), ("y", y))}
    assert sorted(wins["x"] + wins["y"]) == sorted(f"r/a-{number}" for number in range(count))
    for name, won in wins.items():
        assert {store.get(key) for key in won} <= {name.encode()}


def test_conditional_writes_of_many_threads_have_one_winner_each(store: ObjectStore) -> None:
    def attempt(name: int) -> bool:
        try:
            store.put("same", b"%d" % name, if_absent=True)
        except ObjectExists:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        for _ in range(20):
            won = list(pool.map(attempt, range(8)))
            assert won.count(True) == 1
            assert store.get("same") == b"%d" % won.index(True)
            store.delete("same")


def test_writes_and_deletes_side_by_side_do_not_disturb_each_other(store: ObjectStore) -> None:
    def come_and_go(name: int) -> None:
        for number in range(60):
            store.put(f"deep/er/{name}", b"%d" % number)
            assert store.get(f"deep/er/{name}") == b"%d" % number
            store.delete(f"deep/er/{name}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(come_and_go, range(4)))
    assert keys(store) == []


@pytest.mark.parametrize("key", EVIL_KEYS)
def test_names_outside_the_rules_are_refused(store: ObjectStore, key: str) -> None:
    for use in (
        lambda: store.put(key, b""),
        lambda: store.put_parts(key, [b""]),
        lambda: store.get(key),
        lambda: store.stream(key),
        lambda: store.stat(key),
        lambda: store.delete(key),
        lambda: store.link(key, expires_s=60),
    ):
        with pytest.raises(InvalidInput):
            use()
    assert keys(store) == []


@pytest.mark.parametrize(
    "key", ["a", "A", ".a", "a.", "...", "-", "_", "=", "x=1/y=2", "s" * 200, "S" * 200, LONGEST_KEY]
)
def test_every_name_within_the_rules_works(store: ObjectStore, key: str) -> None:
    assert len(LONGEST_KEY) == MAX_KEY_BYTES
    store.put(key, key.encode(), if_absent=True)
    assert store.get(key) == key.encode()
    assert keys(store) == [key]


def test_links_name_the_object_and_are_good_for_a_limited_time(store: ObjectStore) -> None:
    assert "clips/a.mcap" in store.link("clips/a.mcap", expires_s=MAX_LINK_S)
    for expires_s in (0, -1, MAX_LINK_S + 1):
        with pytest.raises(InvalidInput):
            store.link("clips/a.mcap", expires_s=expires_s)


def test_check_says_what_is_reached_and_leaves_nothing(store: ObjectStore) -> None:
    assert "objects" in store.check()
    assert keys(store) == []
