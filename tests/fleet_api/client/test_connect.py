"""How a deployment is found: its data directory, its client file, and whose token goes where."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fleet_api.client import open_client
from fleet_api.client.data_dir import (
    ClientFile,
    data_dir_of_environment,
    default_data_dir,
    read_client_file,
    write_client_file,
)
from triggers.errors import Misconfigured


def test_the_data_directory_follows_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_data_dir() == Path("/var/lib/longtail")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert default_data_dir() == tmp_path / ".local" / "share" / "longtail"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    assert default_data_dir() == tmp_path / "xdg" / "longtail"
    monkeypatch.setenv("LONGTAIL_DATA_DIR", str(tmp_path / "own"))
    assert data_dir_of_environment() == tmp_path / "own"


def test_the_client_file_is_private_replaced_whole_and_read_back(tmp_path: Path) -> None:
    for token in ("lt_a", "lt_b"):
        content = ClientFile("http://127.0.0.1:1", "http://127.0.0.1:2", token)
        write_client_file(tmp_path, content)
        assert read_client_file(tmp_path) == content
    assert [path.name for path in tmp_path.iterdir()] == ["client.json"]
    assert (tmp_path / "client.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"api_url": "x"}', b"\xff", b"[" * 100_000])
def test_a_damaged_client_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "client.json").write_bytes(content)
    with pytest.raises(Misconfigured, match=r"client\.json"):
        open_client(data_dir=tmp_path)


@pytest.mark.parametrize("folder", ["a\0b", "x" * 5000, "\udcff"])
def test_a_data_directory_that_cannot_be_is_named(tmp_path: Path, folder: str) -> None:
    with pytest.raises(Misconfigured, match=r"client\.json"):
        open_client(data_dir=tmp_path / folder)


def test_the_address_of_the_client_file_needs_no_token(tmp_path: Path) -> None:
    write_client_file(tmp_path, ClientFile("http://127.0.0.1:1", "http://127.0.0.1:2", "lt_a"))
    with open_client(data_dir=tmp_path) as client, open_client("http://127.0.0.1:1/", data_dir=tmp_path) as same:
        assert client.url == same.url == "http://127.0.0.1:1"


def test_a_token_is_not_sent_to_another_deployment_than_its_own(tmp_path: Path) -> None:
    write_client_file(tmp_path, ClientFile("http://127.0.0.1:1", "http://127.0.0.1:2", "lt_a"))
    with pytest.raises(Misconfigured, match=r"no token for http://127\.0\.0\.1:3"):
        open_client("http://127.0.0.1:3", data_dir=tmp_path)
