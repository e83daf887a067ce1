"""The recorded drives that a deployment offers: found in their folder by a process, and remembered for a while."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from fleet_api.backtest_processes.start import answer_of
from fleet_api.backtest_processes.tasks import GivenDrive, Limits, ListAnswer, ListTask
from storage.settings import PREFIX, Settings
from triggers.contracts.api.backtests.answers import DriveList
from triggers.errors import LongtailError, NotFound, Overloaded

MAX_OFFERED = 1000
REMEMBERED_S = 10.0
LOOK_S = 30
"""Seconds of processor time that a look may take: somebody waits for it, and holds a thread of the API."""


def limits_of_look(settings: Settings) -> Limits:
    """What a process may use that looks something up while a request waits: far less than one of a backtest."""
    return Limits(LOOK_S, settings.backtest_memory_bytes, settings.extraction_isolation)


class OfferedDrives:
    """The drives in the deployment's folder. Threads share it: one looks, and none waits for it.

    Meanwhile the others get what was found before; Overloaded while nothing was. A failure is remembered likewise.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        """Held for a moment only, never while a process is waited for."""
        self._found: ListAnswer | None = None
        self._failed: LongtailError | None = None
        self._known_until_s = -math.inf
        self._is_looking = False

    @property
    def folder(self) -> Path | None:
        """Where they are; None where no folder is set."""
        data_dir = self._settings.data_dir
        return self._settings.drives_dir or (data_dir / "drives" if data_dir else None)

    def list(self) -> DriveList:
        """What is known of each."""
        found = self._find()
        return DriveList(drives=[each.view for each in found.drives], complete=found.complete, problem=found.problem)

    def given(self, names: Sequence[str]) -> tuple[GivenDrive, ...]:
        """The drives with these names, in their order. NotFound for one that is not offered."""
        found, folder = self._find(), self.folder
        paths = {each.view.name: each.path for each in found.drives}
        for name in names:
            if name not in paths or folder is None:
                raise NotFound(
                    f"there is no recorded drive {name[:100]!r}",
                    remedy="`GET /v1/drives` lists those that there are" if found.problem is None else found.problem,
                )
        assert folder is not None  # noqa: S101 - a drive was found in it
        return tuple(GivenDrive(name, folder / paths[name]) for name in names)

    def forget(self) -> None:
        """Look again when somebody asks next."""
        with self._lock:
            self._known_until_s = -math.inf

    def _find(self) -> ListAnswer:
        with self._lock:
            if self._is_looking and self._found is None:
                raise Overloaded(
                    "the recorded drives are being looked for", retry_after_s=1, remedy="try again in a moment"
                )
            is_known = time.monotonic() < self._known_until_s
            if is_known and self._failed is not None:
                raise self._failed.with_traceback(None)
            if self._found is not None and (is_known or self._is_looking):
                return self._found
            self._is_looking = True
        try:
            found = self._look()
        except LongtailError as error:
            self._remember(self._found, error)
            raise
        else:
            self._remember(found, None)
            return found
        finally:
            with self._lock:
                self._is_looking = False

    def _remember(self, found: ListAnswer | None, failed: LongtailError | None) -> None:
        with self._lock:
            self._found, self._failed = found, failed
            self._known_until_s = time.monotonic() + REMEMBERED_S

    def _look(self) -> ListAnswer:
        folder = self.folder
        if folder is None or not folder.is_dir():
            place = "no folder of recorded drives is set" if folder is None else f"there is no folder {folder}"
            remedy = f"set {PREFIX}DRIVES_DIR to a folder with recorded drives"
            return ListAnswer(drives=[], complete=True, problem=f"{place}; {remedy}")
        return answer_of(ListTask(folder, MAX_OFFERED), limits_of_look(self._settings), ListAnswer)
