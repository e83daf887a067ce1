"""Commands in this process, against the application in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, NamedTuple

import pytest

from fleet_api.cli import connection
from fleet_api.cli.main import main
from tests.fleet_api.api_server import Api


class Shown(NamedTuple):
    """What a command ended with: exit status, standard output, standard error."""

    status: int
    out: str
    err: str

    def json(self) -> Any:
        assert self.status == 0, self.err
        return json.loads(self.out)


Longtail = Callable[..., Shown]


@pytest.fixture
def longtail(api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Longtail:
    """Call a command as an administrator, or as another `role`."""

    def call(*arguments: str, role: str = "admin") -> Shown:
        client = api.as_client(role)
        monkeypatch.setattr(connection, "connect", lambda *_: nullcontext(client))
        status = main(arguments)
        shown = capsys.readouterr()
        return Shown(status, shown.out, shown.err)

    return call
