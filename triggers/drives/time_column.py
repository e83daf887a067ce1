"""The time column of a recorded drive: seconds, timestamps, durations, or integers of a unit that the catalog names.

Messages name the column and the row; the caller adds the name of the file.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from triggers.drives.times import Seconds, TimeColumn, Times, near_to_ns, step_bounds_ns, to_ns_exactly
from triggers.errors import InvalidInput
from triggers.language.rows import MAX_T_NS
from triggers.signals.recordings import TimeKey, TimeUnit
from triggers.times import NS_PER_S

TIME_COLUMN = "t"
"""The column of times, unless the signal catalog names another one that the drive has."""
COARSE_NS = 1_000_000
"""Rows that a type of floats merges because it cannot tell their times apart by this much are refused."""

_END_S = MAX_T_NS / NS_PER_S
_END_NS = float(MAX_T_NS)
_FLOAT64 = pa.float64()
_UNIT_NS: dict[TimeUnit, int] = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": NS_PER_S}
_NARROW = {pa.float16(): np.float16, pa.float32(): np.float32}


class TimeReader:
    """Reads the time column of one file, from its first batch to its last."""

    def __init__(self, name: str, unit: TimeUnit | None) -> None:
        """`unit` is what integers and floats count; None: floats count seconds, and integers are refused."""
        self.name = name
        self._unit: TimeUnit | None = unit

    @classmethod
    def among(cls, columns: Collection[str], declared: TimeKey) -> TimeReader:
        """The reader of the column that the catalog declares, or else of `t` in s, as in extracted clips."""
        if declared.column not in columns and TIME_COLUMN in columns:
            return cls(TIME_COLUMN, None)
        return cls(declared.column, declared.unit)

    def named(self, name: str) -> TimeReader:
        """The reader of another column of such times."""
        return TimeReader(name, self._unit)

    def check_type(self, kind: Any) -> None:
        """Raise InvalidInput if a column of this type cannot hold times."""
        if pa.types.is_integer(kind):
            if self._unit is None:
                raise InvalidInput(
                    f"column `{self.name}` has the type {kind}, and nothing says what it counts",
                    remedy=f"add `time: {{column: {self.name}, unit: ns}}` to the signal catalog (or us, ms, s)",
                )
        elif not (pa.types.is_floating(kind) or pa.types.is_timestamp(kind) or pa.types.is_duration(kind)):
            raise InvalidInput(
                f"column `{self.name}` has the type {str(kind)[:100]}",
                remedy="write seconds as float64 or an Arrow timestamp, or name another column in the signal catalog: "
                "`time: {column: ..., unit: ns}`",
            )

    def times(self, column: Any, first_row: int) -> TimeColumn:
        """A batch in ns; `first_row` is the row of its first time in the file.

        Raises InvalidInput for a value that is not a time >= 0. It does not check that times ascend.
        """
        self.check_type(column.type)
        if column.null_count:
            row = first_row + int(pc.index(column.is_null(), value=True).as_py())
            raise InvalidInput(f"column `{self.name}` is empty in row {row}", remedy="give every row its time")
        if pa.types.is_floating(column.type):
            return self._floats(column, first_row)
        t_ns = self._integers(column)
        self._refuse(t_ns < 0, t_ns, first_row)
        return TimeColumn(t_ns, *step_bounds_ns(t_ns))

    def _floats(self, column: Any, first_row: int) -> TimeColumn:
        counts: Seconds = (column if column.type == _FLOAT64 else column.cast(_FLOAT64)).to_numpy()
        if self._unit in (None, "s"):
            near = near_to_ns(counts)
            if near is None:
                self._refuse(~((counts >= 0) & (counts < _END_S)), counts, first_row)
                t_ns = to_ns_exactly(counts)
                near = TimeColumn(t_ns, *step_bounds_ns(t_ns))
        else:
            ns = counts * _UNIT_NS[self._unit]
            self._refuse(~((ns >= 0) & (ns < _END_NS)), counts, first_row)
            t_ns = np.rint(ns).astype(np.int64)
            near = TimeColumn(t_ns, *step_bounds_ns(t_ns))
        if column.type in _NARROW and near.shortest_step_ns == 0:
            self._refuse_coarse(column, near.t_ns, first_row)
        return near

    def _integers(self, column: Any) -> Times:
        """Integers, timestamps and durations in ns."""
        try:
            if pa.types.is_timestamp(column.type):
                column = column.cast(pa.timestamp("ns", tz=column.type.tz))
            elif pa.types.is_duration(column.type):
                column = column.cast(pa.duration("ns"))
            else:
                column = pc.multiply_checked(column.cast(pa.int64()), _UNIT_NS[self._unit or "s"])
        except pa.ArrowInvalid as error:
            raise InvalidInput(
                f"column `{self.name}` has a time that does not fit an int64 of nanoseconds ({str(error)[:100]})",
                remedy="check the unit of the column",
            ) from error
        t_ns: Times = column.view(pa.int64()).to_numpy()
        return t_ns

    def _refuse(self, are_bad: NDArray[np.bool_], counts: Seconds | Times, first_row: int) -> None:
        if are_bad.any():
            row = int(np.argmax(are_bad))
            raise InvalidInput(
                f"column `{self.name}` has no valid time in row {first_row + row}: {counts[row]}",
                remedy="a time counts from 0 up to 2^63 ns",
            )

    def _refuse_coarse(self, column: Any, t_ns: Times, first_row: int) -> None:
        """Raise InvalidInput where rows have one time because the type of the column is too coarse for them."""
        row = int(np.flatnonzero(np.diff(t_ns) == 0)[0]) + 1
        narrow = np.spacing(column.to_numpy(zero_copy_only=False)[row].astype(_NARROW[column.type]))
        spacing_ns = float(narrow) * _UNIT_NS[self._unit or "s"]
        if spacing_ns >= COARSE_NS / 2:
            raise InvalidInput(
                f"column `{self.name}` is {column.type}, which cannot tell the time of row {first_row + row} from the "
                f"one before: there its steps are {spacing_ns / NS_PER_S:.3g} s",
                remedy="write seconds as float64, or an Arrow timestamp",
            )
