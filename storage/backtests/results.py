"""The results of backtests: of each program its report and its fires, and how two differ, as compressed documents."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from storage.backtests.jobs import Backtest
from storage.tables import backtest_fires, backtest_results, backtests

PART = 1000
"""Fires that are stored as one document: a page is read without those before it."""
_c = backtest_results.c
_f = backtest_fires.c


@dataclass(frozen=True, slots=True)
class Result:
    """What a program gave, a JSON document, and how many of its fires are kept."""

    document: bytes
    fires: int


def write(connection: Connection, backtest: Backtest, program: int, result: Result, parts: Sequence[bytes]) -> None:
    """Keep what a program gave, with the JSON of each `PART` of its fires; what an earlier attempt left is replaced."""
    for table in (backtest_results, backtest_fires):
        connection.execute(delete(table).where(table.c.backtest_id == backtest.id, table.c.program == program))
    key = {"backtest_id": backtest.id, "program": program}
    row = {"result": zlib.compress(result.document), "fires": result.fires}
    connection.execute(insert(backtest_results).values(**key, **row))
    if parts:
        rows = [{**key, "part": part, "fires": zlib.compress(fires)} for part, fires in enumerate(parts)]
        connection.execute(insert(backtest_fires), rows)


def write_comparison(connection: Connection, backtest: Backtest, comparison: bytes) -> None:
    """Keep what two programs do differently, a JSON document."""
    this = update(backtests).where(backtests.c.id == backtest.id)
    connection.execute(this.values(comparison=zlib.compress(comparison)))


def results_of(connection: Connection, backtest_id: str) -> list[Result]:
    """The results of a backtest's programs, in their order; empty while it is not done."""
    rows = connection.execute(select(_c.result, _c.fires).where(_c.backtest_id == backtest_id).order_by(_c.program))
    return [Result(zlib.decompress(data), fires) for data, fires in rows]


def comparison_of(connection: Connection, backtest_id: str) -> bytes | None:
    """What the two programs of a backtest do differently; None while it is not done, or has one program."""
    stored = connection.execute(select(backtests.c.comparison).where(backtests.c.id == backtest_id)).scalar()
    return None if stored is None else zlib.decompress(stored)


def fires_of(connection: Connection, backtest_id: str, program: int, position: int) -> Iterator[bytes]:
    """The parts of a program's fires, from the one on in which `position` is, each read when it is asked for."""
    part = position // PART
    of_program = select(_f.fires).where(_f.backtest_id == backtest_id, _f.program == program)
    while (stored := connection.execute(of_program.where(_f.part == part)).scalar()) is not None:
        yield zlib.decompress(stored)
        part += 1
