"""Lists of objects as hosts give them: checked against what programs and clips expect, and in their fields' units.

A host may be wrong, or somebody else's: what is not a list of objects with these fields is refused with the row's time,
and what is one has at most MAX_CARRIED_OBJECTS objects.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import Any

from triggers.errors import InvalidInput
from triggers.language.rows import Row
from triggers.signals.catalog import SignalCatalog
from triggers.signals.objects import MAX_CARRIED_OBJECTS, MAX_KEY, MIN_KEY, ObjectList, ObjectSample, held_sample
from triggers.signals.raw import RawForm


@dataclass(frozen=True)
class ListForms:
    """How the raw samples of one list are read: keys that are none, and the fields whose values are looked at."""

    invalid_keys: frozenset[int]
    fields: tuple[tuple[int, str, RawForm], ...]
    """Place among the values of an object, name in counts, and form."""

    @classmethod
    def of(cls, name: str, declared: ObjectList, *, is_raw: bool) -> ListForms | None:
        """Those of a list; None if every sample is taken as it is."""
        forms = [(place, field, declared.fields[field].raw_form) for place, field in enumerate(declared.value_fields)]
        if not is_raw:
            forms = [(place, field, form.of_converted) for place, field, form in forms]
        fields = tuple(
            (place, f"{name}.{field}", form) for place, field, form in forms if form.states or not form.is_plain
        )
        keys = declared.fields[declared.key].invalid_keys if is_raw else frozenset()
        return cls(keys, fields) if keys or fields else None

    def read(self, sample: ObjectSample, refused: Counter[str]) -> ObjectSample:
        """A sample without the objects of invalid keys, in its fields' units; `refused` counts values that are none."""
        kept = [place for place, key in enumerate(sample.keys) if key not in self.invalid_keys]
        return ObjectSample(
            tuple(sample.keys[place] for place in kept),
            tuple(self._values(sample.values[place], refused) for place in kept),
        )

    def _values(self, values: tuple[float, ...], refused: Counter[str]) -> tuple[float, ...]:
        read = list(values)
        for place, name, form in self.fields:
            read[place], is_refused = form.value(read[place])
            if is_refused:
                refused[name] += 1
        return tuple(read)


class Lists:
    """The lists of objects that rows may have, by the catalog, the programs and the clips of one vehicle."""

    def __init__(self, catalog: SignalCatalog | None) -> None:
        declared = catalog.objects if catalog else {}
        self._declared = {name: each.names for name, each in declared.items()}
        self._before = self._expected = dict(self._declared)
        self.raw = _forms(declared, is_raw=True)
        """How raw samples are read."""
        self.in_units = _forms(declared, is_raw=False)
        """How samples are read that are in their fields' units."""

    def expect(self, lists: Mapping[str, tuple[str, ...]]) -> None:
        """From now on, rows have these lists of objects besides those of the catalog: key and value fields of each."""
        self._before, self._expected = self._expected, {**lists, **self._declared}

    def still(self, row: Row) -> Row:
        """A row that came before the latest `expect`, without the lists that it has with other fields."""
        found = row.objects.keys() & self._expected.keys()
        others = {
            name
            for name in found
            if self._before.get(name, self._expected[name]) != self._expected[name]
            or _problem(row.objects[name], self._expected[name]) is not None
        }
        if not others:
            return row
        return replace(row, objects={name: each for name, each in row.objects.items() if name not in others})

    def held(self, row: Row, refused: Counter[str]) -> Mapping[str, ObjectSample]:
        """The lists of a row, with the numbers of expected ones as a float64 holds them; `refused` counts the others.

        Raises InvalidInput if a sample of an expected list is not a list of objects with its fields.
        """
        held = dict(row.objects)
        for name in row.objects.keys() & self._expected.keys():
            names = self._expected[name]
            problem = _problem(row.objects[name], names)
            if problem is not None:
                raise InvalidInput(
                    f"row at {row.t_ns} ns: the list `{name}` {problem}",
                    remedy="give an ObjectSample: for each object an integer of 64 bits, and a number per field",
                )
            held[name] = held_sample(row.objects[name], [f"{name}.{field}" for field in names[1:]], refused)
        return held


def _forms(declared: Mapping[str, ObjectList], *, is_raw: bool) -> dict[str, ListForms]:
    forms = {name: ListForms.of(name, each, is_raw=is_raw) for name, each in declared.items()}
    return {name: form for name, form in forms.items() if form is not None}


def _problem(sample: Any, names: tuple[str, ...]) -> str | None:
    """What is wrong with a sample of a list with this key and these value fields."""
    if not isinstance(sample, ObjectSample):
        return f"is of the type {type(sample).__name__}"
    if not all(isinstance(part, tuple) for part in (sample.keys, sample.values, *sample.values)):
        return "is not made of tuples"
    if len(sample.keys) > MAX_CARRIED_OBJECTS:
        return f"has {len(sample.keys):,} objects, more than {MAX_CARRIED_OBJECTS:,}"
    if len(sample.keys) != len(sample.values):
        return f"has {len(sample.keys)} keys and the values of {len(sample.values)} objects"
    for key, values in zip(sample.keys, sample.values, strict=True):
        if (type(key) is not int and not _is_integer(key)) or not MIN_KEY <= key <= MAX_KEY:
            return f"has the key {str(key)[:40]}, which is not an integer of 64 bits, signed"
        if len(values) != len(names) - 1:
            fields = ", ".join(names[1:])[:200] or "no fields but the key"
            return f"has an object with {len(values)} values, and its fields are {fields}"
        if not all(type(value) is float or isinstance(value, Real) for value in values):
            return f"has values of the object {key} that are not numbers"
    return None


def _is_integer(key: Any) -> bool:
    return isinstance(key, Integral) and not isinstance(key, bool)
