"""The signal columns of a recorded drive as arrays of numbers, NaN where there is no new sample.

A float64 column without nulls is not copied. Messages name the column; the caller adds the name of the file.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from triggers.errors import InvalidInput
from triggers.signals.catalog import Signal

Numbers = NDArray[np.float64]

_NO_SAMPLE = pa.scalar(float("nan"))
_FLOAT64 = pa.float64()


def numbers(column: Any, name: str, signal: Signal) -> Numbers | None:
    """A column as numbers: bools as 0 and 1, text as the index of its value, NaN where there is no sample.

    None for a column of only nulls. Raises InvalidInput if the column cannot hold the signal.
    """
    if column.null_count == len(column):
        _check_type(column.type, name, signal)
        return None
    if column.type != _FLOAT64:
        column = _as_floats(column, name, signal)
    if column.null_count:
        column = pc.fill_null(column, _NO_SAMPLE)
    result: Numbers = column.to_numpy()
    return result


def _as_floats(column: Any, name: str, signal: Signal) -> Any:
    if pa.types.is_dictionary(column.type):
        column = _from_dictionary(column, name, signal)
    elif _is_text(column.type):
        column = _indexes(column, name, signal)
    else:
        _check_type(column.type, name, signal)
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())  # twice as fast as a direct cast
    return column.cast(_FLOAT64, safe=False)


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _check_type(kind: Any, name: str, signal: Signal) -> None:
    """Raise InvalidInput if columns of this type cannot hold the signal."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if _is_text(kind):
        if signal.type != "text":
            raise InvalidInput(f"column `{name}` holds text, but its signal has the type {signal.type}")
    elif not (
        pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind)
    ):
        raise InvalidInput(f"column `{name}` has the type {kind}, which is not numeric")


def _indexes(column: Any, name: str, signal: Signal) -> Any:
    """Strings as indexes of the signal's values; null stays null."""
    _check_type(column.type, name, signal)
    if pa.types.is_string_view(column.type):
        column = column.cast(pa.large_string())
    indexes = pc.index_in(column, value_set=pa.array(signal.values, column.type))
    if indexes.null_count != column.null_count:
        _refuse_text(pc.filter(column, pc.and_(indexes.is_null(), column.is_valid()))[0], name)
    return indexes


def _from_dictionary(column: Any, name: str, signal: Signal) -> Any:
    """Look up each value of the dictionary once; values that are not used by any row may be anything."""
    if not _is_text(column.type.value_type):
        return _checked(column.dictionary_decode(), name, signal)
    _check_type(column.type, name, signal)
    words = column.dictionary
    if pa.types.is_string_view(words.type):
        words = words.cast(pa.large_string())
    indexes = pc.index_in(words, value_set=pa.array(signal.values, words.type)).take(column.indices)
    if indexes.null_count != column.null_count:
        unknown_texts = pc.filter(column.indices, pc.and_(indexes.is_null(), column.indices.is_valid()))
        texts = words.take(unknown_texts).drop_null()
        if len(texts):
            _refuse_text(texts[0], name)
    return indexes


def _checked(column: Any, name: str, signal: Signal) -> Any:
    _check_type(column.type, name, signal)
    return column


def _refuse_text(text: Any, name: str) -> None:
    raise InvalidInput(
        f'column `{name}` holds "{text.as_buffer().to_pybytes().decode("utf-8", "replace")[:50]}"',
        remedy="add it to the signal's `values` in the signal catalog",
    )
