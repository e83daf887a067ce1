"""In tests, transactions of API, gateway and ingest run with the rights of their process, whoever opened the database.

Tests run the parts of these processes in their own, as a superuser, who may do everything; a statement that a process
may not run would pass there and fail in a deployment. So each transaction that code of a process begins takes on the
role of that process until it ends, told by the innermost of its callers that belongs to one.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from storage.database import Database
from storage.embedded.cluster import SUPERUSER
from storage.roles.rights import DatabaseRole
from tests.support.paths import REPOSITORY

_FOLDERS = {
    "ingest/gateway/": DatabaseRole.GATEWAY,
    "ingest/assembler/": DatabaseRole.INGEST,
    "ingest/extraction/": DatabaseRole.INGEST,
    "ingest/steward/": DatabaseRole.INGEST,
    "ingest/worker.py": DatabaseRole.INGEST,
    "fleet_api/cli/": None,
    "fleet_api/demo/": None,
    "fleet_api/deployment/": None,
    "fleet_api/": DatabaseRole.API,
    "tests/": None,
}
_begin = Database.begin


def install() -> None:
    """From now on, for every database on a server that the tests have started."""
    Database.begin = _begin_as_process  # type: ignore[method-assign]


def role_of_caller() -> DatabaseRole | None:
    """The role of the process that the calling code belongs to; None for tests, commands, and what all share."""
    root = f"{REPOSITORY}/"
    frame = inspect.currentframe()
    while frame is not None:
        path = frame.f_code.co_filename
        if path.startswith(root):
            name = path.removeprefix(root)
            for folder, role in _FOLDERS.items():
                if name.startswith(folder) and name != "tests/support/process_roles.py":
                    return role
        frame = frame.f_back
    return None


@contextmanager
def _begin_as_process(self: Database, **options: Any) -> Iterator[Connection]:
    role = role_of_caller() if make_url(self.url).username == SUPERUSER else None
    with _begin(self, **options) as connection:
        if role is not None:
            connection.execute(text(f"SET LOCAL ROLE {role}"))
        yield connection
