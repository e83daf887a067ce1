"""The signal columns of a recorded drive as arrays of numbers, NaN where there is no new sample.

Raw values become values in the signal's unit here, by the rule of `triggers.signals.raw`, unless the file has them so
already. A value that is not one of the signal's (a bool of 2, a strange text, an integer that a float64 cannot hold,
one that is declared invalid or out of range) becomes infinite, which means "measured but invalid", and is counted: it
is never taken for another value. A float64 column without nulls is not copied, unless it is converted. Messages name
the column; the caller adds the name of the file.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from triggers.drives.findings import (
    DECLARED_INVALID,
    NOT_A_VALUE,
    NOT_AN_INDEX,
    NOT_BOOL,
    NOT_EXACT,
    OUT_OF_RANGE,
    Notes,
)
from triggers.errors import InvalidInput
from triggers.signals.raw import Declared, RawForm
from triggers.written_numbers import in_full

Numbers = NDArray[np.float64]

_NO_SAMPLE = pa.scalar(float("nan"), pa.float64())
_FEW = 16_384
"""For so few values Arrow's compute functions take longer to call than to run."""
_FLOAT64 = pa.float64()
_EXACT_INTEGERS = 1 << 53
"""A float64 holds every integer up to this size."""
_LARGEST = float(np.finfo(np.float64).max)
_EXPECTED = {
    "number": ("not numeric", "a number in the signal's unit"),
    "bool": ("neither a bool nor numeric", "a bool, or as 0 and 1"),
    "text": ("neither text nor numeric", "text (a string in UTF-8), or as the indexes of the signal's `values`"),
}
"""What a column of another type is not, and how it should be written, by the type of its signal."""
_EXACT_DIGITS = 15
"""A float64 holds every decimal of so many digits: its shortest decimal is the same one."""


