"""Documents: every command line in them can be called, and the table of settings is the settings."""

from __future__ import annotations

import itertools
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from fleet_api.cli.main import cli, main
from storage.settings import PREFIX, Settings
from tests.support.paths import RECORDED_DRIVES, REPOSITORY
from tests.support.pictures import MAX_BYTES
from triggers.language.compile import compile_source
from triggers.signals.catalog import SignalCatalog

RECORDED = RECORDED_DRIVES / "css_car_a"
DOCUMENTS = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(document: Path, language: str) -> Iterator[str]:
    for found, text in _BLOCK.findall(document.read_text("utf-8")):
        if found == language:
            yield text


def command_lines() -> Iterator[pytest.param]:  # type: ignore[valid-type]
    for document in DOCUMENTS:
        for block in (*blocks(document, "console"), *blocks(document, "sh")):
            for line in block.splitlines():
                if line.startswith(("$ longtail ", "longtail ")):
                    command = line.removeprefix("$ ").removeprefix("longtail ")
                    yield pytest.param(command, id=f"{document.name}: {command[:60]}")


def parse(words: list[str]) -> click.Context:
    """Let click parse a command line to its last command, without calling it."""
    context = cli.make_context("longtail", list(words), resilient_parsing=False)
    command: click.Command = cli
    while isinstance(command, click.Group):
        name, found, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        assert found is not None
        command = found
        context = command.make_context(name, rest, parent=context)
    return context


@pytest.mark.parametrize("line", list(command_lines()))
def test_every_documented_command_line_parses(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = [word.replace("path/to/drives", str(tmp_path)) for word in shlex.split(line)]
    words = list(itertools.takewhile(lambda word: word not in ("|", ">"), words))
    monkeypatch.chdir(tmp_path)
    for word in words:
        if (REPOSITORY / word).is_file():
            (tmp_path / word).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / word).write_bytes((REPOSITORY / word).read_bytes())
        elif word.endswith(".json"):
            (tmp_path / word).write_text("{}")
    parse(words)


def test_the_documents_name_command_lines_at_all() -> None:
    assert len(list(command_lines())) > 15


def commands(group: click.Group, *path: str) -> Iterator[tuple[str, click.Command]]:
    """Every command that is not a group, by the words that call it."""
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        else:
            yield " ".join((*path, name)), command


def test_every_command_has_help_and_is_in_a_document() -> None:
    documented = [line.values[0] for line in command_lines()]
    for words, command in commands(cli):
        assert command.help, words
        assert any(f"{line} ".startswith(f"{words} ") for line in documented), f"no document shows longtail {words}"


def test_the_lines_of_help_in_lists_of_commands_are_whole() -> None:
    for words, command in commands(cli):
        if " " in words:  # the others have their line in the table of commands
            assert not command.get_short_help_str().endswith("..."), words


@pytest.mark.parametrize("name", ["url", "api_token", "data"])
def test_every_command_that_asks_the_api_can_be_told_which(name: str) -> None:
    asking = [words for words, command in commands(cli) if any(each.name == name for each in command.params)]
    assert {words.split()[0] for words in asking} >= {"vehicles", "campaign", "clips", "labels", "budget", "outcomes"}


def test_the_table_of_settings_is_complete_and_its_defaults_are_right() -> None:
    rows = dict(
        re.findall(rf"^\| `({PREFIX}\w+)` \| (.*?) ?\|", (REPOSITORY / "docs/operations.md").read_text(), re.MULTILINE)
    )
    expected = {}
    for name, field in Settings.model_fields.items():
        default = str(field.default).lower() if isinstance(field.default, bool) else field.default
        expected[PREFIX + name.upper()] = f"`{default}`" if default not in ("", None) else ""
    assert rows == expected


def test_the_example_in_the_readme_compiles_against_the_demo_catalog() -> None:
    example = next(text for text in blocks(REPOSITORY / "README.md", "") if "\ntrigger " in text)
    catalog = SignalCatalog.load(REPOSITORY / "fleet_api/demo/signals.yaml")
    compilation = compile_source(example, filename="README.md", catalog=catalog)
    assert compilation.ok, [diagnostic.render() for diagnostic in compilation.diagnostics]
    assert not compilation.diagnostics


def test_the_trigger_on_objects_in_the_readme_is_that_of_the_examples() -> None:
    (shown,) = (text for text in blocks(REPOSITORY / "README.md", "") if "o in tracked" in text)
    assert shown in (REPOSITORY / "examples/driving_team/traffic.trigger").read_text("utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_links_within_the_repository_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text("utf-8")):
        assert (document.parent / target).exists(), target


def test_the_check_in_the_readme_finds_nothing_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    (line,) = (
        line for line in (REPOSITORY / "README.md").read_text().splitlines() if line.startswith("$ longtail check")
    )
    assert main(shlex.split(line)[2:]) == 0


@pytest.mark.drives
@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded drive css_car_a is not here")
def test_the_backtest_in_the_readme_finds_the_hard_brakings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(REPOSITORY)
    lines = (REPOSITORY / "README.md").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("$ longtail backtest"))
    words = [word.replace("path/to/drives", str(RECORDED)) for word in shlex.split(line)[2:]]
    assert main([*words, "--json", "-"]) == 0
    assert [round(fire["t"]) for fire in json.loads(capsys.readouterr().out)["fires"]] == [107, 2241]


def test_the_makefile_passes_what_the_readme_says_to_the_demo() -> None:
    makefile = (REPOSITORY / "Makefile").read_text()
    assert all(f"--{option}" in makefile for option in ("drives", "signals", "campaign"))
    parse(["demo", "--drives", str(REPOSITORY), "--signals", "s.yaml", "--campaign", "c.trigger"])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_path_that_a_document_names_exists(document: Path) -> None:
    named = re.findall(
        r"`((?:triggers|storage|ingest|fleet_api|migrations|tests|tools|bench|docs|examples)/[\w./-]*)`",
        document.read_text("utf-8"),
    )
    assert [path for path in named if not (REPOSITORY / path).exists()] == []


def pictures() -> dict[Path, list[str]]:
    """The pictures that documents show, each with what stands for it where it cannot be seen."""
    found: dict[Path, list[str]] = {}
    for document in DOCUMENTS:
        for instead, target in re.findall(r"!\[([^\]]*)\]\((?!https?:)([^)]+)\)", document.read_text("utf-8")):
            found.setdefault((document.parent / target).resolve(), []).append(instead)
    return found


def test_the_three_main_pages_of_the_console_are_shown_in_small_pictures_with_words_in_their_stead() -> None:
    shown = {path: words for path, words in pictures().items() if path.parent == REPOSITORY / "docs" / "images"}
    assert shown.keys() == set((REPOSITORY / "docs" / "images").iterdir())
    assert {path.name for path in shown} >= {"campaigns.png", "clips.png", "volume.png"}
    for path, words in shown.items():
        picture = path.read_bytes()
        assert picture.startswith(b"\x89PNG") and int.from_bytes(picture[16:20], "big") == 1280, path
        assert len(picture) <= MAX_BYTES, path
        assert all(len(each.split()) >= 8 for each in words), path
