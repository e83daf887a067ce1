"""No command lets a name, reason or label of somebody else's reach the terminal as it is."""

from __future__ import annotations

import ast
import io
import json
import logging
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from fleet_api.cli.main import main
from fleet_api.cli.output import Column, Form, print_json, print_json_line, print_list, print_result, print_title
from storage.uploads import dead_letters
from tests.fleet_api.api_server import Api
from tests.fleet_api.cli.conftest import Longtail
from tests.support.paths import REPOSITORY

EVIL = "x\nforged \x1b]0;PWNED\x07\x9b31m\u202egpj.exe\u2028"
ITSELF = {"fleet_api/cli/output.py"}
OF_THE_CALLER = {
    "fleet_api/cli/questions.py",  # the product's own questions
    "fleet_api/cli/author/check.py",  # diagnostics make what they quote visible
    "fleet_api/cli/author/fmt.py",  # the file itself, and diagnostics
    "fleet_api/cli/author/vss.py",  # the file itself
}


class Item(BaseModel):
    """Something that somebody named."""

    name: str


class Terminal(io.StringIO):
    """Standard output that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def is_harmless(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n")) and "\nforged" not in text


@pytest.mark.parametrize("form", ["table", "json", "csv", "ids"])
def test_a_list_on_a_terminal_shows_foreign_text_with_escapes(form: Form, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    print_list(form, [Item(name=EVIL.replace("\n", " "))], [Column("name", lambda item: item.name)], none="")
    assert "PWNED" in screen.getvalue()
    assert is_harmless(screen.getvalue())


def test_programs_get_identifiers_as_they_are_and_json_that_means_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    print_list("ids", [Item(name="a\u202eb")], [Column("name", lambda item: item.name)], none="")
    assert capsys.readouterr().out == "a\u202eb\n"
    print_json({"name": EVIL, "city": "Zürich", "rocket": "\U0001f680", "tag": "\U000e0041"})
    shown = capsys.readouterr().out
    assert is_harmless(shown)
    assert "Zürich" in shown
    assert json.loads(shown) == {"name": EVIL, "city": "Zürich", "rocket": "\U0001f680", "tag": "\U000e0041"}
    print_json_line(Item(name=EVIL))
    line = capsys.readouterr().out
    assert is_harmless(line)
    assert json.loads(line) == {"name": EVIL}


def test_results_and_titles_are_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    foreign = EVIL.replace("\n", " ")
    print_result(f"wrote {foreign}")
    print_title(foreign)
    assert is_harmless(capsys.readouterr().out)


def test_a_wrong_argument_is_shown_with_escapes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "\x1b]0;PWNED\x07\u202e.trigger"]) != 0
    assert main(["\x1b[2J"]) == 2
    assert is_harmless(capsys.readouterr().err)


def test_warnings_of_a_command_have_the_format_of_the_logs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert logging.lastResort is not None
    record = logging.LogRecord("triggers.vehicle", logging.WARNING, "x.py", 1, "refused: %s", (EVIL,), None)
    line = logging.lastResort.format(record)
    assert " WARNING longtail triggers.vehicle: refused: x\\nforged" in line
    assert line.isprintable()


def test_dead_letters_and_problems_of_vehicles_cannot_command_the_terminal(api: Api, longtail: Longtail) -> None:
    with api.database.begin() as transaction:
        dead_letters.record(transaction, stage="gateway", reason="manifest_invalid", detail=EVIL)
    api.check_in(api.enrol("car-1"), problems=[EVIL])
    for words in (("dead-letters", "list"), ("vehicles", "problems"), ("vehicles", "show", "car-1")):
        for form in ((), ("--json",)):
            shown = longtail(*words, *form)
            assert shown.status == 0
            assert "PWNED" in shown.out
            assert is_harmless(shown.out + shown.err), (words, form)


def test_whatever_is_printed_goes_through_the_module_that_escapes() -> None:
    found = []
    for file in sorted((REPOSITORY / "fleet_api" / "cli").rglob("*.py")):
        name = file.relative_to(REPOSITORY).as_posix()
        if name not in ITSELF | OF_THE_CALLER:
            found += [f"{name}:{line}" for line in printing_lines(file)]
    assert found == []


def printing_lines(file: Path) -> list[int]:
    """Lines that print without `output`: `click.echo`, `print`, and writing to standard output."""
    calls = [node.func for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
    printing = ("print", "click.echo", "click.secho", "sys.stdout.write")
    return [call.lineno for call in calls if ast.unparse(call) in printing]
