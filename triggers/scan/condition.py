"""The condition of a scan, compiled against one signal catalog: a program with a single trigger."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from triggers.language.compile import compile_condition
from triggers.signals.catalog import Signal, SignalCatalog
from triggers.signals.objects import ObjectList

FILENAME = "--when"
"""How messages name the text of a condition."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled condition, with how the signals and lists of objects that it reads are declared."""

    program: bytes
    signals: dict[str, Signal]
    lists: dict[str, ObjectList] = field(default_factory=dict)


def compile_for_scan(source: str, catalog: SignalCatalog) -> tuple[Condition, list[dict[str, Any]]]:
    """Compile a condition; with it the warnings about it.

    DiagnosticsError, with every mistake and its place, if it is not one of this catalog. Its program has the limits of
    a campaign's, so what was found can be asked of vehicles as it is.
    """
    compilation = compile_condition(source, filename=FILENAME, catalog=catalog)
    compilation.require_ok(FILENAME)
    if compilation.triggers is None:
        raise AssertionError("a compilation without mistakes has its triggers")
    read = {item.name for item in compilation.triggers.ir.inputs}
    signals = {name: signal for name, signal in catalog.signals.items() if name in read}
    lists = {name: declared for name, declared in catalog.objects.items() if name in read}
    warnings = [diagnostic.to_json() for diagnostic in compilation.diagnostics]
    return Condition(compilation.triggers.program, signals, lists), warnings
