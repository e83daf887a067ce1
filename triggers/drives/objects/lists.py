"""Lists of objects in recorded drives: a column of lists of structs, read as arrays without a step per object.

A null list is no sample, and an empty one a sample without objects. A null struct, and one without a key, is no object;
a field that the structs lack is null in all objects. Values are read as those of signals are (see `columns`), keys by
`keys`. Findings are counted under the column and the field, `tracked.x`, at the row of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from triggers.drives.columns import ColumnReader, Numbers, check_type
from triggers.drives.findings import TOO_MANY_OBJECTS, Notes
from triggers.drives.objects.keys import KeyReader, Mask, check_key_type
from triggers.errors import InvalidInput
from triggers.signals.object_columns import ObjectColumn, starts_of
from triggers.signals.objects import MAX_CARRIED_OBJECTS, ObjectList


class ObjectReader(Protocol):
    """Reads the samples of one list."""

    def objects(self, record_batch: Any, first_row: int) -> ObjectColumn | None:
        """The samples in a batch, whose first row is this one of the file; None: there are none."""

    def row_bytes(self, record_batch: Any) -> NDArray[np.int64]:
        """What the arrays of each row's objects take at most."""


@dataclass(frozen=True)
class Structs:
    """The column of a list of objects in a file."""

    column: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that hold the list."""
        return (self.column,)

    def check(self, declared: ObjectList, kind_of: Callable[[str], Any]) -> None:
        """Raise InvalidInput if a column of this type cannot hold the list."""
        check_list_type(kind_of(self.column), self.column, declared)

    def reader(self, declared: ObjectList, findings: Notes, *, is_raw: bool = True) -> StructsReader:
        """A reader of the list."""
        return StructsReader(self.column, declared, findings, is_raw=is_raw)

    def leaves(self, declared: ObjectList, paths: Iterable[str]) -> list[str]:
        """Of the paths of a Parquet file's columns, those of the list's fields, whatever its writer called the rest."""
        names = {name for field, keys in declared.fields.items() for name in (field, keys.column) if name is not None}
        ends = tuple(f".{name}" for name in names)
        return [path for path in paths if path.startswith(f"{self.column}.") and path.endswith(ends)]


class StructsReader:
    """Reads a column of lists of structs as one list of objects."""

    def __init__(self, column: str, declared: ObjectList, findings: Notes, *, is_raw: bool = True) -> None:
        """`is_raw`: the structs have raw values (see `triggers.signals.raw`), and not values in the fields' units."""
        self._column = column
        self._declared = declared
        self._findings = findings
        self._rows = _RowsOfObjects(findings)
        self._is_raw = is_raw
        self._structs: Any = None
        """The type of the structs that the readers are for: clips that are read one after the other differ in it."""
        self._names: dict[str, str] = {}

    def objects(self, record_batch: Any, first_row: int) -> ObjectColumn | None:
        """The samples in a batch, whose first row is this one of the file; None: there are none."""
        column = record_batch.column(self._column)
        check_list_type(column.type, self._column, self._declared)
        if column.null_count == len(column):
            return None
        is_sample = column.is_valid().to_numpy(zero_copy_only=False)
        structs = column.flatten()  # without those under a null list
        starts = starts_of(_counts(column))
        structs, starts = self._without_surplus(structs, starts, first_row)
        self._rows.at(starts, first_row)
        if pa.types.is_null(structs.type):  # lists of nulls, or all lists are empty
            return self._without_objects(is_sample)
        if self._structs is None or not self._structs.equals(structs.type):
            self._open(structs.type)
        keys, are_objects = self._keys(structs)
        if are_objects is not None:
            structs, keys = structs.filter(pa.array(are_objects)), keys[are_objects]
            starts = np.concatenate(([0], np.cumsum(are_objects)))[starts]
            self._rows.at(starts, first_row)
        values = tuple(self._numbers(structs, field) for field in self._declared.value_fields)
        return ObjectColumn(starts, is_sample, keys, values)

    def row_bytes(self, record_batch: Any) -> NDArray[np.int64]:
        """What the arrays of each row's objects take: a key and all fields, also those that the structs lack."""
        counts = _counts(record_batch.column(self._column))
        bytes_of_rows: NDArray[np.int64] = np.minimum(counts, MAX_CARRIED_OBJECTS) * object_bytes(self._declared)
        return bytes_of_rows

    def _open(self, structs: Any) -> None:
        """Make the readers of the fields that structs of this type have."""
        key = self._declared.key
        names = struct_names(self._declared, [field.name for field in structs])
        full = {field: f"{self._column}.{name}" for field, name in names.items()}
        self._structs, self._names = structs, names
        self._key = KeyReader(full[key], self._declared.fields[key], self._rows, is_raw=self._is_raw)
        self._values = {
            field: ColumnReader(full[field], self._declared.fields[field], self._rows, is_raw=self._is_raw)
            for field in self._declared.value_fields
            if field in names
        }

    def _without_objects(self, is_sample: NDArray[np.bool_]) -> ObjectColumn:
        column = ObjectColumn.without_samples(len(is_sample), len(self._declared.value_fields))
        return replace(column, is_sample=is_sample)

    def _without_surplus(
        self, structs: Any, starts: NDArray[np.int64], first_row: int
    ) -> tuple[Any, NDArray[np.int64]]:
        """The structs without those beyond what a sample may have, of which there seldom are any."""
        counts = np.diff(starts)
        surplus = np.maximum(counts - MAX_CARRIED_OBJECTS, 0)
        if not surplus.any():
            return structs, starts
        row = int(np.argmax(surplus > 0))
        self._findings.note(self._column, TOO_MANY_OBJECTS, int(surplus.sum()), first_row + row, f"{counts[row]:,}")
        places = np.arange(starts[-1]) - np.repeat(starts[:-1], counts)
        return structs.filter(pa.array(places < MAX_CARRIED_OBJECTS)), starts_of(counts - surplus)

    def _keys(self, structs: Any) -> tuple[NDArray[np.int64], Mask | None]:
        """The keys of the structs, and which of these are objects; None: all are."""
        keys = self._child(structs, self._declared.key)
        if structs.null_count:  # what is under a null struct is nothing that was written
            keys = pc.if_else(structs.is_valid(), keys, pa.scalar(None, keys.type))
        return self._key.keys(keys, 0)

    def _numbers(self, structs: Any, field: str) -> Numbers:
        reader = self._values.get(field)
        numbers = reader.numbers(self._child(structs, field), 0) if reader is not None else None
        return np.full(len(structs), np.nan) if numbers is None else numbers

    def _child(self, structs: Any, field: str) -> Any:
        return structs.field(self._names[field])


