"""`longtail token`: issue, list, rotate, revoke, by what people type."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fleet_api.cli.main import main
from fleet_api.cli.token_file import read_token_file
from storage import audit, tokens
from storage.database import Database
from triggers.errors import Unauthenticated


def test_tokens_are_issued_into_files_listed_without_them_rotated_and_revoked(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LONGTAIL_DATABASE_URL", database.url)
    monkeypatch.chdir(tmp_path)
    issue = ["token", "issue", "ann", "--role", "author", "--name", "laptop", "--days", "30"]
    assert main([*issue, "--out", "ann.token"]) == 0
    shown = capsys.readouterr()
    first = read_token_file(tmp_path / "ann.token")
    assert first not in shown.out + shown.err

    assert main([*issue, "--out", "ann.token"]) == 1, "the file exists"
    assert main([*issue, "--days", "9999"]) == 1
    capsys.readouterr()
    assert main(["token", "list", "--json"]) == 0
    (known,) = json.loads(capsys.readouterr().out)
    assert (known["user_name"], known["name"], known["roles"]) == ("ann", "laptop", ["author"])

    assert main(["token", "rotate", str(known["id"]), "--json"]) == 0
    second = json.loads(capsys.readouterr().out)["token"]
    for token in (first, second):
        assert authenticated(database, token) == "ann"
    assert main(["token", "revoke", "--id", str(known["id"])]) == 0
    with pytest.raises(Unauthenticated):
        authenticated(database, first)
    assert main(["token", "revoke", "ann"]) == 0
    with pytest.raises(Unauthenticated):
        authenticated(database, second)
    assert main(["token", "revoke"]) == main(["token", "revoke", "ann", "--id", "1"]) == 2
    capsys.readouterr()
    assert main(["token", "list", "ann", "--all", "--ids"]) == 0
    assert len(capsys.readouterr().out.split()) == 2, "a token that could not be written was not issued"


def authenticated(database: Database, token: str) -> str:
    with database.begin() as connection:
        return tokens.authenticate(connection, token).name


def test_a_user_is_linked_to_one_person_of_the_provider(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LONGTAIL_DATABASE_URL", database.url)
    monkeypatch.setenv("LONGTAIL_OIDC_ISSUER", "https://login.example")
    with database.begin() as connection:
        for user in ("ann", "bob"):
            tokens.issue(connection, user, ["viewer"])
    for _ in range(2):
        assert main(["token", "link", "Ann", "248289761001"]) == 0, "again changes nothing"
    assert capsys.readouterr().out == "user 1 is who https://login.example calls 248289761001\n" * 2
    with database.begin() as connection:
        links = [entry for entry in audit.listing(connection, audit.AuditFilter()) if entry.action == "user.link"]
    assert [entry.after for entry in links] == [{"issuer": "https://login.example", "subject": "248289761001"}]
    for words, reason in (
        (["bob", "248289761001"], "that person is the user 'ann' already"),
        (["eve", "1"], "there is no user 'eve'"),
        (["bob", "x" * 256], "not a subject"),
        (["bob", "1\x1b"], "not a subject"),
    ):
        assert main(["token", "link", *words]) == 1
        assert reason in capsys.readouterr().err
    monkeypatch.delenv("LONGTAIL_OIDC_ISSUER")
    assert main(["token", "link", "bob", "1"]) == 1
    assert "no OpenID provider is set" in capsys.readouterr().err
