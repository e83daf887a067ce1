"""The settings of a process in the audit log: written when it starts, if they are not those of its last start.

Every setting is in it but secrets and what only tells processes of one kind apart, so that a new one cannot be
forgotten. Of an address with a password, the password is left out. That a secret has changed is therefore not recorded.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from storage import audit
from storage.database import Database
from storage.diagnosis.schema import require_current
from storage.settings import PREFIX, Settings, is_secret, shown_url
from triggers.errors import LongtailError

RETRY_S = 5.0
"""A process may start before its database."""
END_S = 1.0
"""How long the end of a process waits for an attempt that has begun."""
_PROCESSES = ("api", "gateway", "ingest")
OF_ONE_PROCESS = frozenset(
    {"worker_id", *(f"{name}_port" for name in _PROCESSES), *(f"{name}_metrics_port" for name in _PROCESSES)}
)
_log = logging.getLogger(__name__)


def recorded_settings(settings: Settings) -> dict[str, Any]:
    """What the audit log has of these settings, by variable."""
    shown = settings.model_dump(mode="json")
    hidden = {name for name, field in Settings.model_fields.items() if not field.repr} | OF_ONE_PROCESS
    return {
        PREFIX + name.upper(): shown_url(value) if isinstance(value, str) else value
        for name, value in shown.items()
        if name not in hidden and not is_secret(name)
    }


@contextmanager
def recording_settings(process: str, settings: Settings) -> Iterator[None]:
    """Meanwhile, write the settings of this process, as soon as its database answers."""
    stop = threading.Event()
    thread = threading.Thread(target=_record, args=(process, settings, stop), name="settings-record", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(END_S)


def _record(process: str, settings: Settings, stop: threading.Event) -> None:
    database = Database(settings.require_database_url(), pool_size=1)
    try:
        while not stop.is_set():
            try:
                record_settings(database, process, settings)
                return
            except LongtailError as error:
                _log.info("the settings are not in the audit log yet: %s", error.message)
            stop.wait(RETRY_S)
    finally:
        database.close()


def record_settings(database: Database, process: str, settings: Settings) -> bool:
    """Write the settings of a process, unless its last entry has the same; whether it was written."""
    require_current(database)
    with database.begin() as connection:
        return audit.record_if_new(
            connection,
            audit.the_deployment(),
            "settings.change",
            "settings",
            process,
            after=recorded_settings(settings),
        )
