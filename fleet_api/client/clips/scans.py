"""Scans: searches by what happened, begun, followed while they run, and ended."""

from __future__ import annotations

import builtins
import time
from collections.abc import Callable, Iterator

from fleet_api.client.transport import Transport, path_of, request_of
from triggers.contracts.api.scans.answers import ScanHitView, ScanList, ScanPage, ScanRequest, ScanState, ScanView
from triggers.errors import LongtailError

PAGE = 1000
FIRST_POLL_S = 0.1
LONGEST_POLL_S = 1.0


class Scans:
    """What `client.scans` can do."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def begin(self, when: str, *, filter_text: str | None = None, limit: int | None = None) -> ScanView:
        """Begin to look for the clips (of those that the CQL2 text admits) in which a condition became true.

        `limit`: end once so many were found. DiagnosticsError when the condition has a mistake, TooMany while another
        scan of yours is not over.
        """
        body = request_of(ScanRequest, when=when, filter=filter_text, limit=limit)
        return self._transport.post(ScanView, path_of("scans"), body)

    def page(self, scan_id: str, *, position: int = 0, limit: int = PAGE) -> ScanPage:
        """How far a scan is, and a page of what it has found so far."""
        return self._transport.get(ScanPage, path_of("scans", scan_id), {"position": position, "limit": limit})

    def hits(self, scan_id: str, *, progress: Callable[[ScanView], None] = lambda _: None) -> Iterator[ScanHitView]:
        """What a scan finds, as it finds it, until it is over; `progress` is told how far it is.

        LongtailError, with the reason, if the scan cannot go on.
        """
        position: int | None = 0
        pause_s = FIRST_POLL_S
        while position is not None:
            page = self.page(scan_id, position=position)
            progress(page.scan)
            yield from page.hits
            if page.next is not None and not page.hits:
                time.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_POLL_S)
            position = page.next
            if position is None and page.scan.state is ScanState.FAILED:
                raise LongtailError(f"the scan {scan_id} could not go on: {page.scan.reason}")

    def list(self) -> builtins.list[ScanView]:
        """Your own scans, the newest first."""
        return self._transport.get(ScanList, path_of("scans")).scans

    def end(self, scan_id: str) -> ScanView:
        """End a scan that is not over, and forget what it found; the answer is what it was."""
        return self._transport.delete(ScanView, path_of("scans", scan_id), {})
