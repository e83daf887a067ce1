"""One run of the demonstration on generated drives, for all tests of what it leaves behind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fleet_api.demo.demo_process import Run, run_demo
from tests.support.paths import server_folder


@pytest.fixture(scope="package")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A run whose data is kept."""
    out = tmp_path_factory.mktemp("results")
    with server_folder() as folder:
        data = folder / "data"
        yield Run(*run_demo(out, "--data", str(data)), out, data)
