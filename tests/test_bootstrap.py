"""The set-up on a fresh machine: what is missing is named, what is done is not done twice, and it really works."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.paths import REPOSITORY
from tests.support.processes import python_process, read_line

SETUP = REPOSITORY / "tools" / "setup_env.py"


@pytest.fixture(scope="module")
def setup_env() -> ModuleType:
    spec = importlib.util.spec_from_file_location("setup_env", SETUP)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The working tree as `git clone` would give it after a commit, in a folder whose name has a space."""
    target = tmp_path / "a clone"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (REPOSITORY / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, target / name)
    return target


@pytest.fixture
def made(tmp_path: Path, setup_env: ModuleType) -> Iterator[Path]:
    """A project whose environment for running has been made."""
    (tmp_path / "tools").mkdir()
    for name in ("uv.lock", "pyproject.toml", "tools/setup_env.py", "tools/uv.txt"):
        (tmp_path / name).write_text(name)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").touch()
    setup_env.write_stamp(tmp_path, "running")
    yield tmp_path


def test_an_old_python_is_named_with_the_line_that_installs_a_new_one(
    setup_env: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(setup_env.Missing, match=r"needs Python 3\.11 or newer; python3 is 3\.9 here") as caught:
        setup_env.require_python((3, 9), [])
    assert "apt-get install python3" in str(caught.value)
    setup_env.require_python((3, 11), [])


def test_a_newer_python_on_path_is_found_and_broken_ones_are_not(setup_env: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "python3.12").symlink_to(sys.executable)
    for broken in ("python3.99", "python3.11"):
        (tmp_path / broken).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / broken).chmod(0o755)
    (tmp_path / "python3.10").symlink_to(sys.executable)
    assert setup_env.newest_python(str(tmp_path)) == str(tmp_path / "python3.12")


def test_an_old_python_can_still_read_the_script() -> None:
    compile(SETUP.read_text(), str(SETUP), "exec", flags=0, dont_inherit=True)
    import ast

    ast.parse(SETUP.read_text(), feature_version=(3, 7))


def test_an_environment_is_made_again_only_when_what_it_is_made_from_changed(setup_env: ModuleType, made: Path) -> None:
    assert setup_env.is_current(made, "running")
    (made / "uv.lock").write_text("another")
    assert not setup_env.is_current(made, "running")


def test_an_environment_for_running_does_not_pass_for_one_for_development(setup_env: ModuleType, made: Path) -> None:
    assert not setup_env.is_current(made, "development")
    setup_env.write_stamp(made, "development")
    assert setup_env.is_current(made, "development")
    assert setup_env.is_current(made, "running")


def test_only_measuring_asks_for_the_libraries_that_are_measured_against(setup_env: ModuleType, made: Path) -> None:
    asked = [setup_env.purpose_of(options) for options in (["--no-dev"], [], ["--bench"])]
    assert asked == ["running", "development", "measuring"]
    setup_env.write_stamp(made, "development")
    assert not setup_env.is_current(made, "measuring")
    setup_env.write_stamp(made, "measuring")
    assert all(setup_env.is_current(made, purpose) for purpose in asked)


def test_an_environment_without_python_or_with_a_torn_stamp_is_not_current(setup_env: ModuleType, made: Path) -> None:
    (made / ".venv" / setup_env.STAMP).write_text('{"made fr')
    assert not setup_env.is_current(made, "running")
    setup_env.write_stamp(made, "running")
    (made / ".venv" / "bin" / "python").unlink()
    assert not setup_env.is_current(made, "running")


def test_the_environment_of_a_moved_clone_is_made_again(setup_env: ModuleType, made: Path, tmp_path: Path) -> None:
    moved = made.rename(tmp_path.with_name(f"{tmp_path.name}-moved"))
    assert not setup_env.is_current(moved, "running")
    setup_env.remove_if_moved(moved)
    assert not (moved / ".venv").exists()


def test_a_set_up_that_was_killed_does_not_block_the_next(setup_env: ModuleType, tmp_path: Path) -> None:
    holder = (
        "import sys, time; sys.path.insert(0, 'tools'); import setup_env, pathlib\n"
        "with setup_env.locked(pathlib.Path(sys.argv[1])):\n print('locked', flush=True); time.sleep(600)"
    )
    lock = tmp_path / "lock"
    with python_process("-c", holder, str(lock)) as process:
        assert read_line(process) == "locked"
        assert not is_free(lock)
        process.send_signal(signal.SIGKILL)
        process.wait()
        with setup_env.locked(lock):
            assert not is_free(lock)


