"""Columns of a recorded drive as arrays: times in ns, numbers with NaN where there is no new sample.

No copy is made of a float64 column without nulls. Messages name the column; the caller, which knows it, adds the file.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from triggers.catalog import Signal
from triggers.contracts.base import NS_PER_S
from triggers.errors import InvalidInput
from triggers.language.rows import MAX_T_NS

TIME_COLUMN = "t"

Times = NDArray[np.int64]
Numbers = NDArray[np.float64]
T = TypeVar("T", np.int64, np.float64)

_NO_SAMPLE = pa.scalar(float("nan"))
_END_S = MAX_T_NS / NS_PER_S
_FLOAT64 = pa.float64()
_NEAR_NS = float(1 << 51)
"""Below this (26 days) a double plus _ROUNDER has the nearest integer, half-even, in its lowest bits."""
_ROUNDER = 1.5 * (1 << 52)
_ROUNDER_BITS = np.float64(_ROUNDER).view(np.int64)


def times(column: Any, first_row: int) -> Times:
    """The time column in ns, seconds rounded half-even; `first_row` is the row of its first time in the file.

    Raises InvalidInput for what is no time from 0 on; that times ascend is not checked here.
    """
    if column.null_count:
        row = first_row + int(pc.index(column.is_null(), value=True).as_py())
        raise InvalidInput(f"column `{TIME_COLUMN}` is empty in row {row}")
    if pa.types.is_timestamp(column.type):
        t_ns = _timestamps(column)
        bad = np.flatnonzero(t_ns < 0)
    elif pa.types.is_floating(column.type):
        seconds = (column if column.type == _FLOAT64 else column.cast(_FLOAT64)).to_numpy()
        near = _near_to_ns(seconds)
        if near is not None:
            return near
        bad = np.flatnonzero(~((seconds >= 0) & (seconds < _END_S)))
        t_ns = _to_ns_exactly(seconds) if not len(bad) else np.empty(0, np.int64)
    else:
        raise InvalidInput(
            f"column `{TIME_COLUMN}` has the type {column.type}",
            remedy="write seconds as float64 or an Arrow timestamp",
        )
    if len(bad):
        raise InvalidInput(f"column `{TIME_COLUMN}` has no time >= 0 in row {first_row + bad[0]}")
    return t_ns


def _timestamps(column: Any) -> Times:
    try:
        in_ns = column.cast(pa.timestamp("ns", tz=column.type.tz))
    except pa.ArrowInvalid as error:
        raise InvalidInput(
            f"column `{TIME_COLUMN}` has a time that no int64 holds in nanoseconds ({str(error)[:100]})"
        ) from error
    t_ns: Times = in_ns.view(pa.int64()).to_numpy()
    return t_ns


def to_ns(seconds: Numbers) -> Times:
    """Seconds (from 0 to 2^63 ns) to ns, rounded half-even as if computed exactly."""
    near = _near_to_ns(seconds)
    return _to_ns_exactly(seconds) if near is None else near


def _near_to_ns(seconds: Numbers) -> Times | None:
    """The same for times within 26 days; None if there are others, or what is no time."""
    if not len(seconds):
        return np.empty(0, np.int64)
    with np.errstate(over="ignore", invalid="ignore"):
        product = np.multiply(seconds, 1e9, out=uninitialised(len(seconds), np.float64))
    largest = product.max()
    if not (largest < _NEAR_NS and product.min() >= 0):
        return None
    rounded = np.add(product, _ROUNDER, out=uninitialised(len(seconds), np.float64))
    t_ns = np.subtract(rounded.view(np.int64), _ROUNDER_BITS, out=uninitialised(len(seconds), np.int64))
    rounded -= _ROUNDER
    product -= rounded
    clear = 0.5 - np.spacing(largest)  # closer to an integer than this the product's own rounding cannot matter
    if product.max() > clear or product.min() < -clear:
        near_tie = np.flatnonzero(np.abs(product) > clear)
        t_ns[near_tie] = _to_ns_exactly(seconds[near_tie])
    return t_ns


def uninitialised(length: int, dtype: type[T]) -> NDArray[T]:
    """An array of 8-byte numbers from Arrow's memory pool.

    The pool keeps what was freed at hand; the C library gives arrays of a batch's size back to the system and gets
    them anew, page by page, for each batch, which takes longer than all arithmetic on them.
    """
    return np.frombuffer(pa.allocate_buffer(8 * length), dtype)


def _to_ns_exactly(seconds: Numbers) -> Times:
    whole = np.floor(seconds)
    scaled = (seconds - whole) * 1e9  # the difference is exact, the product is off by at most 1e-7
    near_tie = np.abs(scaled - np.floor(scaled) - 0.5) < 1e-6
    t_ns = whole.astype(np.int64) * NS_PER_S + np.rint(scaled).astype(np.int64)
    for index in np.flatnonzero(near_tie):
        t_ns[index] = round(Fraction(float(seconds[index])) * NS_PER_S)
    return t_ns


def numbers(column: Any, name: str, signal: Signal) -> Numbers | None:
    """A column as numbers: bools 0 and 1, texts the index of their value, NaN where there is no sample.

    None for a column of nulls alone. Raises InvalidInput where the column cannot carry the signal.
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
        column = column.cast(pa.uint8())  # twice as fast by this way
    return column.cast(_FLOAT64, safe=False)


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _check_type(kind: Any, name: str, signal: Signal) -> None:
    """InvalidInput where columns of this type cannot carry the signal."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if _is_text(kind):
        if signal.type != "text":
            raise InvalidInput(f"column `{name}` holds texts, but its signal is a {signal.type}")
    elif not (
        pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind)
    ):
        raise InvalidInput(f"column `{name}` has the type {kind}, which is no number")


def _indexes(column: Any, name: str, signal: Signal) -> Any:
    """Texts as indexes of the signal's values; null stays null."""
    _check_type(column.type, name, signal)
    if pa.types.is_string_view(column.type):
        column = column.cast(pa.large_string())
    indexes = pc.index_in(column, value_set=pa.array(signal.values, column.type))
    if indexes.null_count != column.null_count:
        _refuse_text(pc.filter(column, pc.and_(indexes.is_null(), column.is_valid()))[0], name)
    return indexes


def _from_dictionary(column: Any, name: str, signal: Signal) -> Any:
    """Looks each value of the dictionary up once; values that no row has may be anything."""
    if not _is_text(column.type.value_type):
        return _checked(column.dictionary_decode(), name, signal)
    _check_type(column.type, name, signal)
    words = column.dictionary
    if pa.types.is_string_view(words.type):
        words = words.cast(pa.large_string())
    indexes = pc.index_in(words, value_set=pa.array(signal.values, words.type)).take(column.indices)
    if indexes.null_count != column.null_count:
        strangers = pc.filter(column.indices, pc.and_(indexes.is_null(), column.indices.is_valid()))
        found = words.take(strangers).drop_null()
        if len(found):
            _refuse_text(found[0], name)
    return indexes


def _checked(column: Any, name: str, signal: Signal) -> Any:
    _check_type(column.type, name, signal)
    return column


def _refuse_text(text: Any, name: str) -> None:
    raise InvalidInput(
        f'column `{name}` holds "{text.as_buffer().to_pybytes().decode("utf-8", "replace")[:50]}"',
        remedy="add it to the signal's `values` in the signal catalog",
    )
