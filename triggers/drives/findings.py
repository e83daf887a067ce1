"""Findings of the reader of a drive: samples that are unknown or replaced and rows that are merged, each counted.

Nothing that a file holds is left out or changed in silence: what the reader cannot take as it is, it counts here by
column and problem, with the first row and value, for the report of a backtest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from triggers.signals.objects import MAX_CARRIED_OBJECTS

NOT_BOOL = "neither 0 nor 1"
NOT_A_VALUE = "not among the signal's `values`"
NOT_AN_INDEX = "not an index of the signal's `values`"
NOT_EXACT = "more digits than a float64 holds"
DECLARED_INVALID = "declared `invalid`"
OUT_OF_RANGE = "outside the signal's `min` to `max`"
KEY_NOT_WHOLE = "a key that is not a whole number"
KEY_TOO_LARGE = "a key beyond the integers of 64 bits, signed"
KEY_ROUNDED = "a key that its column of floats need not hold exactly"
TOO_MANY_OBJECTS = f"beyond the {MAX_CARRIED_OBJECTS:,} objects that a sample may have"
NO_SLOT = "objects beyond the list's `max`, or with a key that came before in the sample"
REPLACED = "replaced by a sample of the same time in a later row"
MERGED = "the same time as the row before: merged with it"
NO_UNIX_TIME = "a time before 2000, as that of a clock which begins at 0"

REMEDIES: Mapping[str, str] = {
    NOT_BOOL: "they count as unknown; declare the signal as a number, or write null where it is not known",
    NOT_A_VALUE: "they count as unknown; add them to the signal's `values` in the signal catalog",
    NOT_AN_INDEX: "they count as unknown; an index is a whole number from 0 on",
    NOT_EXACT: "they count as unknown, because rounded they would be other numbers; split such identifiers into parts",
    DECLARED_INVALID: "they count as unknown, as the signal catalog says",
    OUT_OF_RANGE: "they count as unknown; correct the range, or `scale` and `offset`, if these values can occur",
    KEY_NOT_WHOLE: "these objects are left out; write keys as int64",
    KEY_TOO_LARGE: "these objects are left out; write keys as int64, such as the bits of an uint64 read as one",
    KEY_ROUNDED: "these objects are left out, because rounded keys would make one object of two; write keys as int64",
    TOO_MANY_OBJECTS: "these objects are left out; a list of objects is not made for point clouds",
    NO_SLOT: "programs leave these objects out; raise the list's `max`, and give each object of a sample its own key",
    REPLACED: "only the last sample of a time counts",
    MERGED: "write times finer if these rows are of different times",
    NO_UNIX_TIME: "`solar_time` and `sun_elevation` are unknown there; write Unix times",
}
"""What becomes of the samples or rows with each problem, and what to do."""


class Notes(Protocol):
    """What takes findings: those of a drive, or on their way to these."""

    def note(self, column: str, problem: str, count: int, row: int, value: object = "") -> None:
        """Count more samples of a column with a problem; `row` is the first of them."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem of a column: how many samples or rows have it, and the first of them (row from 0, value as text)."""

    column: str
    problem: str
    count: int
    row: int
    value: str = ""

    def __str__(self) -> str:
        example = f" ({self.value})" if self.value else ""
        return f"column `{self.column}`: {self.count} x {self.problem}, first in row {self.row}{example}"


@dataclass(slots=True)
class Findings:
    """The findings of one drive, by column and problem."""

    _by_key: dict[tuple[str, str], Finding] = field(default_factory=dict)

    def note(self, column: str, problem: str, count: int, row: int, value: object = "") -> None:
        """Count more samples of a column with a problem; `row` is the first of them."""
        if not count:
            return
        known = self._by_key.get((column, problem))
        if known is None:
            known = Finding(column, problem, 0, row, str(value)[:50])
        self._by_key[column, problem] = replace(known, count=known.count + count)

    def all(self) -> tuple[Finding, ...]:
        """All findings, in the order of columns and problems."""
        return tuple(self._by_key[key] for key in sorted(self._by_key))


@dataclass(frozen=True, slots=True)
class SummedFinding:
    """A finding over several drives: samples or rows in all, drives that have it, and where the first one is."""

    column: str
    problem: str
    count: int
    drives: int
    first_drive: str
    row: int
    value: str

    @property
    def remedy(self) -> str:
        """What became of them, and what to do."""
        return REMEDIES[self.problem]


def summed(drives: Iterable[tuple[str, Iterable[Finding]]]) -> tuple[SummedFinding, ...]:
    """Findings of several drives (the drive's name with its findings), added up by column and problem."""
    sums: dict[tuple[str, str], SummedFinding] = {}
    for name, findings in drives:
        for found in findings:
            key = (found.column, found.problem)
            known = sums.get(key) or SummedFinding(*key, 0, 0, name, found.row, found.value)
            sums[key] = replace(known, count=known.count + found.count, drives=known.drives + 1)
    return tuple(sums[key] for key in sorted(sums))