class ColumnReader:
    """Reads one column as one signal, from the first batch of a file to the last; counts what it finds on the way.

    A field of objects is read like a signal that has a sample per object.
    """

    def __init__(self, name: str, signal: Declared, findings: Notes, *, is_raw: bool = True) -> None:
        """`is_raw`: the column has raw values (see `triggers.signals.raw`), and not values in the signal's unit."""
        self._name = name
        self._signal = signal
        self._findings = findings
        form = signal.raw_form if is_raw else signal.raw_form.of_converted
        self._form = None if form.is_plain else form
        self._invalid_texts = {value for value in signal.invalid if isinstance(value, str)} if is_raw else set()

    def numbers(self, column: Any, first_row: int) -> Numbers | None:
        """A batch as numbers: bools as 0 and 1, text as the index of its value, NaN where there is no sample.

        `first_row` is the row of the batch's first value in the file. None for a batch of only nulls. Raises
        InvalidInput if the column cannot hold the signal at all.
        """
        if column.null_count == len(column):
            check_type(column.type, self._name, self._signal)
            return None
        if column.type == _FLOAT64 and self._signal.type == "number":  # as clips have them: nothing else can be wrong
            numbers = _floats(column)
            return numbers if self._form is None else self._from_raw(self._form, numbers, first_row)
        check_type(column.type, self._name, self._signal)
        if pa.types.is_dictionary(column.type) and not _is_text(column.type.value_type):
            column = column.dictionary_decode()
        kind = column.type
        if pa.types.is_dictionary(kind) or _is_text(kind):
            return self._indexes(column, first_row)
        numbers = _floats(column)
        if self._form is not None:  # before they are looked at otherwise: what is declared is not strange
            whole = column if pa.types.is_integer(kind) else None
            numbers = self._without_invalid(self._form, numbers, first_row, whole)
        if pa.types.is_decimal(kind):
            numbers = self._exact_decimals(column, numbers, first_row)
        elif kind in (pa.int64(), pa.uint64()):
            numbers = self._exact_integers(column, numbers, first_row)
        return self._of_type(numbers, first_row, is_bool=pa.types.is_boolean(kind))

    def _of_type(self, numbers: Numbers, first_row: int, *, is_bool: bool) -> Numbers:
        """The numbers as values of the signal's type, those that are none invalid; `is_bool`: they were bools."""
        if self._signal.type == "number":
            return numbers if self._form is None else self._in_unit(self._form, numbers, first_row)
        if self._signal.type == "text":
            return self._only(_are_indexes(numbers, len(self._signal.values)), NOT_AN_INDEX, numbers, first_row)
        return numbers if is_bool else self._only(_are_bools(numbers), NOT_BOOL, numbers, first_row)

    def _from_raw(self, form: RawForm, numbers: Numbers, first_row: int) -> Numbers:
        """Raw numbers in the signal's unit."""
        return self._in_unit(form, self._without_invalid(form, numbers, first_row), first_row)

    def _without_invalid(self, form: RawForm, numbers: Numbers, first_row: int, source: Any = None) -> Numbers:
        """The numbers without what is declared invalid; `source` has them as the file does, to be shown."""
        if not form.invalid:
            return numbers
        return self._only(~np.isin(numbers, form.invalid), DECLARED_INVALID, numbers, first_row, source)

    def _in_unit(self, form: RawForm, numbers: Numbers, first_row: int) -> Numbers:
        """Numbers in the signal's unit, of which those that are out of its range, or of a float64's, are invalid."""
        if not (form.converts or form.is_bounded):
            return numbers
        with np.errstate(over="ignore"):
            converted = form.in_unit(numbers) if form.converts else numbers
        are_outside = (converted < max(form.low, -_LARGEST)) | (converted > min(form.high, _LARGEST))
        if not are_outside.any():
            return converted
        are_outside &= np.isfinite(numbers)
        return self._only(~are_outside, OUT_OF_RANGE, converted, first_row)

    def _indexes(self, column: Any, first_row: int) -> Numbers:
        """Texts as indexes of the signal's values; each text of a dictionary is looked up once."""
        is_dictionary = pa.types.is_dictionary(column.type)
        words = column.dictionary if is_dictionary else column
        if pa.types.is_string_view(words.type):
            words = words.cast(pa.large_string())
        indexes = pc.index_in(words, value_set=pa.array(self._signal.values, words.type))
        is_text = words.is_valid()
        if is_dictionary:
            indexes, is_text = indexes.take(column.indices), pc.fill_null(is_text.take(column.indices), False)
        numbers = _floats(indexes)
        if not indexes.null_count:
            return numbers
        strange = np.flatnonzero(np.isnan(numbers) & is_text.to_numpy(zero_copy_only=False))
        if not len(strange):
            return numbers
        texts = column if is_dictionary else words
        if self._invalid_texts:
            is_declared = [texts[row].as_py() in self._invalid_texts for row in strange.tolist()]
            declared, strange = strange[is_declared], strange[np.logical_not(is_declared)]
            if len(declared):
                shown = _shown(_text_at(texts, int(declared[0])))
                numbers = self._invalid(declared, DECLARED_INVALID, numbers, first_row, shown)
            if not len(strange):
                return numbers
        return self._invalid(strange, NOT_A_VALUE, numbers, first_row, _shown(_text_at(texts, int(strange[0]))))

    def _exact_integers(self, column: Any, numbers: Numbers, first_row: int) -> Numbers:
        bounds = pc.min_max(column).as_py()
        if bounds["min"] >= -_EXACT_INTEGERS and bounds["max"] <= _EXACT_INTEGERS:
            return numbers
        integers = pc.fill_null(column, 0).to_numpy()
        end = float(np.iinfo(integers.dtype).max)  # rounds up to a power of two, which no integer of the type reaches
        held = np.nan_to_num(numbers)
        is_below = held < end
        is_exact = is_below & (np.where(is_below, held, 0).astype(integers.dtype) == integers)
        is_exact |= np.isinf(numbers)  # declared invalid
        return self._only(is_exact, NOT_EXACT, numbers, first_row, column)

    def _exact_decimals(self, column: Any, numbers: Numbers, first_row: int) -> Numbers:
        if column.type.precision <= _EXACT_DIGITS:
            return numbers
        is_exact = ~(np.abs(numbers) >= 10.0 ** (_EXACT_DIGITS - column.type.scale)) | np.isinf(numbers)
        for row in np.flatnonzero(~is_exact).tolist():
            number = float(numbers[row])
            is_exact[row] = column[row].as_py() in (Decimal(number), Decimal(repr(number)))
        return self._only(is_exact, NOT_EXACT, numbers, first_row, column)

    def _only(
        self, are_good: NDArray[np.bool_] | None, problem: str, numbers: Numbers, first_row: int, source: Any = None
    ) -> Numbers:
        """The numbers with those that are not good made invalid; None: all are."""
        if are_good is None or are_good.all():
            return numbers
        bad = np.flatnonzero(~are_good)
        first = int(bad[0])
        value = source[first].as_py() if source is not None else in_full(float(numbers[first]))
        return self._invalid(bad, problem, numbers, first_row, value)

    def _invalid(self, rows: NDArray[Any], problem: str, numbers: Numbers, first_row: int, value: object) -> Numbers:
        self._findings.note(self._name, problem, len(rows), first_row + int(rows[0]), value)
        numbers = numbers.copy()
        numbers[rows] = np.inf
        return numbers


