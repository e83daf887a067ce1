"""A signal catalog in few words, for a model: a line per signal, and what else a trigger file can name of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import isinf

from triggers.signals.catalog import Signal, SignalCatalog
from triggers.signals.objects import ObjectField, ObjectList
from triggers.written_numbers import in_full

MAX_VALUES = 40
"""Values of a text signal that are listed."""


def catalog_lines(catalog: SignalCatalog, names: Iterable[str] | None = None) -> Iterator[str]:
    """The lines of these signals, else of all: name, unit or type, rate, then what else is declared."""
    for name in catalog.signals if names is None else names:
        yield signal_line(name, catalog.signals[name])


def signal_line(name: str, signal: Signal) -> str:
    """One signal.

    >>> signal_line("ego.speed", Signal(unit="m/s", rate=50, min=0, describe="Of the wheels."))
    'ego.speed: number in m/s, 50 Hz, at least 0. Of the wheels.'
    """
    facts = [_kind(signal), *_timing(signal), *_ranges(signal)]
    if signal.derived is not None:
        facts.append(f"derived: {' '.join(signal.derived.split())}")
    about = f". {' '.join(signal.describe.split())}" if signal.describe else ""
    return f"{name}: {', '.join(facts)}{about}"


def other_lines(catalog: SignalCatalog) -> Iterator[str]:
    """What a trigger file can name beside signals, and what limits its programs."""
    yield from (list_line(name, objects) for name, objects in catalog.objects.items())
    if catalog.heads:
        yield f"Heads (active and shadow): {', '.join(sorted(catalog.heads))}"
    if catalog.position is not None:
        yield f"Position: {catalog.position.latitude}, {catalog.position.longitude}"
    yield f"Cameras: {', '.join(catalog.cameras) or 'none'}"
    attributes = (f"vehicle.{name} ({kind})" for name, kind in catalog.vehicle.items())
    yield f"Attributes of vehicles, for `target`: {', '.join(attributes) or 'none'}"
    limits = f"{catalog.limits.state:,} bytes of state and {catalog.limits.operations:,} operations per tick"
    times = f"a capture of at most {in_full(catalog.buffer)} s; `max_gap` {in_full(catalog.max_gap)} s"
    yield f"Limits of a campaign: {limits}; {times}"


def list_line(name: str, objects: ObjectList) -> str:
    """One list of objects, with its fields.

    >>> fields = {"id": ObjectField(type="id"), "x": ObjectField(unit="m")}
    >>> tracked = ObjectList(max=64, rate=20, key="id", fields=fields)
    >>> list_line("tracked", tracked)
    'List of objects tracked: at most 64, 20 Hz, told apart by id; x: number in m'
    """
    facts = [f"at most {objects.max}", *([] if objects.rate is None else [f"{in_full(objects.rate)} Hz"])]
    fields = "".join(f"; {field}: {_kind(objects.fields[field])}" for field in objects.value_fields)
    return f"List of objects {name}: {', '.join(facts)}, told apart by {objects.key}{fields}"


def _kind(signal: Signal | ObjectField) -> str:
    if signal.type == "text":
        shown = ", ".join(f'"{value}"' for value in signal.values[:MAX_VALUES])
        left = len(signal.values) - MAX_VALUES
        return f"text, one of {shown}" + (f" and {left} more" if left > 0 else "")
    if signal.type == "bool":
        return "bool"
    return f"number in {signal.unit}" if signal.unit else "number without a unit"


def _timing(signal: Signal) -> Iterator[str]:
    if signal.update == "on_change":
        yield "on change"
    elif signal.rate is not None:
        yield f"{in_full(signal.rate)} Hz"
    elif signal.derived is None:
        yield "no rate"
    if signal.max_age is not None:
        yield f"valid for {in_full(signal.max_age)} s"


def _ranges(signal: Signal) -> Iterator[str]:
    if signal.min is not None and signal.max is not None:
        yield f"{in_full(signal.min)} to {in_full(signal.max)}"
    elif signal.min is not None:
        yield f"at least {in_full(signal.min)}"
    elif signal.max is not None:
        yield f"at most {in_full(signal.max)}"
    for colour, (low, high) in signal.limits.items():
        if isinf(low):
            yield f"{colour} above {in_full(high)}"
        elif isinf(high):
            yield f"{colour} below {in_full(low)}"
        else:
            yield f"{colour} outside {in_full(low)} to {in_full(high)}"
