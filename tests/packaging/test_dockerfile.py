"""The Dockerfile's build, done step by step in an empty folder, gives a Longtail that works elsewhere."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from storage.settings import PREFIX, Settings
from tests.support.paths import REPOSITORY
from tools.setup_env import UV_PIN, pinned_version

DOCKERFILE = (REPOSITORY / "Dockerfile").read_text()


def instructions() -> list[tuple[str, str]]:
    """Instruction and argument of every step, with continued lines joined and comments left out."""
    lines = [line for line in DOCKERFILE.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]
    return [(word, argument.strip()) for word, _, argument in (line.partition(" ") for line in lines)]


def stage(name: str) -> list[tuple[str, str]]:
    """The steps of the stage `AS name`; those of the last stage for an empty name."""
    found: dict[str, list[tuple[str, str]]] = {}
    current = ""
    for word, argument in instructions():
        if word == "FROM":
            current = argument.partition(" AS ")[2]
        found.setdefault(current, []).append((word, argument))
    return found[name]


def variables(steps: list[tuple[str, str]]) -> dict[str, str]:
    pairs = [pair for word, argument in steps if word == "ENV" for pair in shlex.split(argument)]
    return dict(pair.split("=", 1) for pair in pairs)


def test_the_variables_are_settings_and_the_tool_that_locks_is_the_one_that_installs() -> None:
    given = {name for name in variables(stage("")) if name.startswith(PREFIX)}
    assert given <= {PREFIX + name.upper() for name in Settings.model_fields}
    steps = [" ".join(step) for step in stage("build")]
    assert f"COPY {UV_PIN} ./" in steps
    assert "RUN pip install --no-cache-dir --require-hashes --requirement uv.txt" in steps


def test_the_image_runs_as_an_unprivileged_user_with_pinned_bases_and_no_shell_form() -> None:
    words = [word for word, _ in stage("")]
    assert words.index("USER") > words.index("RUN") and dict(stage(""))["USER"] != "root"
    assert all(
        re.fullmatch(r"python:3\.\d+-slim-\w+( AS \w+)?", argument)
        for word, argument in instructions()
        if word == "FROM"
    )
    assert all(argument.startswith("[") for word, argument in instructions() if word in {"ENTRYPOINT", "CMD"})


def test_everything_that_is_copied_may_be_seen_by_the_build() -> None:
    allowed = {line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for word, argument in instructions():
        if word == "COPY" and not argument.startswith("--from="):
            assert set(argument.split()[:-1]) <= allowed


@pytest.mark.integration
def test_the_build_stage_gives_an_environment_that_works_elsewhere(tmp_path: Path) -> None:
    uv = REPOSITORY / ".cache" / f"uv-{pinned_version(REPOSITORY / UV_PIN)}" / "bin" / "uv"
    found = str(uv) if uv.exists() else shutil.which("uv")
    if found is None:
        pytest.skip("no uv on this machine")
    build, target = tmp_path / "build", tmp_path / "opt"
    build.mkdir()
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("UV_", "VIRTUAL_", PREFIX))
    }
    environment |= variables(stage("build")) | {"UV_PROJECT_ENVIRONMENT": str(target), "UV_LINK_MODE": "hardlink"}
    for word, argument in stage("build"):
        if word == "COPY":
            *sources, place = argument.split()
            for source in sources:
                copy(REPOSITORY / source, (build / place) if place != "./" else build / Path(source).name)
        elif word == "RUN" and not argument.startswith("pip "):
            program, *words = shlex.split(argument)
            command = [program.replace("/opt/longtail", str(target)).replace("uv", found), *words]
            done = subprocess.run(command, cwd=build, env=environment, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
    shutil.rmtree(build)
    for words in (["--version"], ["up", "--help"], ["health", "--help"]):
        subprocess.run([target / "bin" / "longtail", *words], cwd=tmp_path, capture_output=True, check=True)
    code = (
        "from fleet_api.demo.drives import package_file; from storage.diagnosis.schema import head_revision;"
        "from fleet_api.console import built; assert built.index() and len(built.names()) > 2;"
        "package_file('demo.trigger'); print(head_revision())"
    )
    answer = subprocess.run(
        [target / "bin" / "python", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0 and answer.stdout.strip().isdigit(), answer.stderr


def copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "node_modules", "dist"))
    else:
        target.parent.mkdir(exist_ok=True)
        shutil.copy(source, target)