def check_type(kind: Any, name: str, signal: Declared) -> None:
    """Raise InvalidInput if columns of this type cannot hold the signal."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if _is_text(kind):
        if signal.type != "text":
            raise InvalidInput(
                f"column `{name}` holds text, but its signal has the type {signal.type}",
                remedy="declare the signal as `type: text` with its `values`, or name another `column`",
            )
    elif not (
        pa.types.is_floating(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_null(kind)
    ):
        what, form = _EXPECTED.get(signal.type, _EXPECTED["number"])
        raise InvalidInput(
            f"column `{name}` has the type {str(kind)[:100]}, which is {what}",
            remedy=f"write it as {form}, or name another `column` in the signal catalog",
        )


def _floats(column: Any) -> Numbers:
    """A column of numbers or bools as float64, NaN for null; integers and decimals are rounded to the nearest."""
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())  # twice as fast as a direct cast
    elif pa.types.is_decimal(column.type):
        column = column.cast(pa.string())  # Arrow's direct cast rounds twice: 0.3 would become 0.30000000000000004
    if column.type != _FLOAT64:
        column = column.cast(_FLOAT64, safe=False)
    if column.null_count and len(column) > _FEW:
        column = pc.fill_null(column, _NO_SAMPLE)
    result: Numbers = column.to_numpy(zero_copy_only=False)  # NaN for null
    return result


def _are_bools(numbers: Numbers) -> NDArray[np.bool_] | None:
    """Which numbers are 0, 1 or not finite; None if all are."""
    with np.errstate(over="ignore"):
        differ = numbers * numbers != numbers  # also for NaN and -inf, which are looked at again below
    return ~(differ & (np.abs(numbers) < np.inf)) if differ.any() else None


def _are_indexes(numbers: Numbers, count: int) -> NDArray[np.bool_]:
    """Which numbers are whole, from 0 to `count` - 1, or not finite."""
    are_indexes: NDArray[np.bool_] = (numbers >= 0) & (numbers < count) & (np.floor(numbers) == numbers)
    return are_indexes | ~np.isfinite(numbers)


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _text_at(texts: Any, row: int) -> Any:
    """The text of a row, of a column of texts or of a dictionary of them."""
    return texts.dictionary[texts.indices[row].as_py()] if pa.types.is_dictionary(texts.type) else texts[row]


def _shown(text: Any) -> str:
    data: bytes = text.as_buffer().to_pybytes()
    return '"' + data.decode("utf-8", "replace")[:50] + '"'
