"""Lists of objects in drives that have a column per field of each place of the list: `tracked.0.x`, `tracked.1.x`, ...

A row in which any of these columns has a value is a sample of the list; one in which all are null (or NaN) is none, so
a sample without objects cannot be told here, and a list of structs can. A place without a key has no object, whatever
its other columns say. Objects are in the order of the places. A place may lack fields, but not its key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triggers.drives.columns import ColumnReader, Numbers
from triggers.drives.findings import Notes
from triggers.drives.objects.keys import KeyReader
from triggers.drives.objects.lists import Structs, check_field_type, object_bytes, struct_names
from triggers.errors import InvalidInput
from triggers.signals.object_columns import ObjectColumn, starts_of
from triggers.signals.objects import MAX_CARRIED_OBJECTS, ObjectList

_PLACE = re.compile(r"(0|[1-9][0-9]{0,3})\.(.+)", re.ASCII | re.DOTALL)


@dataclass(frozen=True)
class Places:
    """The columns of a list: by place, in ascending order, the column of each field that the place has."""

    prefix: str
    places: Mapping[int, Mapping[str, str]]

    @classmethod
    def found(cls, prefix: str, declared: ObjectList, columns: Iterable[str]) -> Places | None:
        """The places whose columns begin with a prefix; None if there are none."""
        places: dict[int, list[str]] = {}
        for column in columns:
            match = _PLACE.fullmatch(column[len(prefix) + 1 :]) if column.startswith(f"{prefix}.") else None
            if match and int(match[1]) < MAX_CARRIED_OBJECTS:
                places.setdefault(int(match[1]), []).append(match[2])
        found = {
            place: {field: f"{prefix}.{place}.{name}" for field, name in struct_names(declared, names).items()}
            for place, names in sorted(places.items())
        }
        found = {place: fields for place, fields in found.items() if fields}
        return cls(prefix, found) if found else None

    @property
    def column(self) -> str:
        """What its columns have in common, as findings about the whole list name it."""
        return self.prefix

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that hold the list, place by place."""
        return tuple(column for fields in self.places.values() for column in fields.values())

    def reader(self, declared: ObjectList, findings: Notes, *, is_raw: bool = True) -> PlacesReader:
        """A reader of the list."""
        return PlacesReader(self, declared, findings, is_raw=is_raw)

    def leaves(self, _declared: ObjectList, paths: Iterable[str]) -> list[str]:
        """Of the paths of a Parquet file's columns, those of the list's fields."""
        wanted = set(self.columns)
        return [path for path in paths if path in wanted]

    def check(self, declared: ObjectList, kind_of: Callable[[str], Any]) -> None:
        """Raise InvalidInput if columns of these types cannot hold the list, or a place has no key."""
        for place, fields in self.places.items():
            if declared.key not in fields:
                missing = f"{self.prefix}.{place}.{declared.fields[declared.key].column or declared.key}"
                raise InvalidInput(
                    f"has the column `{next(iter(fields.values()))}`, but not the key of that object, `{missing}`",
                    remedy="write the key of each place, or name it as the `column` of the key in the signal catalog",
                )
            for field, column in fields.items():
                check_field_type(kind_of(column), column, declared, field)


def source_of(name: str, declared: ObjectList, columns: Collection[str]) -> Structs | Places | None:
    """What holds a list in a file with these columns: structs go before places, its `column` before its own name."""
    names = list(dict.fromkeys([declared.column or name, name]))
    for column in names:
        if column in columns:
            return Structs(column)
    found = (Places.found(column, declared, columns) for column in names)
    return next((places for places in found if places is not None), None)


class PlacesReader:
    """Reads the columns of all places as one list of objects."""

    def __init__(self, places: Places, declared: ObjectList, findings: Notes, *, is_raw: bool = True) -> None:
        """`is_raw`: the columns have raw values (see `triggers.signals.raw`), and not values in the fields' units."""
        self._fields, self._object_bytes = declared.value_fields, object_bytes(declared)
        self._keys = {
            columns[declared.key]: KeyReader(
                columns[declared.key], declared.fields[declared.key], findings, is_raw=is_raw
            )
            for columns in places.places.values()
        }
        self._values = {
            field: [
                (columns[field], ColumnReader(columns[field], declared.fields[field], findings, is_raw=is_raw))
                if field in columns
                else None
                for columns in places.places.values()
            ]
            for field in self._fields
        }

    def objects(self, record_batch: Any, first_row: int) -> ObjectColumn | None:
        """The samples in a batch, whose first row is this one of the file; None: there are none."""
        rows = record_batch.num_rows
        is_sample = np.zeros(rows, np.bool_)
        keys = np.zeros((rows, len(self._keys)), np.int64)
        are_objects = np.ones((rows, len(self._keys)), np.bool_)
        for place, (name, reader) in enumerate(self._keys.items()):
            column = record_batch.column(name)
            keys[:, place], known = reader.keys(column, first_row)
            if known is None:
                is_sample[:] = True
            else:
                are_objects[:, place] = known
                is_sample |= _has_value(column)
        values = [self._numbers(record_batch, field, first_row, is_sample, are_objects) for field in self._fields]
        if not is_sample.any():
            return None
        return ObjectColumn(starts_of(are_objects.sum(axis=1)), is_sample, keys[are_objects], tuple(values))

    def row_bytes(self, record_batch: Any) -> NDArray[np.int64]:
        """What the arrays of each row's objects take if it has one in every place, as it has while it is read."""
        return np.full(record_batch.num_rows, len(self._keys) * self._object_bytes, np.int64)

    def _numbers(
        self,
        record_batch: Any,
        field: str,
        first_row: int,
        is_sample: NDArray[np.bool_],
        are_objects: NDArray[np.bool_],
    ) -> Numbers:
        """A field of all objects; notes the rows that have a value at any place in `is_sample`."""
        table = np.empty(are_objects.shape, np.float64)
        for place, column in enumerate(self._values[field]):
            numbers = column[1].numbers(record_batch.column(column[0]), first_row) if column else None
            table[:, place] = np.nan if numbers is None else numbers
            if numbers is not None:
                is_sample |= ~np.isnan(numbers)
        return table[are_objects]


def _has_value(column: Any) -> NDArray[np.bool_]:
    """Where a column is neither null nor NaN."""
    is_nothing: NDArray[np.bool_] = column.is_null(nan_is_null=True).to_numpy(zero_copy_only=False)
    return ~is_nothing
