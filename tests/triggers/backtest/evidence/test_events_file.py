"""Files of known events: what is read of them, and what is told of those that cannot be used."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from triggers.backtest.evidence import events_file
from triggers.backtest.evidence.events_file import Finders, read_events
from triggers.backtest.evidence.known_events import KnownEvents
from triggers.errors import InvalidInput
from triggers.signals.recordings import TimeKey
from triggers.times import NS_PER_S

Read = Callable[..., KnownEvents]
FINDERS = Finders(("a", "b"), {})


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Writes columns as a file of events, and reads it."""
    monkeypatch.chdir(tmp_path)

    def written(finders: Finders = FINDERS, time: TimeKey | None = None, **columns: Any) -> KnownEvents:
        pq.write_table(pa.table(columns), "events.parquet")
        return read_events(Path("events.parquet"), time or TimeKey(), finders, 2 * NS_PER_S)

    return written


def found(known: KnownEvents, name: str, path: str = "nowhere", trigger: str = "a") -> list[tuple[int, int]]:
    spans = known.spans(name, Path(path), [trigger]).get(trigger)
    return [] if spans is None else list(zip(spans.t_ns.tolist(), spans.end_ns.tolist(), strict=True))


def test_events_are_found_by_name_and_by_path_and_ascend(read: Read) -> None:
    Path("d").mkdir()
    known = read(drive=["one", "d/two.parquet", "d/folder", "one"], t=[2.5, 1.0, 3.0, 0.5], end=[3.0, None, None, None])
    second = NS_PER_S
    assert found(known, "one") == [(second // 2, second // 2), (5 * second // 2, 3 * second)]
    assert found(known, "two", str(Path("d/two.parquet").absolute())) == [(second, second)]
    assert found(known, "f", "d/../d/folder/signals.parquet") == [(3 * second, 3 * second)]
    assert found(known, "two", "e/two.parquet") == []
    assert (known.count, known.judges("a"), known.judges("b")) == (4, True, True)


def test_times_are_read_as_those_of_drives_are(read: Read) -> None:
    ns = TimeKey(column="ts", unit="ns")
    assert found(read(drive=["d"], ts=[7], time=ns), "d") == [(7, 7)]
    assert found(read(drive=["d"], t=[1e-9], time=ns), "d") == [(1, 1)]
    stamps = pa.array([5], pa.timestamp("us", tz="Europe/Berlin"))
    assert found(read(drive=["d"], t=stamps, end=stamps), "d") == [(5000, 5000)]
    no_end = pa.array([float("nan")])
    assert found(read(drive=["d"], t=[1.0], end=no_end), "d") == [(NS_PER_S, NS_PER_S)]
    assert found(read(drive=["d"], t=[1.0], end=pa.nulls(1)), "d") == [(NS_PER_S, NS_PER_S)]


def test_types_say_which_trigger_finds_an_event(read: Read) -> None:
    columns = {"drive": ["d"] * 4, "t": [1.0, 2.0, 3.0, 4.0], "type": ["a", "cut", None, "other"]}
    known = read(Finders(("a", "b", "c"), {"cut": ("a", "b")}), **columns)
    seconds = {name: [t // NS_PER_S for t, _ in found(known, "d", trigger=name)] for name in "abc"}
    assert seconds == {"a": [1, 2, 3], "b": [2, 3], "c": [3]}
    assert (known.count, known.of_no_trigger) == (3, (("other", 1),))
    known = read(Finders(("a", "b"), {"a": ("b",)}), drive=["d"], t=[1.0], trigger=["a"])
    assert (known.judges("a"), known.judges("b")) == (False, True)


def test_rows_that_repeat_an_event_count_once(read: Read) -> None:
    known = read(drive=["d", "d", "d"], t=[1.0, 1.0, 1.0], end=[None, 1.0, 2.0])
    assert (known.count, known.repeated, len(found(known, "d"))) == (2, 1, 2)


HOSTILE: list[tuple[dict[str, Any], str]] = [
    ({"t": [1.0]}, "has no column `drive`"),
    ({"drive": ["d"]}, "has no column `t`"),
    ({"drive": [1], "t": [1.0]}, "column `drive` has the type int64"),
    ({"drive": [b"d"], "t": [1.0]}, "column `drive` has the type binary"),
    ({"drive": ["d", None], "t": [1.0, 2.0]}, "column `drive` is empty in row 1"),
    ({"drive": ["d", ""], "t": [1.0, 2.0]}, "column `drive` is empty in row 1"),
    ({"drive": ["d"], "t": ["soon"]}, "column `t` has the type string"),
    ({"drive": ["d"], "t": [1]}, "nothing says what it counts"),
    ({"drive": ["d", "d"], "t": [1.0, None]}, "column `t` is empty in row 1"),
    ({"drive": ["d", "d"], "t": [1.0, float("nan")]}, "column `t` has no valid time in row 1"),
    ({"drive": ["d"], "t": [float("inf")]}, "column `t` has no valid time in row 0"),
    ({"drive": ["d"], "t": [-1.0]}, "column `t` has no valid time in row 0"),
    ({"drive": ["d"], "t": [1e300]}, "column `t` has no valid time in row 0"),
    ({"drive": ["d", "d"], "t": [1.0, 5.0], "end": [2.0, 4.0]}, "column `end` is before the event begins in row 1"),
    ({"drive": ["d"], "t": [1.0], "end": [-1.0]}, "column `end` has no valid time in row 0"),
    ({"drive": ["d"], "t": [1.0], "end": ["x"]}, "column `end` has the type string"),
    ({"drive": ["d"], "t": [1.0], "end": [4]}, "column `end` has the type int64"),
    ({"drive": ["d"], "t": [1.0], "trigger": ["a"], "type": ["a"]}, "both say what finds an event"),
    ({"drive": ["d"], "t": [1.0], "trigger": [3]}, "column `trigger` has the type int64"),
    ({"drive": ["d"], "t": [1.0], "type": ["cut"]}, "has events of `cut` alone"),
    ({"drive": pa.array([], pa.string()), "t": pa.array([], pa.float64())}, "has no events"),
    ({"drive": ["d" * 5000], "t": [1.0]}, "a text of 5,000 characters"),
]


@pytest.mark.parametrize(("columns", "told"), HOSTILE)
def test_what_cannot_be_used_is_told_with_its_column_and_row(read: Read, columns: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(**columns)
    assert told in caught.value.message and caught.value.message.startswith("events.parquet: ")
    assert caught.value.remedy


def test_a_file_that_is_no_table_is_told(tmp_path: Path) -> None:
    for content in (b"", b"PAR1 and so on", os.urandom(100)):
        (tmp_path / "e").write_bytes(content)
        with pytest.raises(InvalidInput, match="not a readable Parquet file"):
            read_events(tmp_path / "e", TimeKey(), FINDERS, 0)
    with pytest.raises(InvalidInput, match="there is no such file"):
        read_events(tmp_path / "none", TimeKey(), FINDERS, 0)


def test_a_column_that_is_there_twice_is_told(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array(["d"]), pa.array([1.0]), pa.array([2.0])], ["drive", "t", "t"])
    pq.write_table(table, tmp_path / "e")
    with pytest.raises(InvalidInput, match="has more than one column `t`"):
        read_events(tmp_path / "e", TimeKey(), FINDERS, 0)


def test_amounts_are_bounded(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = events_file.MAX_EVENTS + 1
    with pytest.raises(InvalidInput, match="has 100,001 rows"):
        read(drive=pa.array(["d"] * rows).dictionary_encode(), t=np.arange(rows, dtype=np.float64))
    monkeypatch.setattr(events_file, "MAX_JUDGED", 3)
    with pytest.raises(InvalidInput, match="has 2 events for 2 triggers"):
        read(drive=["d", "d"], t=[1.0, 2.0])


def test_a_type_is_found_by_triggers_of_the_file_alone(read: Read) -> None:
    with pytest.raises(InvalidInput, match="`cut` should be found by `c`, which is no trigger of the file"):
        read(Finders(("a", "b"), {"cut": ("c",)}), drive=["d"], t=[1.0])


def test_a_column_of_triggers_without_a_type_is_as_none(read: Read) -> None:
    known = read(drive=["d"], t=[1.0], trigger=pa.array([None]))
    assert (known.judges("a"), known.judges("b")) == (True, True)


def test_what_to_do_is_about_the_file_of_events(read: Read) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(drive=["d"], t=[1.0], end=[4])
    assert refused.value.remedy == "write `end` as `t` is written"
    Path("events.csv").write_text("drive,t\nd,1.0\n")
    with pytest.raises(InvalidInput, match="not a readable Parquet file, but one of another kind") as refused:
        read_events(Path("events.csv"), TimeKey(), FINDERS, 0)
    assert refused.value.remedy == "write the table of events as Parquet, not as CSV or JSON"
