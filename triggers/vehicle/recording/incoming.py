"""Incoming samples of a vehicle that has the signal catalog: raw ones in their signals' units, and none out of range.

This is the one place on a vehicle where raw values become values in a signal's unit; programs, ring buffer and clips
have only the latter. It does what the reader of recorded drives does, by the same `triggers.signals.raw`. With or
without a catalog, a list of objects that is none is refused here, before anything has taken its row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from triggers.language.rows import Row
from triggers.signals.catalog import SignalCatalog
from triggers.signals.raw import RawForm, held_or_refused
from triggers.vehicle.recording.lists import ListForms, Lists


class Incoming:
    """Reads the rows of one vehicle, and counts the samples that their signals cannot have, which are unknown."""

    def __init__(self, catalog: SignalCatalog | None) -> None:
        """Without a catalog rows are taken as they are, but for numbers in lists that a float64 cannot hold."""
        forms = {name: signal.raw_form for name, signal in (catalog.signals.items() if catalog else ())}
        self._raw = {name: form for name, form in forms.items() if form.states or not form.is_plain}
        self._in_units = {name: form.of_converted for name, form in forms.items() if form.states or form.is_bounded}
        self._refused: Counter[str] = Counter()
        self._lists = Lists(catalog)

    def expect(self, lists: Mapping[str, tuple[str, ...]]) -> None:
        """From now on, rows have these lists of objects, each with its key and its value fields."""
        self._lists.expect(lists)

    def still(self, row: Row) -> Row:
        """A row that was read before the latest `expect`, without the lists that it has with other fields."""
        return self._lists.still(row)

    def from_raw(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Rows of raw samples: converted, and with those that their signals cannot have infinite.

        Raises InvalidInput for a list that is none.
        """
        return self._read(rows, self._raw, self._lists.raw)

    def in_units(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Rows of samples in their signals' units, with those that they cannot have infinite.

        Raises InvalidInput for a list that is none.
        """
        return self._read(rows, self._in_units, self._lists.in_units)

    def take_refused(self) -> list[tuple[str, int]]:
        """The signals with samples that they cannot have, and how many since the last call."""
        refused, self._refused = sorted(self._refused.items()), Counter()
        return refused

    def _read(
        self, rows: Iterable[Row], forms: Mapping[str, RawForm], of_lists: Mapping[str, ListForms]
    ) -> Iterator[Row]:
        return (self._row(row, forms, of_lists) for row in rows)

    def _row(self, row: Row, forms: Mapping[str, RawForm], of_lists: Mapping[str, ListForms]) -> Row:
        if row.objects:
            row = self._with_objects(row, of_lists)
        found = forms.keys() & row.samples.keys()
        if not found:
            return row
        samples = dict(row.samples)
        for name in found:
            held, is_rounded = held_or_refused(samples[name])
            samples[name], is_refused = forms[name].value(held)
            if is_refused or is_rounded:
                self._refused[name] += 1
        return replace(row, samples=samples)

    def _with_objects(self, row: Row, of_lists: Mapping[str, ListForms]) -> Row:
        objects = dict(self._lists.held(row, self._refused))
        for name in of_lists.keys() & objects.keys():
            objects[name] = of_lists[name].read(objects[name], self._refused)
        return replace(row, objects=objects)