def is_free(lock: Path) -> bool:
    """Whether somebody else would get the lock at once."""
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def test_a_folder_that_is_not_ones_own_is_named(setup_env: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(setup_env.Missing, match="not writable"), setup_env.locked(tmp_path / "absent" / "lock"):
        pass


def test_uv_and_pip_get_a_home_where_the_user_has_none(
    setup_env: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", "/nonexistent")
    monkeypatch.setenv("VIRTUAL_ENV", "/elsewhere")
    monkeypatch.delenv("UV_CACHE_DIR", raising=False)
    variables = setup_env.environment(tmp_path)
    assert Path(variables["HOME"]).is_dir()
    assert variables["UV_CACHE_DIR"].startswith(str(tmp_path))
    assert "VIRTUAL_ENV" not in variables


def test_a_uv_that_is_too_old_for_the_lock_file_is_not_used(
    setup_env: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    uv = tmp_path / "uv"
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.defpath}")
    versions = {"0.4.1": None, "0.12.9": None, "0.13.0": str(uv), "1.0.0": str(uv), "garbage": None}
    for version, expected in versions.items():
        uv.write_text(f"#!/bin/sh\necho uv {version}\n")
        uv.chmod(0o755)
        assert setup_env.find_uv() == expected


def test_a_missing_venv_module_is_named_with_the_line_that_installs_it(
    setup_env: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho No module named venv; exit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    with pytest.raises(setup_env.Missing, match="No module named venv") as caught:
        setup_env.install_uv(with_pin(tmp_path))
    assert "-venv" in str(caught.value)


def with_pin(root: Path, pin: str = "") -> Path:
    """A project with this pin of uv, or the real one."""
    (root / "tools").mkdir()
    (root / "tools" / "uv.txt").write_text(pin or (REPOSITORY / "tools" / "uv.txt").read_text())
    return root


def test_a_uv_with_other_bytes_than_pinned_is_not_installed(
    setup_env: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    version = setup_env.pinned_version(REPOSITORY / "tools" / "uv.txt")
    with pytest.raises(setup_env.Missing, match=f"uv {version} could not be installed"):
        setup_env.install_uv(with_pin(tmp_path, f"uv=={version} --hash=sha256:{'0' * 64}\n"))
    said = capfd.readouterr().err
    skip_without_network(said)
    assert "DO NOT MATCH THE HASHES" in said


@pytest.mark.parametrize(
    "target", ["demo", "setup", "test", "test-long", "timing", "lint", "format", "clean", "sbom", "audit"]
)
def test_make_help_lists_every_target(target: str) -> None:
    listed = subprocess.run(["make", "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert f"make {target} " in listed.stdout


def test_make_test_runs_every_check_before_the_tests() -> None:
    shown = subprocess.run(["make", "-n", "test"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    checks = ("/mypy", "/ruff check", "/ruff format --check", "/lint-imports", "tools/console.py check --strict")
    assert all(shown.index(each) < shown.index("-m pytest -n 3") for each in checks)


def test_demo_passes_drives_signals_and_campaign_on(tmp_path: Path) -> None:
    longtail = tmp_path / "longtail"
    longtail.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    longtail.chmod(0o755)
    variables = [f"BIN={tmp_path}", "DRIVES=one 'drive two'", "SIGNALS=cars.yaml", "CAMPAIGN=brake.trigger"]
    told = subprocess.run(
        ["make", "--no-print-directory", "demo", *variables], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    expected = ["demo", "--keep", "--drives", "one", "--drives", "drive two", "--signals", "cars.yaml"]
    assert told.stdout.splitlines() == [*expected, "--campaign", "brake.trigger"]
    bare = subprocess.run(
        ["make", "--no-print-directory", "demo", variables[0]],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert bare.stdout.splitlines() == ["demo", "--keep"]


def skip_without_network(said: str) -> None:
    """Skip the test when pip or uv could not reach an index; under CI=true it fails all the same."""
    unreachable = re.search(r"Failed to establish a new connection|dns error|name resolution", said)
    if unreachable and os.environ.get("CI", "").lower() not in {"true", "1"}:
        pytest.skip(f"a fresh environment needs a package index: {unreachable.group()}")


@pytest.mark.integration
def test_a_fresh_clone_twice_at_once_gets_one_environment_for_running(clone: Path) -> None:
    first, second = (
        subprocess.Popen(["make", "setup-run"], cwd=clone, stderr=subprocess.PIPE, text=True) for _ in range(2)
    )
    said = [process.communicate(timeout=540)[1] for process in (first, second)]
    skip_without_network("".join(said))
    assert (first.returncode, second.returncode) == (0, 0), said
    assert sorted("setup: creating" in words for words in said) == [False, True]
    longtail = subprocess.run(
        [str(clone / ".venv" / "bin" / "longtail"), "--help"], cwd="/", capture_output=True, text=True, check=False
    )
    assert longtail.returncode == 0, longtail.stderr
    assert not (clone / ".venv" / "bin" / "pytest").exists()  # of the development group
