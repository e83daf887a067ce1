"""Modules written by hand, with the least manifest that is accepted: none of the compiler's, to see what hosts do."""

from __future__ import annotations

import json
from typing import Any

import wasmtime

from triggers.language.webassembly.host.manifest import SECTION
from triggers.language.webassembly.host.sections import with_custom_section

MEMORY = '(memory (export "memory") 1 1)'
RESET, END = '(func (export "reset"))', '(func (export "end"))'
ENDS_BADLY = '(func (export "end") unreachable)'


def run_that(body: str) -> str:
    """The export `run` with this body; its parameter, the number of rows, is local 0."""
    return f'(func (export "run") (param i32) (result i32) {body})'


WHOLE = (MEMORY, RESET, END, run_that("local.get 0"))
"""A module that takes all rows and never fires."""


def least_manifest(trigger: str) -> dict[str, Any]:
    """One trigger, no input; the fire buffer lies at 4096, the number of fires at 8192."""
    return {
        "format": "longtail-program/2",
        "language": 1,
        "max_gap_ns": 2_000_000_000,
        "inputs": [],
        "triggers": [{"name": trigger, "cooldown_ns": 0, "capture": None, "record": 72}],
        "compares": [],
        "times": 1024,
        "row_capacity": 64,
        "fires": 4096,
        "fire_capacity": 4,
        "fire_count": 8192,
        "state": {"address": 64, "size_bytes": 64},
        "overflows": 64,
        "cost": {"operations_per_tick": 0, "burst_operations": 0, "operations_per_block": 0},
    }


def written(*parts: str, trigger: str = "t") -> bytes:
    """A module of these parts."""
    binary = bytes(wasmtime.wat2wasm(f"(module {' '.join(parts)})"))
    return with_custom_section(binary, SECTION, json.dumps(least_manifest(trigger)).encode())
