"""Building the console: only when its sources have changed, and with a clear word where npm's registry is missing."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from tools import console


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """Sources beside things that are fetched and generated."""
    for name in ("src/main.ts", "package.json", "node_modules/svelte/index.js", "dist/index.html"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def test_a_change_of_a_source_is_noticed_and_of_what_is_fetched_is_not(app: Path) -> None:
    first = console.fingerprint(app)
    (app / "node_modules" / "svelte" / "index.js").write_text("another version")
    (app / "dist" / "index.html").write_text("built")
    assert console.fingerprint(app) == first
    (app / "src" / "main.ts").write_text("changed")
    changed = console.fingerprint(app)
    (app / "src" / "main.ts").rename(app / "src" / "other.ts")
    assert len({first, changed, console.fingerprint(app)}) == 3


def test_a_build_is_current_only_if_it_was_completed_from_these_sources(tmp_path: Path) -> None:
    assert not console.is_current("digest", tmp_path)
    (tmp_path / console.STAMP).write_text("digest")
    assert console.is_current("digest", tmp_path) and not console.is_current("another", tmp_path)


def test_large_files_of_text_get_a_compressed_form(tmp_path: Path) -> None:
    (tmp_path / "large.js").write_text("let x;\n" * 1000)
    (tmp_path / "small.js").write_text("let x;\n")
    (tmp_path / "picture.png").write_bytes(b"x" * 10_000)
    console.compress(tmp_path)
    assert sorted(path.name for path in tmp_path.glob("*.gz")) == ["large.js.gz"]
    assert gzip.decompress((tmp_path / "large.js.gz").read_bytes()) == b"let x;\n" * 1000


@pytest.fixture
def without_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The console's lock file where nothing is fetched or built yet."""
    for name in ("package.json", "package-lock.json"):
        (tmp_path / "app" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "app" / name).write_bytes((console.APP / name).read_bytes())
    monkeypatch.setattr(console, "APP", tmp_path / "app")
    monkeypatch.setattr(console, "DIST", tmp_path / "dist")
    monkeypatch.setattr(console, "NEW", tmp_path / "app" / "dist")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    return tmp_path


def test_a_missing_registry_is_one_line_and_no_error_unless_it_must_be(
    without_packages: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert console.main(["build"]) == 0
    (line,) = [each for each in capsys.readouterr().err.splitlines() if "not built" in each]
    assert "all else works" in line and "make setup" in line
    assert console.main(["build", "--strict"]) == console.main(["check"]) == 1
    assert not (without_packages / "dist").exists()


def test_a_broken_lock_file_is_an_error(without_packages: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (without_packages / "app" / "package-lock.json").write_text("{")
    assert console.main(["build"]) == 1
    assert "npm could not install" in capsys.readouterr().err


def test_a_build_that_fails_leaves_the_last_one(without_packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (without_packages / "dist").mkdir()
    monkeypatch.setattr(console, "install", lambda: None)
    assert console.main(["build"]) == 1  # there are no sources and no packages
    assert (without_packages / "dist").is_dir()


def test_an_unknown_command_is_refused() -> None:
    assert console.main([]) == console.main(["deploy"]) == 2