def _counts(column: Any) -> NDArray[np.int64]:
    """How many structs each row has."""
    if column.null_count == len(column):  # also a column of the type null
        return np.zeros(len(column), np.int64)
    counts: NDArray[np.int64] = pc.fill_null(pc.list_value_length(column), 0).to_numpy().astype(np.int64)
    return counts


def object_bytes(declared: ObjectList) -> int:
    """What an object takes in arrays: its key and its fields, at 8 bytes each."""
    return 8 * (1 + len(declared.value_fields))


def struct_names(declared: ObjectList, available: Collection[str]) -> dict[str, str]:
    """The name of each field among those that a drive has for an object: its `column`, or else its own, as in clips."""
    names = {}
    for field, keys in declared.fields.items():
        if keys.column is not None and keys.column in available:
            names[field] = keys.column
        elif field in available:
            names[field] = field
    return names


def check_list_type(kind: Any, column: str, declared: ObjectList) -> None:
    """Raise InvalidInput if a column of this type cannot hold the list."""
    if pa.types.is_null(kind):
        return
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    if not is_list or not (pa.types.is_struct(kind.value_type) or pa.types.is_null(kind.value_type)):
        raise InvalidInput(
            f"column `{column}` has the type {str(kind)[:100]}, which is not a list of structs",
            remedy="write one struct per object, or name another `column` of the list in the signal catalog",
        )
    if pa.types.is_null(kind.value_type):
        return
    names = struct_names(declared, [field.name for field in kind.value_type])
    for name in names.values():
        if len(kind.value_type.get_all_field_indices(name)) > 1:
            raise InvalidInput(f"column `{column}` has structs with two fields `{name}`", remedy="rename one of them")
    if declared.key not in names:
        key = declared.fields[declared.key].column or declared.key
        raise InvalidInput(
            f"column `{column}` has structs without the field `{key}`, the key of its objects",
            remedy="write it, or name it as the `column` of the key in the signal catalog",
        )
    for field, name in names.items():
        check_field_type(kind.value_type.field(name).type, f"{column}.{name}", declared, field)


def check_field_type(kind: Any, column: str, declared: ObjectList, field: str) -> None:
    """Raise InvalidInput if a column of this type cannot hold a field of the list's objects."""
    if field == declared.key:
        check_key_type(kind, column)
    else:
        check_type(kind, column, declared.fields[field])


class _RowsOfObjects:
    """Findings about objects, noted at the rows of the file that these are in."""

    def __init__(self, findings: Notes) -> None:
        self._findings = findings
        self._starts = np.zeros(1, np.int64)
        self._first_row = 0

    def at(self, starts: NDArray[np.int64], first_row: int) -> None:
        """From now on, objects are those of the rows that begin at `starts`; the first row is this one of the file."""
        self._starts, self._first_row = starts, first_row

    def note(self, column: str, problem: str, count: int, row: int, value: object = "") -> None:
        """Count more objects with a problem; `row` is the index of the first of them."""
        of_object = int(np.searchsorted(self._starts, row, side="right")) - 1
        self._findings.note(column, problem, count, self._first_row + of_object, value)
