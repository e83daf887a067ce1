"""The recorded drives that a deployment offers: found in their folder by a process, and remembered for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

from fleet_api.backtest_processes.start import answer_of
from fleet_api.backtest_processes.tasks import GivenDrive, Limits, ListAnswer, ListTask
from storage.settings import PREFIX, Settings
from triggers.contracts.api.backtests.answers import DriveList
from triggers.errors import NotFound

MAX_OFFERED = 1000
REMEMBERED_S = 10.0
LISTING = 30
"""Seconds of processor time that finding the drives may take."""


class OfferedDrives:
    """The drives in the deployment's folder. Threads share it: one of them looks, and the others wait for it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._found: ListAnswer | None = None
        self._found_s = 0.0

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
            self._found = None

    def _find(self) -> ListAnswer:
        with self._lock:
            if self._found is None or time.monotonic() - self._found_s > REMEMBERED_S:
                self._found = self._look()
                self._found_s = time.monotonic()
            return self._found

    def _look(self) -> ListAnswer:
        folder = self.folder
        if folder is None or not folder.is_dir():
            place = "no folder of recorded drives is set" if folder is None else f"there is no folder {folder}"
            remedy = f"set {PREFIX}DRIVES_DIR to a folder with recorded drives"
            return ListAnswer(drives=[], complete=True, problem=f"{place}; {remedy}")
        limits = Limits(LISTING, self._settings.backtest_memory_bytes, self._settings.extraction_isolation)
        return answer_of(ListTask(folder, MAX_OFFERED), limits, ListAnswer)
