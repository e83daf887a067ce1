"""Routes for scans: beginning one, its progress and what it found, and ending one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from fleet_api.http.auth import Caller
from fleet_api.http.bodies import json_body
from fleet_api.http.routing import CatalogRoute
from fleet_api.http.services import Use
from fleet_api.scans import usecases
from ingest.http.raising import raises
from triggers.contracts.api.scans.answers import (
    DEFAULT_HITS_PAGE,
    MAX_HITS_PAGE,
    ScanList,
    ScanPage,
    ScanRequest,
    ScanView,
)
from triggers.errors import DiagnosticsError

router = APIRouter(prefix="/v1/scans", tags=["scans"], route_class=CatalogRoute)


@router.post("", status_code=201, summary="Begin a scan")
@raises(DiagnosticsError)
def create_scan(services: Use, user: Caller, body: Annotated[ScanRequest, json_body(ScanRequest)]) -> ScanView:
    """Look for what happened: in which clips of a filter a condition of the trigger language became true, and when.

    The answer comes at once; the scan waits for its turn and runs in the background. Each user has one at a time.
    """
    return usecases.create_scan(services, user, body)


@router.get("", summary="List your scans")
def list_scans(services: Use, user: Caller) -> ScanList:
    """Your own scans, the newest first, with their progress."""
    return usecases.list_scans(services, user)


@router.get("/{scan_id}", summary="Show a scan")
def show_scan(
    services: Use,
    user: Caller,
    scan_id: str,
    *,
    position: Annotated[int, Query(ge=0, le=2**53, description="`next` of the previous page.")] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_HITS_PAGE, description="Clips per page.")] = DEFAULT_HITS_PAGE,
) -> ScanPage:
    """How far a scan is, and a page of the clips that it found; they can be read while it runs."""
    return usecases.show_scan(services, user, scan_id, position=position, limit=limit)


@router.delete("/{scan_id}", summary="End a scan")
def remove_scan(services: Use, user: Caller, scan_id: str) -> ScanView:
    """End a scan that is not over, and forget what it found. The answer is what it was."""
    return usecases.remove_scan(services, user, scan_id)
