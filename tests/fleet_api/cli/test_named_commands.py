"""Commands that messages and documents name in passing exist, and have the options that are named with them."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from fleet_api.cli.main import cli
from tests.support.paths import REPOSITORY

PACKAGES = ("fleet_api", "ingest", "storage", "triggers")
DOCUMENTS = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
_NAMED = re.compile(r"`longtail ([a-z][^`]*)`")
_ELSEWHERE = ("...", "|", ">")
"""What ends a command line that is named: the rest is left out, or is no word of it."""


def texts_of(source: Path) -> Iterator[str]:
    """The texts of a program, with a letter for each value that they are filled with."""
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def named_commands() -> Iterator[tuple[str, str]]:
    """Each command line in backquotes, and the file that names it."""
    for package in PACKAGES:
        for source in sorted((REPOSITORY / package).rglob("*.py")):
            for text in texts_of(source):
                yield from ((line, source.name) for line in _NAMED.findall(text))
    for document in DOCUMENTS:
        yield from ((line, document.name) for line in _NAMED.findall(document.read_text("utf-8")))


def mistake_in(line: str) -> str | None:
    """What is wrong with a command line whose last words may be missing; None if nothing is."""
    words = shlex.split(line)
    command: click.Command = cli
    while isinstance(command, click.Group) and words and words[0] not in _ELSEWHERE:
        name = words.pop(0)
        found = command.get_command(click.Context(command), name)
        if found is None:
            return f"{command.name} has no command {name}"
        command = found
    return _mistake_in_parameters(command, words)


def _mistake_in_parameters(command: click.Command, words: list[str]) -> str | None:
    options = {name: each for each in command.params if isinstance(each, click.Option) for name in each.opts}
    arguments = [each for each in command.params if isinstance(each, click.Argument)]
    left = sum(each.nargs for each in arguments) if all(each.nargs > 0 for each in arguments) else len(words)
    while words and words[0] not in _ELSEWHERE:
        word = words.pop(0)
        if not word.startswith("-"):
            left -= 1
            continue
        name, has_value, _ = word.partition("=")
        if name not in options and name != "--help":
            return f"{command.name} has no option {name}"
        if name in options and not options[name].is_flag and not has_value:
            del words[:1]
    return f"{command.name} takes fewer arguments" if left < 0 else None


def test_every_command_that_is_named_in_passing_can_be_called_so() -> None:
    wrong = {f"{place}: longtail {line}": mistake for line, place in named_commands() if (mistake := mistake_in(line))}
    assert wrong == {}


def test_messages_and_documents_name_commands_at_all() -> None:
    assert len({line for line, _ in named_commands()}) > 100


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ("clips show", "clips has no command show"),
        ("clips search --whenever X", "search has no option --whenever"),
        ("campaign sign NAME VERSION --key FILE", "sign takes fewer arguments"),
        ("clips erase ID ID --from NAME --reason=x", None),
        ("clips get --signals ... --from", None),
        ("compile FILE -o OUT", None),
        ("audit", None),
    ],
)
def test_a_command_that_there_is_not_is_noticed(line: str, mistake: str | None) -> None:
    assert mistake_in(line) == mistake
