"""How to get into the console: the commands that are told can be pasted as they are."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from fleet_api.cli.deployment.console_hints import command_name, how_to_serve, how_to_sign_in

OWN = Path(sys.executable).with_name("longtail")


def test_a_data_directory_is_named_where_it_is_not_the_usual_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(OWN.parent))
    monkeypatch.setenv("LONGTAIL_DATA_DIR", str(tmp_path / "usual"))
    usual = "longtail token issue ada --role viewer"
    assert how_to_sign_in(None) == how_to_sign_in(tmp_path / "usual") == usual
    other = tmp_path / "with a space"
    assert shlex.split(how_to_sign_in(other)) == [*usual.split(), "--data", str(other)]
    assert shlex.split(how_to_serve(other)) == ["longtail", "up", "--data", str(other)]


def test_the_command_is_named_by_its_path_where_a_shell_would_not_find_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(OWN.parent))
    assert command_name() == "longtail"
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert command_name() == str(OWN)
    monkeypatch.chdir(OWN.parents[2])
    assert command_name() == str(OWN.relative_to(OWN.parents[2]))
