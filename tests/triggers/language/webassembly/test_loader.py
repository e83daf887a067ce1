"""The loader refuses whatever is not one of the compiler's modules, and a machine outlives a module that misbehaves."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.triggers.language.webassembly.handmade import ENDS_BADLY, MEMORY, RESET, WHOLE, run_that, written
from triggers.contracts.bundle import MAX_PROGRAM_BYTES
from triggers.errors import InvalidInput, LongtailError
from triggers.language.compile import compile_source
from triggers.language.rows import Row
from triggers.language.webassembly.host import machine
from triggers.language.webassembly.host.evaluator import Evaluator
from triggers.language.webassembly.host.machine import Machine, load
from triggers.language.webassembly.host.manifest import SECTION, read_manifest
from triggers.language.webassembly.host.sections import custom_section, with_custom_section
from triggers.language.webassembly.layout import MAX_MEMORY_BYTES
from triggers.signals.catalog import SignalCatalog

SOURCE = """
trigger fast { when max(x over 2 s) > 3 and (p for 300 ms) cooldown 5 s }
trigger other { when x < 0 }
"""
CATALOG = SignalCatalog.parse("signals: {x: {rate: 10}, p: {type: bool, rate: 10}}", name="signals")

EVENTS = {"head": "cut_in.detected", "sides": "active_shadow", "within_ns": 1, "driver": None}


@pytest.fixture(scope="module")
def good() -> bytes:
    compilation = compile_source(SOURCE, filename="t", catalog=CATALOG)
    assert compilation.triggers is not None
    return compilation.triggers.program


def refused(module: bytes) -> str:
    """The message with which a module is refused, by its manifest, when compiled, or when it starts."""
    with pytest.raises(InvalidInput) as caught:
        Machine(load(module, metered=True))
    assert caught.value.message.startswith("program: ")
    return caught.value.message


def test_a_module_cut_off_anywhere_is_refused(good: bytes) -> None:
    for end in [*range(64), *range(64, len(good), 97), len(good) - 1]:
        refused(good[:end])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0asm",
        b"\0asm\x02\0\0\0",
        b"{}",
        b"\xff" * 100,
        b"\0asm\x01\0\0\0",
        b"\0asm\x01\0\0\0\x00\xff\xff\xff\xff\xff\x01",
    ],
    ids=["empty", "magic", "version", "json", "noise", "no sections", "endless length"],
)
def test_bytes_that_are_not_a_module_are_refused(data: bytes) -> None:
    refused(data)


def test_a_module_too_large_is_refused_before_it_is_read() -> None:
    assert "more than" in refused(bytes(MAX_PROGRAM_BYTES + 1))


def test_a_module_with_any_bytes_changed_is_refused_or_runs_within_its_bounds(good: bytes) -> None:
    chance = random.Random(5)
    rows = [Row(k * 50_000_000, {"x": float(k % 9), "p": float(k % 5 > 1)}) for k in range(80)]
    started = 0
    for _ in range(150):
        damaged = bytearray(good)
        for _ in range(chance.randrange(1, 4)):
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        try:
            evaluator = Evaluator(load(bytes(damaged), metered=True))
            started += 1
            evaluator.run(rows)
            evaluator.end_drive()
        except LongtailError:
            continue
    assert started > 0


# ---- Wrong manifests


def changed(good: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """The module with another manifest."""
    manifest = json.loads(custom_section(good, SECTION) or b"")
    change(manifest)
    return with_custom_section(good, SECTION, json.dumps(manifest).encode())


def setting(*path: str | int, to: Any) -> Callable[[dict[str, Any]], None]:
    """A change of one field."""

    def change(manifest: Any) -> None:
        for step in path[:-1]:
            manifest = manifest[step]
        manifest[path[-1]] = to(manifest[path[-1]]) if callable(to) else to

    return change


ADDRESSES: list[tuple[str | int, ...]] = [
    ("times",),
    ("fires",),
    ("fire_count",),
    ("overflows",),
    ("state", "address"),
    ("state", "size_bytes"),
    ("row_capacity",),
    ("fire_capacity",),
    ("inputs", 0, "column"),
    ("triggers", 1, "record"),
]


@pytest.mark.parametrize("path", ADDRESSES, ids=lambda path: ".".join(map(str, path)))
@pytest.mark.parametrize(
    "value", [-1, -(2**40), MAX_MEMORY_BYTES - 8, 2**31, 2**32, 2**63, 2**200, 1.5, True, None, "0", []]
)
def test_an_offset_out_of_memory_or_of_no_sense_is_refused(
    good: bytes, path: tuple[str | int, ...], value: Any
) -> None:
    refused(changed(good, setting(*path, to=value)))


@pytest.mark.parametrize(
    "change",
    [
        setting("times", to=64),
        setting("inputs", 0, "column", to=lambda at: at + 4096),
        setting("inputs", 1, "column", to=lambda at: at - 4096),
        setting("fires", to=lambda at: at - 4096),
        setting("state", "size_bytes", to=lambda size: size + 100_000),
        setting("triggers", 0, "record", to=0),
        setting("overflows", to=lambda _: 4096 * 64),
        setting("row_capacity", to=lambda rows: rows + 1000),
        setting("fire_capacity", to=lambda fires: fires * 2),
        lambda manifest: manifest["inputs"][0].update(column=manifest["inputs"][1]["column"]),
        lambda manifest: manifest.update(fires=manifest["times"]),
        lambda manifest: manifest.update(fire_count=manifest["fires"]),
    ],
)
def test_regions_that_overlap_and_counters_outside_the_state_are_refused(
    good: bytes, change: Callable[[dict[str, Any]], object]
) -> None:
    refused(changed(good, change))


@pytest.mark.parametrize(
    "change",
    [
        setting("format", to="longtail-program/4"),
        setting("format", to="longtail-program/3"),
        lambda manifest: manifest.update(events=[{**EVENTS, "counters": manifest["overflows"]}]),
        lambda manifest: manifest.update(
            format="longtail-program/3",
            events=[{**EVENTS, "driver": "driver.steers", "counters": manifest["overflows"]}],
        ),
        setting("language", to=2),
        setting("max_gap_ns", to=0),
        setting("inputs", 0, "name", to="../../etc"),
        setting("inputs", 0, "type", to="blob"),
        setting("triggers", 0, "name", to=""),
        lambda manifest: manifest.pop("state"),
        lambda manifest: manifest.update(extra=1),
        lambda manifest: manifest.update(inputs={}),
        lambda manifest: manifest["inputs"].append(manifest["inputs"][0]),
        lambda manifest: manifest["triggers"].append({**manifest["triggers"][0], "record": 96}),
    ],
)
def test_a_manifest_of_another_form_is_refused(good: bytes, change: Callable[[dict[str, Any]], object]) -> None:
    refused(changed(good, change))


@pytest.mark.parametrize(
    "text", [b"", b"null", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"format": NaN}', b'"' + b"a" * 10**6]
)
def test_a_manifest_that_is_not_a_json_object_is_refused(good: bytes, text: bytes) -> None:
    refused(with_custom_section(good, SECTION, text))


def test_a_module_without_a_manifest_or_with_two_is_refused(good: bytes) -> None:
    assert f"no section `{SECTION}`" in refused(with_custom_section(good, "other", b"{}"))
    section = good[good.rindex(b"\x08longtail") - 3 :]
    assert f"2 sections `{SECTION}`" in refused(good + section[section.index(b"\x00") :])


# ---- Modules of another make


def test_the_least_module_is_accepted() -> None:
    assert len(Machine(load(written(*WHOLE))).run(np.arange(100, dtype=np.int64), [])) == 0


@pytest.mark.parametrize("missing", range(4))
def test_a_missing_export_is_refused(missing: int) -> None:
    assert "exports no" in refused(written(*(part for index, part in enumerate(WHOLE) if index != missing)))


@pytest.mark.parametrize(
    "part",
    [
        '(import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))',
        '(import "env" "memory" (memory 1))',
        '(import "env" "base" (global i32))',
        '(import "env" "table" (table 1 funcref))',
    ],
)
def test_a_module_that_imports_anything_is_refused(part: str) -> None:
    others = [each for each in WHOLE if each != MEMORY or "memory" not in part]
    assert "import" in refused(written(part, *others))


@pytest.mark.parametrize(
    "parts",
    [
        ('(memory (export "memory") 1)', *WHOLE[1:]),
        ('(memory (export "memory") 1 2)', *WHOLE[1:]),
        ('(memory (export "memory") 0 0)', *WHOLE[1:]),
        ('(memory (export "memory") 65536 65536)', *WHOLE[1:]),
        ('(memory (export "memory") i64 1 1)', *WHOLE[1:]),
        ('(memory (export "memory") 1 1 shared)', *WHOLE[1:]),
        ('(global (export "memory") i32 (i32.const 0))', *WHOLE[1:]),
        (*WHOLE[:3], '(func (export "run") (param i64) (result i32) i32.const 0)'),
        (*WHOLE[:3], '(func (export "run") (param i32))'),
        (*WHOLE[:3], '(global (export "run") i32 (i32.const 0))'),
        (MEMORY, '(func (export "reset") (param i32))', *WHOLE[2:]),
        (*WHOLE, "(memory 1 1)"),
        (*WHOLE, "(table 10000000 funcref)"),
    ],
)
def test_an_export_of_the_wrong_type_and_memory_of_the_wrong_size_are_refused(parts: tuple[str, ...]) -> None:
    refused(written(*parts))


@pytest.mark.parametrize(
    "part",
    [
        "(func $start unreachable) (start $start)",
        "(func $start (loop (br 0))) (start $start)",
        "(func $start (call $start)) (start $start)",
        '(data (i32.const 65530) "longer than that")',
    ],
    ids=["trap", "endless", "stack", "data"],
)
def test_a_module_that_does_not_start_is_refused(part: str) -> None:
    assert "does not start" in refused(written(*WHOLE, part))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("unreachable", "unreachable"),
        ("(drop (i32.load (i32.const 65536))) local.get 0", "out of bounds"),
        ("(loop (br 0)) unreachable", "all fuel consumed"),
        ("(i32.div_u (local.get 0) (i32.const 0))", "divide by zero"),
        ("i32.const -1", "took -1 of 3 rows"),
        ("i32.const 4", "took 4 of 3 rows"),
        ("i32.const 0", "took 0 of 3 rows"),
        ("(i32.store (i32.const 8192) (i32.const 5)) local.get 0", "left 5 fires"),
        ("(i32.store (i32.const 8192) (i32.const -1)) local.get 0", "left 4294967295 fires"),
        (
            "(i32.store (i32.const 8192) (i32.const 1)) (i32.store (i32.const 4108) (i32.const 1)) local.get 0",
            "trigger 1 of 1",
        ),
        ("(i32.store (i32.const 8192) (i32.const 1)) i32.const 0", "all fuel consumed"),
    ],
)
def test_a_module_that_misbehaves_when_run_raises_and_harms_nothing(body: str, reason: str) -> None:
    running = Machine(load(written(*WHOLE[:3], run_that(body)), metered=True))
    for _ in range(2):
        with pytest.raises(LongtailError, match=reason):
            running.run(np.arange(3, dtype=np.int64), [])
    running.end_drive()


def test_a_module_that_fires_without_end_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "MAX_FIRES", 10)
    firing = Machine(
        load(written(*WHOLE[:3], run_that("(i32.store (i32.const 8192) (i32.const 4)) i32.const 1")), metered=True)
    )
    with pytest.raises(LongtailError, match="more than 10 fires of 64 rows"):
        firing.run(np.arange(64, dtype=np.int64), [])


def test_a_module_that_traps_at_the_end_of_a_drive_raises() -> None:
    trapping = Machine(load(written(MEMORY, RESET, ENDS_BADLY, WHOLE[3])))
    with pytest.raises(LongtailError, match="unreachable"):
        trapping.end_drive()


# ---- Saved states


def test_a_state_that_is_damaged_cut_off_or_of_another_program_is_refused_and_changes_nothing(good: bytes) -> None:
    rows = [Row(k * 100_000_000, {"x": float(k % 9), "p": 1.0}) for k in range(60)]
    evaluator, other = Evaluator(good), Evaluator(written(*WHOLE))
    evaluator.run(rows[:30])
    state = evaluator.save()
    flipped = bytearray(state)
    flipped[len(state) // 2] ^= 1
    for bad in (b"", b"{}", state[:-1], state + b"\0", state[:40], bytes(flipped), other.save(), b"LTS1" + state[4:]):
        with pytest.raises(InvalidInput, match="saved state"):
            evaluator.restore(bad)
    assert evaluator.save() == state


def test_a_metered_module_gives_what_an_unmetered_one_gives(good: bytes) -> None:
    rows = [Row(k * 70_000_000, {"x": float(k % 9) - 2, "p": float(k % 11 > 2)}) for k in range(500)]
    assert Evaluator(load(good, metered=True)).run(rows) == Evaluator(good).run(rows) != []


def test_a_manifest_is_read_without_compiling_the_module(good: bytes) -> None:
    manifest = read_manifest(good)
    assert [item.name for item in manifest.inputs] == ["x", "p"]
    assert [trigger.name for trigger in manifest.triggers] == ["fast", "other"]
