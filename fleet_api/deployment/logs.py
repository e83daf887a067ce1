"""The one format of the processes' logs: time (RFC 3339, UTC), level, process, logger, message; a line is an event.

    2026-11-28T14:03:07.512Z WARNING ingest ingest.loops: outbox waits 2 s: the database at ... does not answer

With LONGTAIL_LOG_FORMAT=json a line is a JSON object instead, which also has the ids of the request, vehicle, upload
and clip that it is about (`ingest.log_ids`).

What is not printable in a message is escaped (`triggers.foreign_text`): vehicles and people choose parts of messages,
and must not be able to write lines of their own or to command a terminal. Tracebacks follow their line, indented.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import TYPE_CHECKING

from fleet_api.deployment.repeats import FewRepeats
from ingest.log_ids import ids
from triggers.foreign_text import escaped

if TYPE_CHECKING:
    from storage.watching.settings import LogFormat  # whose library is slow to load

_QUIET = ("httpx", "alembic.runtime.plugins", "uvicorn.access")


class JsonFormatter(logging.Formatter):
    """One JSON object per record, in one line of ASCII."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """The record with the ids that it is about, and its traceback as one text."""
        line = {
            "time": _time(record),
            "level": record.levelname,
            "process": self._process,
            "logger": record.name,
            "message": record.getMessage(),
            **ids(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


class LineFormatter(logging.Formatter):
    """One line per record, in which `process` is the name of the process."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """The record as its line, and its traceback on further lines."""
        message = escaped(record.getMessage())
        line = f"{_time(record)} {record.levelname} {self._process} {record.name}: {message}"
        if record.exc_info:
            trace = self.formatException(record.exc_info).splitlines()
            line += "".join(f"\n    {escaped(each)}" for each in trace)
        return line


def _time(record: logging.LogRecord) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z"


def log_as(process: str, form: LogFormat) -> None:
    """Write what this process sends to standard error in another form from now on."""
    for handler in logging.getLogger().handlers:
        handler.setFormatter(JsonFormatter(process) if form == "json" else LineFormatter(process))


def log_to_stderr(process: str) -> None:
    """Send all records of this process to standard error, in the one format."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter(process))
    handler.addFilter(FewRepeats())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for chatty in _QUIET:
        logging.getLogger(chatty).setLevel(logging.WARNING)


def log_warnings_of(command: str) -> None:
    """The one format for what a command that logs nothing itself has to warn of."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(LineFormatter(command))
