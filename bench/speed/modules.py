"""The compiled program as the benchmarks run it: from a text to a loaded module, and over drives in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.speed.made_drives import Drives
from triggers.language.compile import CompiledTriggers, compile_source
from triggers.language.text.diagnostics import render_all
from triggers.language.webassembly.host.machine import LoadedModule, Machine, load
from triggers.signals.catalog import SignalCatalog


def catalog_of(signals: Sequence[str]) -> SignalCatalog:
    """A catalog of these lines, and the gap that the made drives are cut by."""
    return SignalCatalog.parse("max_gap: 2.0\nsignals:\n" + "\n".join(f"  {line}" for line in signals), name="bench")


def compiled(source: str, catalog: SignalCatalog) -> CompiledTriggers:
    """All triggers of a text; ValueError where it does not compile."""
    compilation = compile_source(source, filename="bench.trigger", catalog=catalog)
    if compilation.triggers is None:
        raise ValueError(f"the benchmark's own triggers do not compile:\n{render_all(compilation.diagnostics)}")
    return compilation.triggers


def loaded(source: str, catalog: SignalCatalog) -> LoadedModule:
    """The module of all triggers of a text."""
    return load(compiled(source, catalog).program)


def whole(module: LoadedModule, drives: Drives) -> NDArray[Any]:
    """All fires, all drives in one call: the hours between them are gaps."""
    machine = Machine(module)
    return machine.run(drives.t_ns, [drives.columns[item.name] for item in module.manifest.inputs])


def drive_by_drive(
    module: LoadedModule, parts: Sequence[tuple[NDArray[Any], list[NDArray[Any]]]], *, end: bool
) -> NDArray[Any]:
    """All fires, one call per drive; `parts` are `Drives.each` with the module's inputs.

    With `end` a drive ends with its last row, as in a backtest; else heartbeats follow until the pause counts as a gap.
    """
    machine = Machine(module)
    found = []
    for t_ns, columns in parts:
        found.append(machine.run(t_ns, columns))
        if end:
            machine.end_drive()
    return np.concatenate(found)


def inputs(module: LoadedModule) -> list[str]:
    """Names of the module's inputs, in their order."""
    return [item.name for item in module.manifest.inputs]


def said(times_ns: NDArray[np.int64]) -> str:
    """Fires as something to be compared and shown: how many, and a digest of their times."""
    times = np.ascontiguousarray(times_ns, np.int64)
    return f"{len(times)} fires, SHA-256 {hashlib.sha256(times.tobytes()).hexdigest()}"
