"""One trigger written by hand in Polars and in DuckDB, on one thread each, for drives with every sample in every row.

Both find where the held condition rises: per row, over the rows of one drive, which is what ticks are on such data.
The cooldown, which no table operation knows, is applied after the query to the few rises. Each is the fastest of the
forms that were tried: in Polars one flat table with a flag at drives' beginnings is faster than `.over("drive")`.
DuckDB has two: windows by drive and time, whose result SQL defines, and windows over the table as it lies, which
stream and are several times faster, but give what is meant only because DuckDB happens to keep the order of insertion.
"""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bench.speed.by_hand_numba import HeldComparisons
from bench.speed.made_drives import Drives
from bench.speed.one_thread import pl

_LONG_AGO_NS = -(1 << 62)


def after_cooldown(rises_ns: NDArray[np.int64], cooldown_ns: int) -> NDArray[np.int64]:
    """The rises that fire, hopping from each to the first one after its cooldown."""
    kept = []
    at = 0
    while at < len(rises_ns):
        kept.append(rises_ns[at])
        at = max(at + 1, int(np.searchsorted(rises_ns, rises_ns[at] + cooldown_ns)))
    return np.array(kept, np.int64)


class InPolars:
    """The trigger as one lazy query over a table in memory."""

    def __init__(self, trigger: HeldComparisons, drives: Drives, a: str, b: str) -> None:
        self._trigger = trigger
        self._table = pl.DataFrame({"t": drives.t_ns, "a": drives.columns[a], "b": drives.columns[b]})

    def fires(self) -> NDArray[np.int64]:
        """Times of the fires."""
        trigger, t = self._trigger, pl.col("t")
        begins = t.diff().fill_null(trigger.max_gap_ns + 1) > trigger.max_gap_ns
        holds = (pl.col("a") > trigger.above) & (pl.col("b") < trigger.below)
        starts = pl.col("p") & (~pl.col("p").shift(1, fill_value=False) | pl.col("begins"))
        held = pl.col("p") & (t - pl.when(starts).then(t).forward_fill() >= trigger.hold_ns)
        rises = pl.col("held") & ~pl.col("held").shift(1, fill_value=True) & ~pl.col("begins")
        query = self._table.lazy().with_columns(p=holds, begins=begins).with_columns(held=held).filter(rises)
        found = query.select("t").collect(engine="streaming")
        return after_cooldown(found["t"].to_numpy(), trigger.cooldown_ns)


class InDuckDb:
    """The trigger as one SQL query over a table in memory; `streaming` windows rely on the order of insertion."""

    def __init__(self, trigger: HeldComparisons, drives: Drives, a: str, b: str, *, streaming: bool) -> None:
        self._trigger = trigger
        self._connection = duckdb.connect()
        self._connection.execute("SET threads = 1")
        table = pa.table({"t": drives.t_ns, "drive": drives.number, "a": drives.columns[a], "b": drives.columns[b]})
        self._connection.register("arrow_table", table)
        self._connection.execute("CREATE TABLE rows AS SELECT * FROM arrow_table")
        self._connection.unregister("arrow_table")
        self._query = _streaming_query(trigger) if streaming else _ordered_query(trigger)

    def fires(self) -> NDArray[np.int64]:
        """Times of the fires."""
        found = self._connection.execute(self._query).fetchnumpy()
        return after_cooldown(np.asarray(found["t"], np.int64), self._trigger.cooldown_ns)

    def close(self) -> None:
        """Give the table's memory back."""
        self._connection.close()


def _ordered_query(trigger: HeldComparisons) -> str:
    return f"""
        WITH edges AS (
            SELECT drive, t, a > {trigger.above!r} AND b < {trigger.below!r} AS p,
                NOT lag(a > {trigger.above!r} AND b < {trigger.below!r}, 1, false) OVER (PARTITION BY drive ORDER BY t)
                    AS was_false
            FROM rows
        ), holds AS (
            SELECT drive, t, coalesce(p AND t - max(CASE WHEN p AND was_false THEN t END)
                OVER (PARTITION BY drive ORDER BY t ROWS UNBOUNDED PRECEDING) >= {trigger.hold_ns}, false) AS held
            FROM edges
        ), lagged AS (
            SELECT t, held, lag(held, 1, true) OVER (PARTITION BY drive ORDER BY t) AS was FROM holds
        )
        SELECT t FROM lagged WHERE held AND NOT was ORDER BY t
    """


def _streaming_query(trigger: HeldComparisons) -> str:
    return f"""
        WITH compared AS (
            SELECT t, a > {trigger.above!r} AND b < {trigger.below!r} AS p,
                t - lag(t, 1, {_LONG_AGO_NS}) OVER () > {trigger.max_gap_ns} AS begins
            FROM rows
        ), edges AS (
            SELECT *, p AND (begins OR NOT lag(p, 1, false) OVER ()) AS starts FROM compared
        ), holds AS (
            SELECT t, begins, coalesce(p AND t - max(CASE WHEN starts THEN t END) OVER (ROWS UNBOUNDED PRECEDING)
                >= {trigger.hold_ns}, false) AS held
            FROM edges
        ), lagged AS (
            SELECT *, lag(held, 1, true) OVER () AS was FROM holds
        )
        SELECT t FROM lagged WHERE held AND NOT was AND NOT begins
    """
