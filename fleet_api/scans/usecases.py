"""Use cases for scans: begin one, show its progress and what it found, list one's own, remove one.

A scan is its user's own: nobody else sees or removes it, but an administrator may.
"""

from __future__ import annotations

from typing import Any

from fleet_api.campaigns.compilation import ConditionText, compile_condition_aside
from fleet_api.scans.views import hit_view, scan_view
from fleet_api.services import Services
from storage import audit
from storage.clips.query import ClipQuery
from storage.jsonb import storable
from storage.scans import hits, jobs, pages
from storage.scans.jobs import NewScan, Scan
from storage.scans.pages import Version
from triggers.contracts.api.scans.answers import ScanList, ScanPage, ScanRequest, ScanState, ScanView
from triggers.contracts.users import Role, User
from triggers.errors import InvalidInput
from triggers.scan.condition import Condition

LOOKED_AT = 100
"""Clips whose catalogs are looked at before a scan begins."""
TRIED_CATALOGS = 4
"""The condition must be right for one of so many; the clips of the others are told as left out."""


def create_scan(services: Services, user: User, request: ScanRequest) -> ScanView:
    """Begin a scan.

    DiagnosticsError when the condition has a mistake, InvalidInput for a filter that cannot be used, Forbidden for one
    of the two that would find out more of a place than the user may see, TooMany while another scan or search of this
    user is not over.
    """
    user.require(Role.VIEWER)
    storable([request.when, request.filter], what="the scan")
    query = ClipQuery.parse(filter_source=request.filter, language=request.filter_lang, limit=LOOKED_AT)
    with services.searches.turn(user.name), services.database.snapshot() as connection:
        sight = services.sight_of(user, connection)
        first = pages.read_page(connection, sight.query(query))
        catalogs = pages.catalogs(connection, wanted := _versions(first.clips))
        if not catalogs:
            catalogs = pages.catalogs(connection, wanted := pages.newest_versions(connection, TRIED_CATALOGS))
    texts = list(dict.fromkeys(catalogs[version] for version in wanted if version in catalogs))
    with services.compilations.turn(user.name):
        condition, warnings = _checked(request.when, texts[:TRIED_CATALOGS])
    sight.require_condition(condition.signals)
    new = NewScan(request.filter, request.filter_lang, request.when, request.limit, warnings, sight.precise)
    with services.database.begin() as connection:
        scan = jobs.create(connection, new, user_id=user.known_id(), keep_s=services.settings.scan_keep_s)
        after = {"when": request.when, "filter": request.filter}
        audit.record(connection, user, "scan.create", "scan", scan.id, after=after)
    return scan_view(scan)


def _versions(clips: list[pages.ScannedClip]) -> list[Version]:
    return list(dict.fromkeys(version for clip in clips for version in clip.versions))


def _checked(condition: str, catalogs: list[str]) -> tuple[Condition, list[dict[str, Any]]]:
    """The condition, compiled, and the compiler's warnings: by the first catalog for which it is right.

    The first one's mistakes if it is right for none.
    """
    if not catalogs:
        raise InvalidInput("there is no campaign, and so no signal catalog by which a condition could be read")
    first: InvalidInput | None = None
    for catalog in catalogs:
        try:
            return compile_condition_aside(ConditionText(condition, catalog))
        except InvalidInput as error:
            first = first or error
    raise first or AssertionError("at least one catalog was tried")


def _own(user: User) -> int | None:
    """Whose scans the user may see: None for those of all."""
    return None if user.is_admin else user.known_id()


def show_scan(services: Services, user: User, scan_id: str, *, position: int, limit: int) -> ScanPage:
    """A scan with a page of its hits, from `position` on; NotFound when it is not this user's."""
    user.require(Role.VIEWER)
    with services.database.snapshot() as connection:
        scan = jobs.get(connection, scan_id, user_id=_own(user))
        found = hits.page(connection, scan_id, position=position, limit=limit + 1)
    page, shown = found[:limit], scan_view(scan)
    is_last = len(found) <= limit and shown.state in (ScanState.DONE, ScanState.FAILED)
    following = page[-1].number + 1 if page else position
    return ScanPage(scan=shown, hits=[hit_view(each) for each in page], next=None if is_last else following)


def list_scans(services: Services, user: User) -> ScanList:
    """The user's own scans, the newest first."""
    user.require(Role.VIEWER)
    with services.database.snapshot() as connection:
        return ScanList(scans=[scan_view(scan) for scan in jobs.list_of(connection, user.known_id())])


def remove_scan(services: Services, user: User, scan_id: str) -> ScanView:
    """End a scan if it is not over, and forget what it found; NotFound when it is not this user's."""
    user.require(Role.VIEWER)
    with services.database.begin() as connection:
        scan: Scan = jobs.get(connection, scan_id, user_id=_own(user))
        jobs.remove(connection, scan_id)
        audit.record(connection, user, "scan.remove", "scan", scan_id, before={"when": scan.condition})
    return scan_view(scan)
