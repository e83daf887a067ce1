"""Imports and `--set` on the command line: each command compiles the same text, and the API gets all of it."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from fleet_api.authoring.aside import Asked, check_here
from fleet_api.campaigns.compilation import Text, compile_campaign
from fleet_api.cli.main import main
from fleet_api.client import Client
from fleet_api.client.campaign_files import apply_file
from tests.fleet_api.cli.author.test_trigger_files import SIGNALS, Server, folder
from triggers.errors import DiagnosticsError
from triggers.language.compile import compile_file, compile_source
from triggers.signals.catalog import SignalCatalog

__all__ = ["folder"]

MAIN = """import "common.trigger" as c
trigger fast {
    when c.faster_than(40 km/h)
    cooldown c.pause
}
campaign c {
    collect fast
    budget 1 GB total
}
"""
COMMON = "param pause = 10 s\nparam hold = 100 ms\nlet faster_than(v) = ego.speed > v for hold\n"
SET = ("--set", "c.hold=300ms", "--set", "c.pause=1min")
CATALOG = SignalCatalog.parse(SIGNALS, name="signals")


@pytest.fixture
def file(folder: Path) -> Path:
    (folder / "file.trigger").write_text(MAIN)
    (folder / "common.trigger").write_text(COMMON)
    return folder / "file.trigger"


def digest_set() -> str:
    """The digest of a program that is written with the values that SET gives."""
    plain = """trigger fast { when ego.speed > 40 km/h for 300 ms cooldown 1 min }
    campaign c { collect fast budget 1 GB total }"""
    return compile_source(plain, filename="plain", catalog=CATALOG).campaigns["c"].digest


def test_every_command_compiles_the_file_with_its_imports_and_values(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["file.trigger", "--signals", "signals.yaml", *SET]
    assert main(["check", *common]) == 0
    capsys.readouterr()
    assert main(["explain", *common, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["programs"][0]["digest"] == digest_set()
    assert main(["compile", *common, "-o", "c.wasm"]) == 0
    assert digest_set() in capsys.readouterr().out
    assert main(["backtest", *common, "--drives", "a.parquet", "--json", "report.json"]) == 0
    assert digest_set() in Path("report.json").read_text()


def test_the_api_gets_one_text_with_imports_and_values_and_compiles_it_to_the_same(file: Path) -> None:
    server = Server()
    with Client("http://x", "lt_x", http=httpx.Client(transport=httpx.MockTransport(server))) as client:
        (applied,) = apply_file(client, file, Path("signals.yaml"), values=["c.hold=300ms", "c.pause=1min"])
    assert applied.program_digest == digest_set()
    (source,) = server.sources
    assert source == (
        MAIN
        + '\nfile "common.trigger" {\n'
        + COMMON.replace("10 s", "1 min").replace("100 ms", "300 ms")
        + "}\n# Set: c.pause = 1 min (the file says 10 s)\n# Set: c.hold = 300 ms (the file says 100 ms)\n"
    )


def test_the_api_refuses_a_text_without_its_imports_and_says_what_to_do(file: Path) -> None:
    with pytest.raises(DiagnosticsError) as caught:
        compile_campaign(Text(MAIN, "file.trigger", SIGNALS, "c"))
    (found,) = caught.value.diagnostics
    assert (found["code"], found["line"]) == ("LT226", 1) and "longtail campaign apply" in found["proposal"]


def test_an_editor_checks_formats_and_explains_the_whole_text(file: Path) -> None:
    whole = compile_file(file, CATALOG).source
    checked = check_here(Asked(whole, "file.trigger", SIGNALS, formatted=True, explained=True, constants=True))
    assert checked["ok"] and checked["formatted"] is not None
    formatted = compile_source(checked["formatted"], filename="file.trigger", catalog=CATALOG)
    assert formatted.campaigns["c"].digest == checked["programs"][0]["digest"]


@pytest.mark.parametrize("command", ["check", "explain", "compile", "backtest", "trace", "apply"])
def test_a_value_that_does_not_fit_is_refused_by_every_command(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("LONGTAIL_TOKEN", "lt_x")
    monkeypatch.setenv("LONGTAIL_API_URL", "http://127.0.0.1:9")
    words = {"apply": ["campaign", "apply"]}.get(command, [command])
    rest = {"compile": ["-o", "c.wasm"], "backtest": ["--drives", "a.parquet"], "trace": ["--drive", "a.parquet"]}.get(
        command, []
    )
    assert main([*words, "file.trigger", "--signals", "signals.yaml", *rest, "--set", "c.hold=5 m"]) == 1
    captured = capsys.readouterr()
    assert "--set:1:8: error: `c.hold` is a number with a unit like `ms`, and `5 m` is not [LT230]" in captured.err
    assert not Path("c.wasm").exists()
