"""The keys of objects in recorded drives as int64, exactly: an object whose key would be another one is left out.

Null and NaN are no key, and a key that the catalog declares `invalid` is none either. A fraction, an integer beyond
int64, and a float so large that another integer may have been rounded to it are counted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from triggers.drives.findings import KEY_NOT_WHOLE, KEY_ROUNDED, KEY_TOO_LARGE, Notes
from triggers.errors import InvalidInput
from triggers.signals.objects import MAX_KEY, MIN_KEY, ObjectField

Keys = NDArray[np.int64]
Mask = NDArray[np.bool_]
_EXACT = {pa.float16(): 1 << 11, pa.float32(): 1 << 24, pa.float64(): 1 << 53}
"""Below this size every integer is one of these floats, and none was rounded; this one may have been the next."""


class KeyReader:
    """Reads a column, or a field of structs, as keys, from the first batch of a file to the last."""

    def __init__(self, name: str, declared: ObjectField, findings: Notes, *, is_raw: bool = True) -> None:
        """`name` is that of the column in findings; `is_raw`: some of its values may be declared `invalid`."""
        self._name = name
        self._findings = findings
        invalid = declared.invalid_keys if is_raw else frozenset()
        self._invalid = np.array([key for key in invalid if MIN_KEY <= key <= MAX_KEY], np.int64)
        self._invalid_unsigned = np.array([key for key in invalid if MAX_KEY < key < 1 << 64], np.uint64)

    def keys(self, column: Any, first_row: int) -> tuple[Keys, Mask | None]:
        """The keys, and which of them are some; None: all are. `first_row` is the row of the first one in the file."""
        check_key_type(column.type, self._name)
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        if pa.types.is_null(column.type):
            return np.zeros(len(column), np.int64), np.zeros(len(column), np.bool_)
        if pa.types.is_floating(column.type):
            keys, are_keys = self._of_floats(column, first_row)
        else:
            keys, are_keys = self._of_integers(column, first_row)
        if len(self._invalid):
            declared = ~np.isin(keys, self._invalid)
            are_keys = declared if are_keys is None else are_keys & declared
        return keys, are_keys

    def _of_integers(self, column: Any, first_row: int) -> tuple[Keys, Mask | None]:
        are_keys = None
        if column.null_count:
            are_keys = column.is_valid().to_numpy(zero_copy_only=False)
            column = pc.fill_null(column, pa.scalar(0, column.type))
        if column.type != pa.uint64():
            return column.cast(pa.int64()).to_numpy(), are_keys
        unsigned = column.to_numpy()
        are_large = unsigned > MAX_KEY
        if are_large.any():
            self._note(are_large & ~np.isin(unsigned, self._invalid_unsigned), KEY_TOO_LARGE, unsigned, first_row)
            are_keys = ~are_large if are_keys is None else are_keys & ~are_large
        return unsigned.astype(np.int64), are_keys

    def _of_floats(self, column: Any, first_row: int) -> tuple[Keys, Mask | None]:
        numbers = column.cast(pa.float64()).to_numpy(zero_copy_only=False)  # NaN for null
        are_fractions = (np.floor(numbers) != numbers) & ~np.isnan(numbers)
        are_fractions |= np.isinf(numbers)
        are_large = (np.abs(numbers) >= _EXACT[column.type]) & ~are_fractions
        self._note(are_fractions, KEY_NOT_WHOLE, numbers, first_row)
        self._note(are_large, KEY_ROUNDED, numbers, first_row)
        are_keys = ~(np.isnan(numbers) | are_fractions | are_large)
        if are_keys.all():
            return numbers.astype(np.int64), None
        return np.where(are_keys, numbers, 0).astype(np.int64), are_keys

    def _note(self, are_bad: Mask, problem: str, numbers: NDArray[Any], first_row: int) -> None:
        if are_bad.any():
            first = int(np.argmax(are_bad))
            self._findings.note(self._name, problem, int(are_bad.sum()), first_row + first, numbers[first])


def check_key_type(kind: Any, name: str) -> None:
    """Raise InvalidInput if columns of this type cannot hold keys."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind)):
        raise InvalidInput(
            f"column `{name}` has the type {str(kind)[:100]}, which cannot be the key of objects",
            remedy="write keys as int64; number texts, or take 64 bits of their hash",
        )
