"""Use cases for backtests: list drives, begin one, show its progress, results, fires and signals, list and remove.

A backtest is its user's own: nobody else sees or removes it, but an administrator may.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pydantic_core import from_json

from fleet_api.backtest_processes.offered import limits_of_look
from fleet_api.backtest_processes.start import Aside
from fleet_api.backtest_processes.tasks import Compiled, Program, Ran, SignalsAnswer, SignalsTask
from fleet_api.backtests import views
from fleet_api.backtests.folders import work_folder
from fleet_api.backtests.inputs import ClipFetcher, Inputs
from fleet_api.backtests.run import sight_of_job, sight_of_program
from fleet_api.services import Services
from fleet_api.signal_catalogs.texts import catalog_text
from storage.backtests import jobs, results
from storage.backtests.jobs import Backtest, NewBacktest, ProgramText
from storage.campaigns import queries
from storage.clips.positions import Sight
from storage.clips.query import ClipQuery
from storage.costs import price_books
from storage.database import Connection
from storage.jsonb import storable
from triggers.contracts.api.backtests.answers import (
    BacktestFires,
    BacktestFireView,
    BacktestList,
    BacktestPage,
    BacktestView,
    DriveList,
    ProgramComparisonView,
)
from triggers.contracts.api.backtests.requests import BacktestRequest, Over, ProgramRequest
from triggers.contracts.api.backtests.signals import MAX_SIGNALS_SHOWN, MAX_SPAN_NS, MissingSeriesView, SignalsView
from triggers.contracts.api.labels import JobState
from triggers.contracts.users import Role, User
from triggers.errors import Conflict, InvalidInput, NotFound


def list_drives(services: Services, user: User) -> DriveList:
    """The recorded drives that there are to choose from."""
    user.require(Role.AUTHOR)
    return services.offered_drives.list()


def create_backtest(services: Services, user: User, request: BacktestRequest) -> BacktestView:
    """Begin a backtest.

    NotFound for a drive, a catalog or a campaign's version that does not exist, Forbidden for an author's own catalog
    where others are published, InvalidInput for a filter that cannot be used, TooMany while another backtest of this
    user is not over.
    """
    user.require(Role.AUTHOR)
    names = [
        {
            "filename": None if each.source is None else each.filename,
            "campaign": each.campaign,
            "version": each.version,
            "sweep": each.sweep,
        }
        for each in request.programs
    ]
    over = request.over.model_dump(mode="json")
    storable([names, over], what="the backtest")
    if request.over.drives is not None:
        services.offered_drives.given(request.over.drives)
    texts = [replace(_text(services, each), sweep=each.sweep, breakdown=request.breakdown) for each in request.programs]
    for number, text in enumerate(texts):
        storable([text.filename, text.source, text.signals], what=f"program {number}")
    with services.database.snapshot() as connection:
        sight = services.sight_of(user, connection)
    if (clips := request.over.clips) is not None:
        sight.query(ClipQuery.parse(filter_source=clips.filter, language=clips.filter_lang))
    new = NewBacktest(names, texts, over, request.fleet.model_dump(mode="json"), sight.precise)
    with services.database.begin() as connection:
        backtest = jobs.create(connection, new, user_id=user.known_id(), keep_s=services.settings.backtest_keep_s)
    return views.backtest_view(backtest)


def _text(services: Services, request: ProgramRequest) -> ProgramText:
    if request.source is not None:
        signals = catalog_text(services, signals=request.signals, catalog=request.catalog)
        return ProgramText(request.filename, request.source, signals)
    assert request.campaign is not None and request.version is not None  # noqa: S101 - it has one of both
    with services.database.snapshot() as connection:
        content = queries.get_content(connection, request.campaign, request.version)
    return ProgramText(f"{request.campaign} version {request.version}", content.source, content.signal_catalog)


def _own(user: User) -> int | None:
    """Whose backtests the user may see: None for those of all."""
    return None if user.is_admin else user.known_id()


def list_backtests(services: Services, user: User) -> BacktestList:
    """The user's own backtests, the newest first."""
    user.require(Role.AUTHOR)
    with services.database.snapshot() as connection:
        found = jobs.list_of(connection, user.known_id())
    return BacktestList(backtests=[views.backtest_view(each) for each in found])


def show_backtest(services: Services, user: User, backtest_id: str) -> BacktestPage:
    """A backtest, with its results once it is done; NotFound when it is not this user's.

    TooMany while another question of this user about results is not answered.
    """
    user.require(Role.AUTHOR)
    with services.database.snapshot() as connection:
        backtest = jobs.get(connection, backtest_id, user_id=_own(user))
        if backtest.state != JobState.DONE:
            return BacktestPage(backtest=views.backtest_view(backtest), results=[], comparison=None)
    with services.backtest_pages.turn(user.name), services.database.snapshot() as connection:
        given = [
            (Ran.model_validate_json(each.document), each.fires) for each in results.results_of(connection, backtest_id)
        ]
        compared = results.comparison_of(connection, backtest_id)
        newest = price_books.newest(connection)
        book = None if newest is None else (newest.version, price_books.find(connection, newest.version)[1])
        today = datetime.now(UTC).date()
        return BacktestPage(
            backtest=views.backtest_view(backtest),
            results=[views.result_view(ran, fires, book=book, today=today) for ran, fires in given],
            comparison=None if compared is None else ProgramComparisonView.model_validate_json(compared),
        )


