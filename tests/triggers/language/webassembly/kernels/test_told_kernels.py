"""What is told of objects: its kernels, object by object over all ticks, against the rule for each tick."""

from __future__ import annotations

import math
from functools import cache
from random import Random
from typing import Any

import numpy as np
import pytest
import wasmtime
from numpy.typing import NDArray

from triggers.language.ir import OPERATIONS, Kind
from triggers.language.reference.objects.told import TOLD as RULES
from triggers.language.reference.values import Value
from triggers.language.webassembly.kernels.objects.told import BEGINNINGS, TOLD, name_of

TICKS, OBJECTS = 150, 5
HALF, COLUMN = 64, 2048
PRESENT, KNOWN, OUT, BEST, BEST_KEY, ARGUMENTS = 0, 256, 1 << 12, 1 << 13, 3 << 12, 1 << 15
"""Addresses of masks, the result, the columns of the nearest object, and three arguments for each object."""
KEYS = (-(1 << 63), -3, 7, 2**53 + 1, (1 << 63) - 1)
_NUMBERS = (-1.0, -0.0, 0.0, 1.0, 2.0, 1e308, math.nan)


@cache
def functions() -> tuple[wasmtime.Store, Any]:
    """All kernels as exports of one module, for blocks of TICKS."""
    texts = [*BEGINNINGS.values(), *(text for told in TOLD.values() for text in (told.add, told.end) if text)]
    exports = " ".join(f'(export "{name_of(text)}" (func ${name_of(text)}))' for text in texts)
    words = -(-TICKS // 64) * 8
    text = f"""(module (memory (export "memory") 2)
      (global $count i32 (i32.const {TICKS})) (global $words i32 (i32.const {words}))
      {"".join(texts).replace("HALF", str(HALF))} {exports})"""
    store = wasmtime.Store()
    module = wasmtime.Module(store.engine, bytes(wasmtime.wat2wasm(text)))
    return store, wasmtime.Instance(store, module, []).exports(store)


def memory(dtype: str, address: int, count: int) -> NDArray[Any]:
    """Numbers of the module's memory."""
    store, exports = functions()
    whole = np.ctypeslib.as_array(exports["memory"].data_ptr(store), (exports["memory"].data_len(store),))
    return np.frombuffer(whole, dtype, count, address)


def call(name: str, *given: int) -> None:
    """Run a kernel."""
    store, exports = functions()
    exports[name](store, *given)


def put_mask(address: int, bits: NDArray[np.bool_]) -> None:
    """Write a mask; bits beyond the last tick are 0."""
    packed = np.packbits(bits, bitorder="little")
    memory("u1", address, HALF)[:] = 0
    memory("u1", address, len(packed))[:] = packed


def mask(address: int) -> NDArray[np.bool_]:
    """Read a mask."""
    return np.unpackbits(memory("u1", address, HALF), count=TICKS, bitorder="little").astype(np.bool_)


def put(address: int, kind: Kind, values: list[Value]) -> None:
    """Write a column of numbers, or the masks of a condition."""
    if kind is Kind.NUMBER:
        memory("<f8", address, TICKS)[:] = [math.nan if value is None else value for value in values]
        return
    put_mask(address, np.array([value is True for value in values]))
    put_mask(address + HALF, np.array([value is False for value in values]))


def result(kind: Kind) -> list[Value]:
    """Read the result."""
    if kind is Kind.NUMBER:
        return [None if math.isnan(number) else number for number in memory("<f8", OUT, TICKS).tolist()]
    pairs = zip(mask(OUT).tolist(), mask(OUT + HALF).tolist(), strict=True)
    assert not any(true and false for true, false in pairs)
    return [
        True if true else False if false else None
        for true, false in zip(mask(OUT).tolist(), mask(OUT + HALF).tolist(), strict=True)
    ]


def drawn(random: Random, kind: Kind) -> list[Value]:
    """Values at all ticks."""
    if kind is Kind.BOOL:
        return [random.choice((True, True, False, None)) for _ in range(TICKS)]
    numbers = [random.choice(_NUMBERS) for _ in range(TICKS)]
    return [None if math.isnan(number) else number for number in numbers]


@pytest.mark.parametrize("name", TOLD)
@pytest.mark.parametrize("seed", range(6))
def test_a_kernel_tells_at_each_tick_what_the_rule_tells(name: str, seed: int) -> None:
    random, told = Random(seed), TOLD[name]
    op = name.removesuffix("_number").removesuffix("_bool")
    kind = OPERATIONS[op].result or Kind(name.rpartition("_")[2])
    kinds = [wanted or kind for wanted in OPERATIONS[op].arguments]
    known = np.array([random.random() < 0.8 for _ in range(TICKS)])
    put_mask(KNOWN, known)
    call(told.begin, OUT, *([HALF] if told.begin == "no_object" else []))
    extra = [BEST, BEST_KEY][: told.extra]
    if extra:
        call("no_number", BEST)
    at_ticks: list[list[tuple[int, tuple[Value, ...]]]] = [[] for _ in range(TICKS)]
    for key in random.sample(KEYS, OBJECTS):
        present = known & np.array([random.random() < 0.7 for _ in range(TICKS)])
        put_mask(PRESENT, present)
        arguments = [drawn(random, each) for each in kinds]
        addresses = [ARGUMENTS + COLUMN * place for place in range(len(kinds))]
        for address, each, values in zip(addresses, kinds, arguments, strict=True):
            put(address, each, values)
        call(name_of(told.add), PRESENT, *addresses, OUT, *extra, *([key] if told.takes_key else []))
        for tick in np.flatnonzero(present).tolist():
            at_ticks[tick].append((key, tuple(values[tick] for values in arguments)))
    if told.end:
        call(name_of(told.end), KNOWN, OUT)
    expected = [RULES[op](objects) if known[tick] else None for tick, objects in enumerate(at_ticks)]
    assert list(map(repr, result(kind))) == list(map(repr, expected))
