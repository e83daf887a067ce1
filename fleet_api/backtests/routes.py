"""Routes for backtests: the drives to choose from, beginning one, its progress and results, and ending one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from fleet_api.backtests import usecases
from fleet_api.http.auth import Caller
from fleet_api.http.bodies import MIB, json_body
from fleet_api.http.routing import CatalogRoute
from fleet_api.http.services import Use
from ingest.http.raising import raises
from triggers.contracts.api.backtests.answers import (
    DEFAULT_FIRES_PAGE,
    MAX_FIRES_PAGE,
    BacktestFires,
    BacktestList,
    BacktestPage,
    BacktestView,
    DriveList,
)
from triggers.contracts.api.backtests.requests import MAX_PROGRAMS, BacktestRequest
from triggers.contracts.api.backtests.signals import DEFAULT_POINTS, MAX_POINTS, SignalsView
from triggers.errors import Conflict, NotFound, Overloaded, TooMany
from triggers.language.rows import MAX_T_NS

MAX_BODY_BYTES = 16 * MIB
MAX_NAMES_CHARACTERS = 8000

router = APIRouter(prefix="/v1", tags=["backtests"], route_class=CatalogRoute)

_Program = Annotated[int, Query(ge=0, lt=MAX_PROGRAMS, description="Which of the programs, from 0.")]
_Moment = Annotated[int, Query(ge=0, le=MAX_T_NS, description="In ns of the drive's clock.")]


@router.get("/drives", summary="List the recorded drives")
def list_drives(services: Use, user: Caller) -> DriveList:
    """The recorded drives that the deployment offers for backtests."""
    return usecases.list_drives(services, user)


@router.post("/backtests", status_code=201, summary="Begin a backtest")
@raises(NotFound, TooMany)
def create_backtest(
    services: Use,
    user: Caller,
    body: Annotated[BacktestRequest, json_body(BacktestRequest, limit_bytes=MAX_BODY_BYTES)],
) -> BacktestView:
    """Run one or two programs over recorded drives or catalogued clips, as vehicles would have run them.

    The answer comes at once; the backtest waits for its turn and runs in the background. Each user has one at a time.
    A text with mistakes fails it, with its diagnostics.
    """
    return usecases.create_backtest(services, user, body)


@router.get("/backtests", summary="List your backtests")
def list_backtests(services: Use, user: Caller) -> BacktestList:
    """Your own backtests, the newest first, with their progress."""
    return usecases.list_backtests(services, user)


@router.get("/backtests/{backtest_id}", summary="Show a backtest")
@raises(NotFound, TooMany, Overloaded)
def show_backtest(services: Use, user: Caller, backtest_id: str) -> BacktestPage:
    """How far a backtest is, and once it is done what each program gave and what two do differently."""
    return usecases.show_backtest(services, user, backtest_id)


@router.get("/backtests/{backtest_id}/fires", summary="List the fires of a backtest")
@raises(NotFound, Conflict)
def show_fires(
    services: Use,
    user: Caller,
    backtest_id: str,
    *,
    program: _Program = 0,
    drive: Annotated[str | None, Query(max_length=1000, description="Only those on this drive.")] = None,
    trigger: Annotated[str | None, Query(max_length=64, description="Only those of this trigger.")] = None,
    position: Annotated[int, Query(ge=0, le=2**53, description="`next` of the previous page.")] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_FIRES_PAGE, description="Fires per page.")] = DEFAULT_FIRES_PAGE,
) -> BacktestFires:
    """The fires of a program by drive and time, with the clips that vehicles would have made of them."""
    return usecases.show_fires(
        services, user, backtest_id, program=program, drive=drive, trigger=trigger, position=position, limit=limit
    )


@router.get("/backtests/{backtest_id}/signals", summary="Show signals of a backtest")
@raises(NotFound, Conflict, TooMany, Overloaded)
def show_signals(
    services: Use,
    user: Caller,
    backtest_id: str,
    *,
    drive: Annotated[str, Query(max_length=1000, description="A drive or clip that it ran over.")],
    from_ns: _Moment,
    to_ns: _Moment,
    program: _Program = 0,
    names: Annotated[
        str | None,
        Query(
            max_length=MAX_NAMES_CHARACTERS,
            description="Signals, separated by commas; without any, those that the program reads.",
        ),
    ] = None,
    points: Annotated[int, Query(ge=10, le=MAX_POINTS, description="The most samples of each.")] = DEFAULT_POINTS,
) -> SignalsView:
    """Signals of a drive or clip around a moment, such as a fire: of more samples than `points`, lows and highs."""
    return usecases.show_signals(
        services,
        user,
        backtest_id,
        program=program,
        drive=drive,
        from_ns=from_ns,
        to_ns=to_ns,
        names=() if names is None else tuple(names.split(",")),
        points=points,
    )


@router.delete("/backtests/{backtest_id}", summary="End a backtest")
@raises(NotFound)
def remove_backtest(services: Use, user: Caller, backtest_id: str) -> BacktestView:
    """End a backtest that is not over, and forget its results. The answer is what it was."""
    return usecases.remove_backtest(services, user, backtest_id)
