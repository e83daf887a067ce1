"""The triggers of examples/driving_team fire in the drive made for them, each in its scene and nowhere else."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from tests.support.paths import REPOSITORY
from tools.example_drive import CATALOG, SCENES, write_example
from triggers.backtest.plan import make_plan
from triggers.backtest.report import make_report
from triggers.backtest.run import run
from triggers.drives.find import find_drives
from triggers.language.compile import Compilation, compile_file
from triggers.signals.catalog import SignalCatalog

FOLDER = REPOSITORY / "examples/driving_team"
FILES = sorted(FOLDER.glob("*.trigger"))
TEAM = SignalCatalog.load(CATALOG)
LATE_S = 0.25
"""A scene says when its fire is due to a quarter of a second: conditions see samples, not moments."""


@pytest.fixture(scope="module")
def compilations() -> dict[str, Compilation]:
    return {path.stem: compile_file(path, TEAM) for path in FILES}


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("team") / "made_up.parquet"
    write_example(path)
    return path


def test_the_files_have_25_triggers(compilations: dict[str, Compilation]) -> None:
    names = {name for each in compilations.values() for name in make_plan(each).settings}
    assert names == SCENES.keys()
    assert len(SCENES) == 25


def test_every_trigger_fires_in_its_scene_and_nowhere_else(compilations: dict[str, Compilation], drive: Path) -> None:
    fires: defaultdict[str, list[float]] = defaultdict(list)
    for compilation in compilations.values():
        plan = make_plan(compilation)
        result = run(plan, find_drives([drive]), TEAM, lambda _bytes: None)
        for fire in make_report(plan, result, None, TEAM).fires:
            fires[fire.trigger].append(fire.t)
    assert fires == {name: pytest.approx(times, abs=LATE_S) for name, times in SCENES.items()}
