"""Incoming samples of a vehicle that has the signal catalog: raw ones in their signals' units, and none out of range.

This is the one place on a vehicle where raw values become values in a signal's unit; programs, ring buffer and clips
have only the latter. It does what the reader of recorded drives does, by the same `triggers.signals.raw`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from triggers.language.rows import Row
from triggers.signals.catalog import SignalCatalog
from triggers.signals.raw import RawForm, held_exactly


class Incoming:
    """Reads the rows of one vehicle, and counts the samples that their signals cannot have, which are unknown."""

    def __init__(self, catalog: SignalCatalog | None) -> None:
        """Without a catalog rows are taken as they are."""
        forms = {name: signal.raw_form for name, signal in (catalog.signals.items() if catalog else ())}
        self._raw = {name: form for name, form in forms.items() if form.states or not form.is_plain}
        self._in_units = {name: form.of_converted for name, form in forms.items() if form.states or form.is_bounded}
        self._refused: Counter[str] = Counter()

    def from_raw(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Rows of raw samples: converted, and with those that their signals cannot have infinite."""
        return self._read(rows, self._raw)

    def in_units(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Rows of samples in their signals' units, with those that they cannot have infinite."""
        return self._read(rows, self._in_units)

    def take_refused(self) -> list[tuple[str, int]]:
        """The signals with samples that they cannot have, and how many since the last call."""
        refused, self._refused = sorted(self._refused.items()), Counter()
        return refused

    def _read(self, rows: Iterable[Row], forms: Mapping[str, RawForm]) -> Iterator[Row]:
        return (self._row(row, forms) for row in rows) if forms else iter(rows)

    def _row(self, row: Row, forms: Mapping[str, RawForm]) -> Row:
        found = forms.keys() & row.samples.keys()
        if not found:
            return row
        samples = dict(row.samples)
        for name in found:
            samples[name], is_refused = forms[name].value(held_exactly(samples[name]))
            if is_refused:
                self._refused[name] += 1
        return Row(row.t_ns, samples)
