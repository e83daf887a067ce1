"""Whatever is installed is locked to its bytes, and the list of it says so."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from tests.support.paths import REPOSITORY
from tools import setup_env, supply_chain

LOCK = tomllib.loads((REPOSITORY / "uv.lock").read_text())
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())


def test_every_locked_package_has_its_hashes() -> None:
    others = [package for package in LOCK["package"] if package["name"] != PROJECT["project"]["name"]]
    assert others
    for package in others:
        files = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
        assert files, package["name"]
        assert all(file["hash"].startswith("sha256:") for file in files), package["name"]


def test_what_builds_is_pinned_by_version_and_hash() -> None:
    settings = PROJECT["tool"]["uv"]
    assert settings["require-build-hashes"] is True
    for pin in settings["build-constraint-dependencies"]:
        assert re.fullmatch(r"[a-z-]+==[\w.]+", pin["requirement"])
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for digest in pin["hashes"]) and pin["hashes"]
    pinned = {pin["requirement"].partition("==")[0] for pin in settings["build-constraint-dependencies"]}
    assert {re.split(r"[<>=]", name)[0] for name in PROJECT["build-system"]["requires"]} <= pinned


def test_the_list_of_parts_names_every_package_that_runs_with_its_hashes(tmp_path: Path) -> None:
    uv = setup_env.find_uv() or str(REPOSITORY / ".cache" / _pinned() / "bin" / "uv")
    if not Path(uv).exists():
        pytest.skip("no uv on this machine")
    assert supply_chain.sbom(uv, REPOSITORY, tmp_path / "sbom.json") == 0
    document = json.loads((tmp_path / "sbom.json").read_text())
    assert document["bomFormat"] == "CycloneDX"
    parts = {part["name"]: part for part in document["components"]}
    direct = {re.split(r"[<>=;\[ ]", requirement)[0] for requirement in PROJECT["project"]["dependencies"]}
    assert direct <= parts.keys()
    assert "pytest" not in parts
    for part in parts.values():
        assert all(reference["hashes"] for reference in part["externalReferences"]), part["name"]


def test_an_advisory_service_out_of_reach_is_told_and_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert supply_chain.audit("uv", REPOSITORY, "http://127.0.0.1:1/") == 0
    assert "nothing was audited" in capsys.readouterr().err


def _pinned() -> str:
    return f"uv-{setup_env.pinned_version(REPOSITORY / setup_env.UV_PIN)}"
