"""One reader of trigger files: `check`, `backtest` and `campaign apply` accept the same bytes and report the same."""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from pathlib import Path

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fleet_api.campaigns.compilation import Text, compile_campaign
from fleet_api.cli.main import main
from fleet_api.client import Client
from fleet_api.client.campaign_files import apply_file
from triggers.contracts.api.campaigns import AppliedView
from triggers.contracts.limits import MAX_SOURCE_BYTES
from triggers.errors import Conflict, DiagnosticsError, InvalidInput
from triggers.language.compile import compile_source
from triggers.signals.catalog import SignalCatalog

SIGNALS = "signals:\n  ego.speed: {unit: m/s, rate: 10}\n"
PLAIN = b"""# fast cars
trigger fast {
    when ego.speed > 40 km/h
}
campaign c {
    collect fast
    budget 1 GB total
}
"""
CRLF = PLAIN.replace(b"\n", b"\r\n")
LARGEST = PLAIN + b"#" * (MAX_SOURCE_BYTES - len(PLAIN))


class Server:
    """Compiles what it is sent as the API does, and remembers it; `digest` is another one that it claims to find."""

    def __init__(self, digest: str | None = None) -> None:
        self.sources: list[str] = []
        self._digest = digest

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        self.sources.append(body["source"])
        names = ("source", "filename", "signals", "campaign")
        compiled = compile_campaign(Text(**{name: body[name] for name in names}))
        unknown = dict.fromkeys(name for name in AppliedView.model_fields)
        known = {
            "campaign": body["campaign"],
            "version": 1,
            "state": "draft",
            "author": "a",
            "author_id": 1,
            "owner": "a",
            "owner_id": 1,
            "cost_centre": "",
            "warnings": [],
        }
        digest = self._digest or compiled.digest
        answer = (
            unknown
            | known
            | {"program_digest": digest, "approval_digest": digest, "created_at": "2026-01-05T12:00:00Z"}
        )
        return httpx.Response(201, json=answer)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalog and a drive in the working directory."""
    (tmp_path / "signals.yaml").write_text(SIGNALS)
    pq.write_table(pa.table({"t": np.arange(9) / 10, "ego.speed": np.full(9, 10.0)}), tmp_path / "a.parquet")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def apply(server: Server) -> list[AppliedView]:
    http = httpx.Client(transport=httpx.MockTransport(server))
    with Client("http://x", "lt_x", http=http) as client:
        return apply_file(client, Path("file.trigger"), Path("signals.yaml"))


@pytest.mark.parametrize(
    "data",
    [PLAIN, BOM_UTF8 + PLAIN, CRLF, BOM_UTF8 + CRLF, LARGEST],
    ids=["plain", "byte order mark", "CRLF", "both", "largest"],
)
def test_a_sound_file_is_accepted_by_all_and_gives_one_digest(folder: Path, data: bytes) -> None:
    (folder / "file.trigger").write_bytes(data)
    assert main(["check", "file.trigger", "--signals", "signals.yaml"]) == 0
    assert main(["backtest", "file.trigger", "--signals", "signals.yaml", "--drives", "a.parquet"]) == 0
    catalog = SignalCatalog.parse(SIGNALS, name="signals")
    digest = compile_source(PLAIN.decode(), filename="t", catalog=catalog).campaigns["c"].digest
    server = Server()
    assert [version.program_digest for version in apply(server)] == [digest]
    assert server.sources == [data.removeprefix(BOM_UTF8).decode()]


def test_a_version_that_the_api_compiled_otherwise_is_named_and_not_to_be_applied_again(folder: Path) -> None:
    (folder / "file.trigger").write_bytes(PLAIN)
    with pytest.raises(Conflict, match=f"c is version 1, draft now, but the API compiled it to {'0' * 64}") as refused:
        apply(Server("0" * 64))
    assert "do not apply it again: version 1 stays" in str(refused.value.remedy)


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (PLAIN.replace(b"fast cars", b"\xfcber"), "LT113", 1),
        (BOM_UTF8 + CRLF.replace(b"ego.speed", b"\xff"), "LT113", 3),
        (LARGEST + b"#", "LT114", 1),
        (BOM_UTF8 + CRLF.replace(b"40 km/h", b"40"), "LT301", 3),
    ],
    ids=["Latin-1", "not UTF-8 after CRLF", "too large", "a mistake after CRLF"],
)
def test_what_one_refuses_all_refuse_at_the_same_place(
    folder: Path, capsys: pytest.CaptureFixture[str], data: bytes, code: str, line: int
) -> None:
    (folder / "file.trigger").write_bytes(data)
    for command in (["check", "file.trigger"], ["backtest", "file.trigger", "--drives", "a.parquet"]):
        assert main([command[0], command[1], "--signals", "signals.yaml", *command[2:]]) == 1
        captured = capsys.readouterr()
        places = re.findall(r"^file\.trigger:(\d+):\d+: error: .*\[(LT\d+)\]$", captured.err + captured.out, re.M)
        assert places == [(str(line), code)]
    server = Server()
    with pytest.raises(DiagnosticsError) as caught:
        apply(server)
    assert [(each["line"], each["code"]) for each in caught.value.diagnostics] == [(line, code)]
    assert server.sources == []


def test_a_file_that_cannot_be_read_is_named_by_all(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["check", "none.trigger"], ["backtest", "none.trigger", "--drives", "a.parquet"]):
        assert main([command[0], command[1], "--signals", "signals.yaml", *command[2:]]) != 0
        assert "none.trigger: cannot be read" in capsys.readouterr().err
    with pytest.raises(InvalidInput, match=r"file\.trigger: cannot be read"):
        apply(Server())
