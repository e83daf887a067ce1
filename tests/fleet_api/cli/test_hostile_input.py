"""No traceback for any input: every command, with every parameter set to what it was never meant for."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import click
import httpx
import pytest

from fleet_api.cli import connection
from fleet_api.cli.main import cli, main
from fleet_api.client import Client
from tests.fleet_api.api_server import SIGNALS, campaign_text
from tests.support.foreign_words import FOREIGN_WORDS

NEVER_RETURN = {"up", "api", "gateway", "ingest", "signer"}
"""Commands that serve until they are stopped; their settings are tested where they are read."""
TEXTS = (
    "",
    "-",
    "--",
    "\udcff",
    "x" * 5000,
    "9" * 400,
    "-1",
    "1_0",
    "a/b",
    "1e999",
    "'; --",
    "../..",
    "a=b",
    "\x1b[2J",
)
CONTENTS = {
    "good.trigger": campaign_text().encode(),
    "signals.yaml": SIGNALS.encode(),
    "empty": b"",
    "binary": bytes(range(256)) * 40,
    "deep.json": b"[" * 100_000,
    "deep.yaml": b"signals: " + b"{a: " * 3000,
    "bomb.yaml": b"a: &a [x, x]\n" + b"".join(b"%c: &%c [*%c, *%c]\n" % (c + 1, c + 1, c, c) for c in range(97, 120)),
    "list.yaml": b"- 1\n- 2\n",
    "scalar.json": b"1" * 5000,
    "nan.json": b'{"a": NaN}',
    "wrong.yaml": b"signals: {a: {rate: 1e400, unit: [m]}}\nvehicle: 7\nmax_gap: x\n",
    "bom.trigger": b"\xef\xbb\xbftrigger a { when \xff }",
    "not.parquet": b"PAR1" + bytes(100) + b"PAR1",
}


def commands(group: click.Group, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that is not a group, with the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        elif name not in NEVER_RETURN:
            yield (*path, name), command


def benign(parameter: click.Parameter, folder: Path) -> str | None:
    """A value that the parameter was meant for; None to leave an option out."""
    if not parameter.required and parameter.name != "drives":  # `demo` without drives would run
        return None
    if isinstance(parameter.type, click.Path):
        names = {"catalog_file": "signals.yaml", "signals": "signals.yaml", "out": "out"}
        return str(folder / names.get(parameter.name or "", "" if "drive" in str(parameter.name) else "good.trigger"))
    if isinstance(parameter.type, click.Choice):
        return str(parameter.type.choices[0])
    return "1"


def words_of(parameter: click.Parameter, value: str | None) -> list[str]:
    if value is None:
        return []
    if isinstance(parameter, click.Option):
        return [parameter.opts[0]] if parameter.is_flag else [f"{parameter.opts[0]}", value]
    return [value]


def command_lines(command: click.Command, folder: Path) -> Iterator[list[str]]:
    """For each parameter each odd value, the others as they were meant."""
    odd = [*TEXTS, *(str(folder / name) for name in CONTENTS), str(folder), str(folder / "loop"), "/proc/self/mem"]
    if command.name == "demo":
        odd.remove("--")  # it ends the list of drives, so that the demonstration would run on its own
    parameters = sorted(command.params, key=lambda each: isinstance(each, click.Option))
    for chosen in parameters:
        is_flag = isinstance(chosen, click.Option) and chosen.is_flag
        for value in odd[:1] if is_flag else odd:  # a flag has no value
            given = [(each, value if each is chosen else benign(each, folder)) for each in parameters]
            yield [word for parameter, text in given for word in words_of(parameter, text)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("odd files")
    for name, content in CONTENTS.items():
        (folder / name).write_bytes(content)
    (folder / "loop").symlink_to("loop")
    return folder


def lost_connection(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("reset", request=request)


ANSWERS: dict[str, Callable[[httpx.Request], httpx.Response]] = {
    "a connection that is lost": lost_connection,
    "a page": lambda _: httpx.Response(200, text="<html>It works!</html>"),
    "nothing": lambda _: httpx.Response(204),
    "a redirection": lambda _: httpx.Response(302, headers={"Location": "http://127.0.0.1:1/"}),
    "a list": lambda _: httpx.Response(200, json=[]),
    "an odd problem": lambda _: httpx.Response(409, json={"code": 7, "detail": ["\x1b[2J"]}),
    "a bad gateway": lambda _: httpx.Response(502, content=b"\xff" * 9000),
}


@pytest.fixture(autouse=True)
def _nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("LONGTAIL_API_URL", "LONGTAIL_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LONGTAIL_DATA_DIR", str(tmp_path / "nothing"))
    monkeypatch.setenv("LONGTAIL_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing?connect_timeout=1")
    monkeypatch.chdir(tmp_path)


def check(words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    status = main(words)
    shown = capfd.readouterr()
    assert status in (0, 1, 2), words
    assert "Traceback" not in shown.err and "internal error" not in shown.err, (words, shown.err)
    assert not FOREIGN_WORDS.search(shown.err + shown.out), (words, shown.err)
    assert "\x1b" not in shown.err + shown.out, words
    if status:
        assert (shown.err + shown.out).strip(), words


@pytest.mark.parametrize(("path", "command"), [pytest.param(*each, id=" ".join(each[0])) for each in commands(cli)])
def test_odd_values_of_any_parameter_end_in_a_line_that_says_so(
    path: tuple[str, ...],
    command: click.Command,
    folder: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = httpx.Client(transport=httpx.MockTransport(ANSWERS["a page"]))
    monkeypatch.setattr(connection, "connect", lambda *_: nullcontext(Client("http://x", "lt_x", http=page)))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(CONTENTS["binary"])))
    for words in command_lines(command, folder):
        check([*path, *words], capfd)


CALLING = [
    (path, command) for path, command in commands(cli) if any(option.name == "api_token" for option in command.params)
]


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=list(ANSWERS))
def test_whatever_answers_instead_of_the_api_is_reported_in_a_line(
    answer: Callable[[httpx.Request], httpx.Response],
    folder: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    odd = httpx.Client(transport=httpx.MockTransport(answer))
    monkeypatch.setattr(connection, "connect", lambda *_: nullcontext(Client("http://x", "lt_x", http=odd)))
    for path, command in CALLING:
        words = [word for each in command.params for word in words_of(each, benign(each, folder))]
        check([*path, *words], capfd)


@pytest.mark.parametrize("url", ["", "x", "http://[", "http://\udcff", "http://127.0.0.1:1", "http://127.0.0.1:99999"])
@pytest.mark.parametrize("token", ["lt_x", "\udcff", "a b"])
def test_addresses_and_tokens_that_cannot_work_are_reported_in_a_line(
    url: str, token: str, capfd: pytest.CaptureFixture[str]
) -> None:
    check(["outcomes", "--url", url, "--token", token], capfd)


def test_a_damaged_client_file_is_reported_in_a_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for content in (*CONTENTS.values(), json.dumps({"api_url": 1, "gateway_url": [], "token": None}).encode()):
        (tmp_path / "client.json").write_bytes(content)
        check(["campaign", "list", "--data", str(tmp_path)], capfd)


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
def test_a_full_disk_behind_standard_output_is_reported_in_a_line(run_longtail: Callable[..., object]) -> None:
    assert run_longtail("--help", stdout="/dev/full") == (1, "longtail: No space left on device\n")


def test_a_reader_that_has_seen_enough_is_not_an_error(run_longtail: Callable[..., object]) -> None:
    assert run_longtail("--help", stdout=None) == (1, "")