def show_fires(
    services: Services,
    user: User,
    backtest_id: str,
    *,
    program: int,
    drive: str | None,
    trigger: str | None,
    position: int,
    limit: int,
) -> BacktestFires:
    """A page of a program's fires, from `position` on; NotFound as in `show_backtest`."""
    user.require(Role.AUTHOR)
    with services.database.snapshot() as connection:
        _done(connection, user, backtest_id, program)
        shown: list[BacktestFireView] = []
        for part in results.fires_of(connection, backtest_id, program, position):
            for fire in from_json(part):
                if fire["number"] < position or drive not in (None, fire["drive"]):
                    continue
                if trigger not in (None, fire["trigger"]):
                    continue
                if len(shown) == limit:
                    return BacktestFires(fires=shown, next=fire["number"])
                shown.append(BacktestFireView.model_validate(fire))
    return BacktestFires(fires=shown, next=None)


def _done(connection: Connection, user: User, backtest_id: str, program: int) -> Backtest:
    """A backtest that is done; Conflict while it is not, NotFound for a program that it has not."""
    backtest = jobs.get(connection, backtest_id, user_id=_own(user))
    if program >= len(backtest.names):
        raise NotFound(f"the backtest has no program {program}", remedy=f"it has {len(backtest.names)}, from 0")
    if backtest.state != JobState.DONE:
        raise Conflict(f"the backtest has no results: it is {backtest.state}", remedy="wait until it is done")
    return backtest


def show_signals(
    services: Services,
    user: User,
    backtest_id: str,
    *,
    program: int,
    drive: str,
    from_ns: int,
    to_ns: int,
    names: Sequence[str],
    points: int,
) -> SignalsView:
    """Signals of a drive or clip that a backtest ran over, from a moment to another.

    NotFound for a drive that it did not run over or that is not there any more, InvalidInput for one that cannot be
    read or a time that cannot be meant; Forbidden for a program that reads positions when the user sees none any more;
    TooMany while another question of this user is not answered.
    """
    user.require(Role.AUTHOR)
    if not from_ns < to_ns <= from_ns + MAX_SPAN_NS:
        raise InvalidInput(
            f"from_ns {from_ns} to to_ns {to_ns} is no time that is shown",
            remedy=f"give a time of more than 0 and at most {MAX_SPAN_NS} ns",
        )
    if len(names) > MAX_SIGNALS_SHOWN:
        raise InvalidInput(f"{len(names)} signals are named", remedy=f"name at most {MAX_SIGNALS_SHOWN}")
    with services.drive_looks.turn(user.name), work_folder(services.settings) as folder:
        with services.database.snapshot() as connection:
            backtest = _done(connection, user, backtest_id, program)
            text = jobs.texts(connection, backtest_id)[program]
            ran = Ran.model_validate_json(results.results_of(connection, backtest_id)[program].document)
        if drive not in {each.drive for each in ran.report.by_drive}:
            raise NotFound(f"the backtest did not run over {drive[:100]!r}")
        sight = _sight_now(services, user, backtest)
        withheld = [name for name in names if not sight.precise and sight.is_position(name)]
        inputs = _inputs_of(services, backtest, drive, folder)
        task = SignalsTask(
            Program(text.filename, text.source, text.signals),
            inputs.drives[0] if inputs.drives else None,
            inputs.clips_in(folder / "written", at_most_bytes=services.settings.backtest_bytes),
            from_ns,
            to_ns,
            tuple(name for name in dict.fromkeys(names) if name not in withheld),
            points,
        )
        answer, sight = _looked(services, task, sight)
    withheld += [each.name for each in answer.series if not sight.precise and sight.is_position(each.name)]
    missing = [*answer.missing, *(MissingSeriesView(name=name, problem=_WITHHELD) for name in withheld)]
    return SignalsView(
        drive=drive,
        first_ns=answer.first_ns,
        from_ns=from_ns,
        to_ns=to_ns,
        series=[each for each in answer.series if each.name not in withheld],
        missing=missing,
    )


def _sight_now(services: Services, user: User, backtest: Backtest) -> Sight:
    """What the user sees of a backtest: no more than now, and no more than when it was begun."""
    with services.database.snapshot() as connection:
        now = services.sight_of(user, connection)
    return sight_of_job(backtest, services.database, services.positions) if now.precise else now


def _looked(services: Services, task: SignalsTask, sight: Sight) -> tuple[SignalsAnswer, Sight]:
    """The answer, and what the user sees by the program's catalog; Forbidden as in `sight_of_program`."""
    with Aside(task, limits_of_look(services.settings)) as aside:
        while not isinstance(said := aside.said(), SignalsAnswer):
            if isinstance(said, Compiled):
                sight = sight_of_program(sight, said)
        return said, sight


_WITHHELD = "it is a position, and you see place cells only"


def _inputs_of(services: Services, backtest: Backtest, drive: str, folder: Path) -> Inputs:
    """The file of a drive, or of a clip's signals, which are fetched."""
    over = Over.model_validate(backtest.over, strict=False)
    if over.drives is not None:
        return Inputs.of_drives(services.offered_drives.given([drive]))
    sight = sight_of_job(backtest, services.database, services.positions)
    fetcher = ClipFetcher(services.database, services.store, sight)
    clip = fetcher.one(drive)
    fetched = folder / "clips"
    fetched.mkdir()
    return Inputs(
        (), (fetcher.fetch(clip, fetched, lambda: None),), fetched, fetcher.catalogs([clip]), clip.signals_bytes
    )


def remove_backtest(services: Services, user: User, backtest_id: str) -> BacktestView:
    """End a backtest if it is not over, and forget its results; NotFound when it is not this user's."""
    user.require(Role.AUTHOR)
    with services.database.begin() as connection:
        backtest = jobs.get(connection, backtest_id, user_id=_own(user))
        jobs.remove(connection, backtest_id)
    return views.backtest_view(backtest)
