"""The command line's edge: help without heavy imports, errors in one line, exit statuses, broken pipes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fleet_api.cli import main as main_module
from fleet_api.cli.main import main
from tests.support.paths import REPOSITORY
from triggers.errors import NotFound

HEAVY = ("fastapi", "uvicorn", "sqlalchemy", "pyarrow", "av", "numpy", "httpx", "rich.table", "pydantic")


def run_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fleet_api.cli", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom fleet_api.cli.main import main\n"
        "assert main(['--help']) == 0\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    process = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert process.stderr.strip() == "[]"
    assert all(name in process.stdout for name in main_module.COMMANDS)


def test_an_unreachable_api_is_one_line_that_names_address_and_setting() -> None:
    process = run_command("campaign", "list", "--url", "http://127.0.0.1:1", "--token", "lt_x")
    assert process.returncode == 1
    assert process.stdout == ""
    (line,) = process.stderr.strip().splitlines()
    assert line.startswith("longtail: the API at http://127.0.0.1:1 does not answer")
    assert "LONGTAIL_API_URL" in line and "--url" in line


def test_an_unreachable_database_is_one_line_that_names_address_and_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONGTAIL_DATABASE_URL", "postgresql://ann:secret@127.0.0.1:1/x")
    process = run_command("migrate")
    assert process.returncode == 1
    (line,) = process.stderr.strip().splitlines()
    assert line.startswith("longtail: the database at postgresql://ann:***@127.0.0.1:1/x does not answer")
    assert "LONGTAIL_DATABASE_URL" in line and "secret" not in line


def test_debug_shows_the_traceback_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--debug", "campaign", "list", "--url", "http://127.0.0.1:1", "--token", "lt_x"]) == 1
    shown = capsys.readouterr().err
    assert "Traceback" in shown and "\nlongtail: the API at" in shown


@pytest.mark.parametrize("arguments", [["nonsense"], ["campaign", "apply"], ["up", "--port", "99999"], ["check"]])
def test_a_wrong_call_has_status_2_and_says_why(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "Error:" in capsys.readouterr().err


def test_an_interrupt_has_status_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(main_module.cli, "main", interrupted)
    assert main(["list"]) == 130
    assert capsys.readouterr().err == "longtail: interrupted\n"


def test_an_error_is_its_message_and_its_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(**_: object) -> None:
        raise NotFound("there is no clip 7", remedy="search for it")

    monkeypatch.setattr(main_module.cli, "main", failing)
    assert main([]) == 1
    assert capsys.readouterr().err == "longtail: there is no clip 7; search for it\n"


def test_without_a_deployment_the_remedy_says_how_to_get_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["clips", "search", "--data", str(tmp_path)]) == 1
    assert "start one with `longtail up`" in capsys.readouterr().err


def test_a_token_is_not_sent_to_another_deployment_than_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = {"api_url": "http://127.0.0.1:1", "gateway_url": "http://127.0.0.1:2", "token": "lt_secret"}
    (tmp_path / "client.json").write_text(json.dumps(known))
    assert main(["campaign", "list", "--data", str(tmp_path), "--url", "http://127.0.0.1:3"]) == 1
    assert "no token for http://127.0.0.1:3" in capsys.readouterr().err


@pytest.mark.parametrize("odd", ["1_0", "+5", " 5", "\uff15", "05", "1.0", ""])
def test_a_number_is_written_in_one_way(odd: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["clips", "search", "--limit", odd]) == 2
    assert "is not a whole number in digits" in capsys.readouterr().err


def test_an_interrupt_while_commands_are_imported_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    code = "import sys; from fleet_api.cli.entry import run; sys.exit(run())"
    for command in (["-c", code], ["-m", "fleet_api.cli"]):
        process = subprocess.run(
            [sys.executable, *command, "check"],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
        )
        assert (process.returncode, process.stderr) == (130, "longtail: interrupted\n")
