"""The vectors for hosts: what their sources give, and what interpreter, module and the docs' host agree on."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import astuple
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.paths import REPOSITORY
from tests.vectors.case import Case
from tests.vectors.generate import CASES, FOLDER, compiled, files_of
from tests.vectors.recordings import Event, from_csv, stretches
from triggers.assignment import sampling
from triggers.contracts.compared import Compared, EventCounts
from triggers.language.reference.interpreter import Interpreter
from triggers.language.rows import Row
from triggers.language.webassembly.host.evaluator import Evaluator
from triggers.signals.objects import ObjectSample

INTEGRATION = (REPOSITORY / "docs/vehicle-integration.md").read_text(encoding="utf-8")
SIZES = (1, 2, 7, 1000)
"""Rows a call of `run`."""

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
every_size = pytest.mark.parametrize("size", SIZES)


def expected(case: Case) -> dict[str, Any]:
    """What the case's recording must give."""
    document: dict[str, Any] = json.loads((FOLDER / case.name / "expected.json").read_bytes())
    return document


def module(case: Case) -> bytes:
    return (FOLDER / case.name / "program.wasm").read_bytes()


def pieces(case: Case, size: int) -> Iterator[tuple[Sequence[Row], Event | None]]:
    """The recording as it lies in its file, in pieces of at most `size` merged rows, each with what follows it."""
    text = (FOLDER / case.name / "rows.csv").read_text(encoding="utf-8")
    for rows, event in stretches(from_csv(text)):
        for start in range(0, len(rows) - size, size):
            yield rows[start : start + size], None
        yield rows[max(0, (len(rows) - 1) // size * size) :], event


def counters(evaluator: Interpreter | Evaluator) -> dict[str, Any]:
    return {
        "suppressed": dict(evaluator.suppressed),
        "overflows": evaluator.overflows,
        "left_out": dict(evaluator.left_out),
        "compared": {head: astuple(counts) for head, counts in evaluator.compared.items()},
        "events": {(key.head, key.sides): astuple(counts) for key, counts in evaluator.events.items()},
    }


def expected_counters(case: Case) -> dict[str, Any]:
    document = expected(case)
    compared = {head: astuple(Compared(**counts)) for head, counts in document["compared"].items()}
    events = {
        (head, sides): astuple(EventCounts(**counts))
        for head, of_head in document.get("events", {}).items()
        for sides, counts in of_head.items()
    }
    counted = {name: document[name] for name in ("suppressed", "overflows")}
    return {**counted, "left_out": document.get("left_out", {}), "compared": compared, "events": events}


def expected_times(case: Case) -> list[tuple[int, str]]:
    return [(fire["t_ns"], fire["trigger"]) for fire in expected(case)["fires"]]


@every_case
def test_generating_a_vector_again_gives_the_same_bytes(case: Case) -> None:
    folder = FOLDER / case.name
    files = files_of(case)
    assert {path.name for path in folder.iterdir()} == set(files)
    for name, data in files.items():
        assert (folder / name).read_bytes() == data, f"{name}: run python -m tests.vectors.generate"


def test_every_folder_of_vectors_is_a_case_and_its_files_are_described() -> None:
    folders = {path.parent.name for path in FOLDER.glob("*/expected.json")}
    assert folders == {case.name for case in CASES}
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in readme for name in files_of(CASES[0]))
    assert all(f"`{field}`" in readme for case in CASES for field in expected(case))


@every_case
def test_a_vector_is_small_and_its_rule_is_seen_to_work(case: Case) -> None:
    document = expected(case)
    assert document["rows"] < 200
    assert {fire["trigger"] for fire in document["fires"]} == set(document["suppressed"]), "every trigger fires"
    assert document["program_digest"] == hashlib.sha256(module(case)).hexdigest()


@every_case
@every_size
def test_the_interpreter_gives_what_is_expected(case: Case, size: int) -> None:
    evaluator, fires = Interpreter(compiled(case).ir), []
    for rows, event in pieces(case, size):
        fires += [(fire.t_ns, fire.trigger) for fire in evaluator.run(rows)]
        if event is Event.END:
            evaluator.end_drive()
    assert fires == expected_times(case)
    assert counters(evaluator) == expected_counters(case)


@every_case
@every_size
def test_the_module_gives_what_is_expected(case: Case, size: int) -> None:
    evaluator, fires = Evaluator(module(case)), []
    for rows, event in pieces(case, size):
        fires += [(fire.t_ns, fire.trigger) for fire in evaluator.run(rows)]
        if event is Event.END:
            evaluator.end_drive()
        if event is Event.RESTART:
            state, evaluator = evaluator.save(), Evaluator(module(case))
            evaluator.restore(state)
    assert fires == expected_times(case)
    assert counters(evaluator) == expected_counters(case)


@cache
def documented_host() -> SimpleNamespace:
    """The host written out in the docs."""
    (text,) = re.findall(r"^```python\n(.*?)^```$", INTEGRATION, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(text, "docs/vehicle-integration.md", "exec"), names)  # the point is to run what the docs say
    return SimpleNamespace(**names)


def measured(case: Case, manifest: dict[str, Any]) -> Iterator[tuple[list[tuple[int, dict[str, Any]]], Event | None]]:
    """The recording's rows as measured (not merged), up to each event."""
    names = {
        each["input"]: [item["name"] for item in each["fields"] if item["type"] != "id"]
        for each in manifest.get("lists", [])
    }
    rows: list[tuple[int, dict[str, Any]]] = []
    for line in from_csv((FOLDER / case.name / "rows.csv").read_text(encoding="utf-8")):
        if line.event is Event.ROW:
            objects = {name: named(sample, names[name]) for name, sample in line.objects.items() if name in names}
            rows.append((line.t_ns, {**line.samples, **objects}))
        else:
            yield rows, line.event
            rows = []
    yield rows, None


def named(sample: ObjectSample, fields: Sequence[str]) -> list[tuple[int, dict[str, float]]]:
    """A sample of a list, as the host in the docs takes it."""
    return [
        (key, dict(zip(fields, values, strict=True))) for key, values in zip(sample.keys, sample.values, strict=True)
    ]


@every_case
@every_size
def test_the_host_in_the_docs_gives_what_is_expected(case: Case, size: int) -> None:
    host = documented_host()
    program, fires, count = host.Program(module(case)), [], 0
    for lines, event in measured(case, program.manifest):
        rows = list(host.merged(lines))
        for start in range(0, len(rows), size):
            found = program.evaluate(rows[start : start + size])
            fires += [(count + start + row, t_ns, trigger) for row, t_ns, trigger in found]
        count += len(rows)
        if event is Event.END:
            program.end_drive()
        if event is Event.RESTART:
            state, program = program.save(), host.Program(module(case))
            program.restore(state)
    names = [trigger["name"] for trigger in program.manifest["triggers"]]
    assert [{"t_ns": t_ns, "row": row, "trigger": names[k]} for row, t_ns, k in fires] == expected(case)["fires"]
    assert program.counters() == expected_counters(case)


def test_the_worked_numbers_of_sampling_are_right() -> None:
    rows = re.findall(r"^\| ((?:`\S+` ?)+) \| `([0-9a-f]{16})` \| (\d+) \| ([\d.]+) \|", INTEGRATION, re.MULTILINE)
    assert len(rows) == 2
    for fields, digest, number, u in rows:
        exact = sampling.uniform(*re.findall(r"`(\S+)`", fields))
        assert exact * 2**64 == int(number) == int(digest, 16)
        assert f"{float(exact):.4f}" == u
    fire = ("car-4", "cut_in_eu", 3, "cut_in_missed", 1_800_000_000_100_000_000)
    assert [sampling.keep_fire(*fire, n) for n in (4, 45, 46)] == [True, True, False]
    assert [(2**64 - 1) // n >= 402657171538993115 for n in (4, 45, 46)] == [True, True, False]
    assert [sampling.admitted("car-4", "cut_in_eu", share) for share in (0.01, 0.1)] == [False, True]


def test_every_field_of_the_manifest_is_documented(tmp_path: Path) -> None:
    manifest = documented_host().Program(module(CASES[0])).manifest
    undocumented = [name for name in field_names(manifest) if f"`{name}`" not in INTEGRATION]
    assert undocumented == []


def field_names(value: Any, prefix: str = "") -> Iterator[str]:
    """`a`, `a.b`, `a[].b` for every field of a document; what a capture holds counts as one field."""
    for name, each in value.items():
        yield prefix + name
        if isinstance(each, dict) and name != "capture":
            yield from field_names(each, f"{prefix}{name}.")
        if isinstance(each, list) and each and isinstance(each[0], dict):
            yield from field_names(each[0], f"{prefix}{name}[].")
