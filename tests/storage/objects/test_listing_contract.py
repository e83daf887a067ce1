"""What every object store promises about listing: the keys of a sorted dictionary, page by page."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from storage.objects import ObjectStore, open_store
from storage.objects.contract import ObjectInfo
from storage.settings import Settings

SEGMENTS = st.text(alphabet="ab0AB.-_=", min_size=1, max_size=3).filter(lambda text: text not in {".", ".."})
KEYS = st.lists(SEGMENTS, min_size=1, max_size=3).map("/".join)
KEYS_THAT_DO_NOT_NEST = st.lists(SEGMENTS, min_size=1, max_size=3).map(
    lambda segments: "/".join([*(f"{folder}0" for folder in segments[:-1]), segments[-1] + "A"])
)
TEXTS = st.text(alphabet="ab0AB.-_=/~^", max_size=6)


def test_listing_agrees_with_a_sorted_dictionary(new_store_settings: Callable[[], Settings]) -> None:
    real_server = new_store_settings().objects_url.startswith("s3:")
    keys, examples, steps = (KEYS_THAT_DO_NOT_NEST, 6, 15) if real_server else (KEYS, 40, 20)

    class Model(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.store = open_store(new_store_settings())
            self.model: dict[str, bytes] = {}

        @rule(key=keys, data=st.binary(max_size=3))
        def put(self, key: str, data: bytes) -> None:
            self.store.put(key, data)
            self.model[key] = data

        @rule(data=st.data())
        def delete(self, data: st.DataObject) -> None:
            key = data.draw(keys | st.sampled_from(sorted(self.model))) if self.model else data.draw(keys)
            self.store.delete(key)
            self.model.pop(key, None)

        @rule(prefix=TEXTS | KEYS, after=TEXTS | KEYS, limit=st.integers(1, 5))
        def page(self, prefix: str, after: str, limit: int) -> None:
            expected = [key for key in sorted(self.model) if key.startswith(prefix) and key > after][:limit]
            assert [info.key for info in self.store.list(prefix, after=after, limit=limit)] == expected

        @invariant()
        def everything_is_listed_and_readable(self) -> None:
            expected = [ObjectInfo(key, len(data)) for key, data in sorted(self.model.items())]
            assert self.store.list() == expected
            assert {key: self.store.get(key) for key in self.model} == self.model

    run_state_machine_as_test(Model, settings=settings(max_examples=examples, stateful_step_count=steps))


def test_pages_put_together_are_the_whole_list(store: ObjectStore) -> None:
    expected = sorted(f"{first}/{second}" for first in "abc" for second in range(25))
    for key in expected:
        store.put(key, b"")
    found: list[str] = []
    while page := store.list(after=found[-1] if found else "", limit=7):
        found += [info.key for info in page]
    assert found == expected


def test_a_prefix_is_of_the_key_and_not_of_directories(store: ObjectStore) -> None:
    for key in ("clips/2026/a", "clips/2027/b", "clips2/c", "clips.txt", "other/clips/d"):
        store.put(key, b"")
    assert [info.key for info in store.list("clips")] == ["clips.txt", "clips/2026/a", "clips/2027/b", "clips2/c"]
    assert [info.key for info in store.list("clips/202")] == ["clips/2026/a", "clips/2027/b"]
    assert [info.key for info in store.list("clips/2026/")] == ["clips/2026/a"]
    for nowhere in ("clips/2026/a/", "..", "clips/..", "../", "/", "x//", "clips/../"):
        assert store.list(nowhere) == []


def test_listing_while_objects_come_and_go_sees_those_that_stay(store: ObjectStore) -> None:
    for number in range(20):
        store.put(f"stay/{number:02}", b"x")

    def disturb(_: int) -> None:
        for number in range(50):
            store.put(f"stay/z/{number}", b"y")
            store.delete(f"stay/z/{number}")

    with ThreadPoolExecutor(1) as pool:
        disturbing = pool.submit(disturb, 0)
        while not disturbing.done():
            staying = [info.key for info in store.list("stay/") if not info.key.startswith("stay/z/")]
            assert staying == [f"stay/{number:02}" for number in range(20)]
        disturbing.result()
