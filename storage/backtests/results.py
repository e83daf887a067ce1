"""The results of backtests: of each program its report and its fires, as compressed documents."""

from __future__ import annotations

import zlib

from sqlalchemy import Connection, delete, insert, select

from storage.backtests.jobs import Backtest
from storage.tables import backtest_results

_c = backtest_results.c


def write(connection: Connection, backtest: Backtest, program: int, *, result: bytes, fires: bytes) -> None:
    """Keep what a program gave, two JSON documents; what an earlier attempt has left is replaced."""
    connection.execute(delete(backtest_results).where(_c.backtest_id == backtest.id, _c.program == program))
    row = {"result": zlib.compress(result), "fires": zlib.compress(fires)}
    connection.execute(insert(backtest_results).values(backtest_id=backtest.id, program=program, **row))


def results_of(connection: Connection, backtest_id: str) -> list[bytes]:
    """The results of a backtest's programs, in their order; empty while it is not done."""
    rows = connection.execute(select(_c.result).where(_c.backtest_id == backtest_id).order_by(_c.program))
    return [zlib.decompress(data) for data in rows.scalars()]


def fires_of(connection: Connection, backtest_id: str) -> list[bytes]:
    """The fires of a backtest's programs, in their order."""
    rows = connection.execute(select(_c.fires).where(_c.backtest_id == backtest_id).order_by(_c.program))
    return [zlib.decompress(data) for data in rows.scalars()]
