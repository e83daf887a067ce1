"""Token files: only their owner can read them, and commands take the token that is meant."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click
import pytest

from fleet_api.cli import connection
from fleet_api.cli.token_file import read_token_file, write_token_file
from triggers.errors import Misconfigured


def test_a_token_file_is_private_read_back_and_never_replaced(tmp_path: Path) -> None:
    file = tmp_path / "a.token"
    write_token_file(file, "lt_a")
    assert (read_token_file(file), file.stat().st_mode & 0o777) == ("lt_a", 0o600)
    with pytest.raises(Misconfigured, match="exists"):
        write_token_file(file, "lt_b")
    file.chmod(0o640)
    with pytest.raises(Misconfigured, match="others can read") as refused:
        read_token_file(file)
    assert "chmod 600" in str(refused.value.remedy)


@pytest.mark.parametrize("content", [b"", b"\n", b"lt_a lt_b", b"\xff", b"lt_a\nlt_b\n"])
def test_a_file_without_one_token_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "b.token"
    file.touch(0o600)
    file.write_bytes(content)
    with pytest.raises(Misconfigured, match=r"b\.token"):
        read_token_file(file)


@pytest.mark.parametrize(
    ("words", "variables", "expected"),
    [
        (["--token-file", "f"], {}, "lt_file"),
        (["--token-file", "f"], {"LONGTAIL_TOKEN": "lt_variable"}, "lt_file"),
        ([], {"LONGTAIL_TOKEN": "lt_variable", "LONGTAIL_TOKEN_FILE": "f"}, "lt_variable"),
        (["--token", "lt_typed"], {"LONGTAIL_TOKEN_FILE": "f"}, "lt_typed"),
        ([], {"LONGTAIL_TOKEN_FILE": "f"}, "lt_file"),
    ],
)
def test_what_stands_on_the_command_line_wins_over_variables(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    variables: dict[str, str],
    expected: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("LONGTAIL_TOKEN", "LONGTAIL_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    write_token_file(tmp_path / "f", "lt_file")
    monkeypatch.setattr(connection, "connect", lambda _url, token, *_others: contextlib.nullcontext(token))
    chosen: list[str] = []

    @click.command()
    @connection.with_client
    def command(token: str) -> None:
        chosen.append(token)

    command.main(words, standalone_mode=False)
    assert chosen == [expected]
