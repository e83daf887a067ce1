"""Lists of objects in the extracted signals of a clip: parts of them travel, and they are backtested like drives."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from fleet_api.cli.fleet.clips.part import Part, show_part
from fleet_api.client.clips.drives import catalog_for_clips, require_same_signals, write_clip
from fleet_api.client.clips.ranges import LinkedFile
from fleet_api.client.clips.signals import SignalsFile, read_signals
from triggers.backtest.plan import fields_needed, make_plan, signals_needed
from triggers.backtest.run import run
from triggers.drives.series import SignalSeries, write_drive
from triggers.errors import InvalidInput
from triggers.language.compile import compile_source
from triggers.signals.catalog import SignalCatalog
from triggers.signals.object_columns import ObjectColumn, ObjectSeries
from triggers.signals.objects import ObjectSample

START_NS = 1_796_472_000_000_000_000
CATALOG = SignalCatalog.parse(
    """
signals: {ego.speed: {unit: m/s, rate: 10}, ego: {rate: 10}}
objects: {tracked: {max: 4, rate: 10, key: id, column: perception, fields: {id: {type: id}, x: {unit: m, column: px}}}}
""",
    name="signals.yaml",
)
SOURCE = """language 2
trigger near { when any(o in tracked where o.x < 5 m) capture 1 s before, 1 s after { signals ego.speed, tracked } }
"""


def data(folder: Path) -> bytes:
    """Two minutes, in which an object comes near once each minute."""
    rows = np.arange(1200, dtype=np.int64)
    t_ns = START_NS + rows * 10**8
    samples = [ObjectSample((9, 2**60), ((4.0 if n % 600 == 300 else 40.0,), (80.0,))) for n in rows.tolist()]
    series = ObjectSeries(t_ns, ObjectColumn.of(samples, 1), ("id", "x"))
    speed = SignalSeries(t_ns, np.full(len(rows), 20.0))
    others = {f"other.s{n}": SignalSeries(t_ns, np.random.default_rng(n).normal(size=len(rows))) for n in range(4)}
    signals = {"ego.speed": speed, "ego": speed, **others}
    write_drive(folder / "c.parquet", signals, start_ns=START_NS, objects={"tracked": series})
    return (folder / "c.parquet").read_bytes()


class Linked:
    """The file as the store gives it, by ranges."""

    def __init__(self, content: bytes) -> None:
        self.asked = 0
        self.file = LinkedFile(lambda first, end: self._range(content, first, end), len(content))

    def _range(self, content: bytes, first: int, end: int) -> bytes:
        self.asked += end - first
        return content[first:end]


def test_a_list_is_one_of_the_columns_and_can_be_asked_for_alone(tmp_path: Path) -> None:
    content = data(tmp_path)
    signals = SignalsFile(Linked(content).file)
    assert signals.signals == ["ego.speed", "ego", *(f"other.s{n}" for n in range(4)), "tracked"]
    linked = Linked(content)
    table = read_signals(linked.file, ["track*"], last_ns=START_NS + 10**8)
    assert table.column_names == ["t", "tracked"]
    assert table["tracked"].to_pylist() == [[{"id": 9, "x": 40.0}, {"id": 2**60, "x": 80.0}]] * 2
    assert read_signals(linked.file, ["ego"], last_ns=START_NS).column_names == ["t", "ego"]


def test_a_clip_with_lists_is_backtested_as_a_drive(tmp_path: Path) -> None:
    compilation = compile_source(SOURCE, filename="t", catalog=CATALOG)
    plan = make_plan(compilation)
    needed = signals_needed(plan, CATALOG)
    assert needed == {"ego.speed", "tracked"}
    drive = write_clip(SignalsFile(Linked(data(tmp_path)).file), needed, tmp_path / "d.parquet")
    (result,) = run(plan, [drive], catalog_for_clips(CATALOG), lambda _: None).drives
    assert result.fires_ns["near"].tolist() == [START_NS + 30 * 10**9, START_NS + 90 * 10**9]
    assert result.uncounted == frozenset()
    lists_bytes = 20 * (21 + 2 * 6)
    assert abs(int(result.clip_bytes["near"][0]) - (4096 + 2 * 190 + 21 * 21 + lists_bytes)) < 600


def test_a_list_with_other_fields_is_not_taken_for_the_same() -> None:
    def declared(fields: str, key: str = "id") -> list[tuple[tuple[str, int], SignalCatalog | None]]:
        text = f"signals: {{a: {{}}}}\nobjects: {{tracked: {{max: 9, key: {key}, fields: {fields}}}}}"
        return [(("near", 2), SignalCatalog.parse(text, name="c"))]

    read = {"tracked": ["x"]}
    require_same_signals(["tracked"], CATALOG, declared("{id: {type: id}, x: {unit: m}, y: {}}"), read)
    require_same_signals(["tracked"], CATALOG, [(("near", 1), None)], read)
    with pytest.raises(InvalidInput, match=r"has a field `x` that is in km, not in m, in the catalog of near"):
        require_same_signals(["tracked"], CATALOG, declared("{id: {type: id}, x: {unit: km}}"), read)
    with pytest.raises(InvalidInput, match="`tracked` has the key k in the catalog of near version 2"):
        require_same_signals(["tracked"], CATALOG, declared("{k: {type: id}}", "k"), read)


def test_fields_that_no_condition_reads_may_be_declared_otherwise() -> None:
    kinds = "{id: {type: id}, x: {}, kind: {type: text, values: [KINDS]}}"
    of_list = f"signals: {{a: {{}}}}\nobjects: {{tracked: {{max: 9, key: id, fields: {kinds}}}}}"
    mine, theirs = (SignalCatalog.parse(of_list.replace("KINDS", each), name="c") for each in ("car", "truck, car"))
    captures = "capture 1 s before, 1 s after { signals tracked }"
    for condition, refuses in [
        ("any(o in tracked where o.x < 5)", False),
        ("count(o in tracked) > 1", False),
        ("a > 1", False),
        ('any(o in tracked where o.x < 5 and o.kind == "car")', True),
    ]:
        source = f"language 2\ntrigger near {{ when {condition} {captures} }}\n"
        plan = make_plan(compile_source(source, filename="t", catalog=mine))
        arguments = signals_needed(plan, mine), mine, [(("near", 1), theirs)], fields_needed([plan])
        with pytest.raises(InvalidInput, match="field `kind` that has other") if refuses else nullcontext():
            require_same_signals(*arguments)


def test_a_table_of_samples_shows_how_many_objects_and_their_keys(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = data(tmp_path)

    class Clip:
        def signals(self, *patterns: str, **_: object) -> object:
            return read_signals(Linked(content).file, patterns, last_ns=START_NS)

    show_part(Clip(), Part(("tracked",), (), None, None), None, as_json=False)  # type: ignore[arg-type]
    assert f"2: 9, {2**60}" in capsys.readouterr().out
    show_part(Clip(), Part(("tracked",), (), None, None), None, as_json=True)  # type: ignore[arg-type]
    assert f'"id": {2**60}' in capsys.readouterr().out
