"""The server as a process: what it prints, and how it ends."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.support.paths import REPOSITORY

pytestmark = pytest.mark.integration

INITIALIZE = {"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}


def lines(*messages: object) -> bytes:
    return b"".join(
        (message if isinstance(message, bytes) else json.dumps({"jsonrpc": "2.0", **message}).encode()) + b"\n"  # type: ignore[dict-item]
        for message in messages
    )


def test_only_messages_are_printed_and_the_process_ends_with_its_input(command: list[str]) -> None:
    check = {"name": "check", "arguments": {"text": "trigger a { when ego.speed > 3 }"}}
    sent = lines(
        {"id": 1, "method": "initialize", "params": INITIALIZE},
        {"method": "notifications/initialized"},
        b"this is no message",
        {"id": 2, "method": "resources/templates/list"},
        {"id": 3, "method": "no/such"},
        {"id": 4, "method": "tools/call", "params": {"name": "nothing"}},
        {"id": 5, "method": "tools/list", "params": {"cursor": "x"}},
        {"id": 6, "method": "resources/read", "params": {"uri": "file:///etc/passwd"}},
        {"id": 7, "method": "prompts/get", "params": {"name": "write_trigger"}},
        {"id": 8, "method": "tools/call", "params": check},
    )
    process = subprocess.Popen(
        command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(sent)
        process.stdin.flush()
        answers = [json.loads(process.stdout.readline()) for _ in range(9)]
        process.stdin.close()
        assert process.stdout.read() == b""
        assert process.wait(timeout=60) == 0
    by_id = {answer["id"]: answer for answer in answers}
    assert {each: answer["error"]["code"] for each, answer in by_id.items() if "error" in answer} == {
        None: -32700,
        3: -32601,
        4: -32602,
        5: -32602,
        6: -32602,
        7: -32602,
    }
    text, data = by_id[8]["result"]["content"]  # the oldest version has no structured content
    assert "LT301" in text["text"]
    assert json.loads(data["text"])["diagnostics"][0]["code"] == "LT301"


def test_its_end_is_that_of_its_input_also_in_the_middle_of_a_call(command: list[str]) -> None:
    call = {"name": "backtest", "arguments": {"path": "more/file.trigger"}}
    sent = lines(
        {"id": 1, "method": "initialize", "params": INITIALIZE}, {"id": 2, "method": "tools/call", "params": call}
    )
    done = subprocess.run(command, cwd=REPOSITORY, input=sent, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[0])["id"] == 1
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words", [["--root", "/no/such/folder"], ["--drives", "/no/such/drives"], ["--signals", "/no/such.yaml"]]
)
def test_what_is_not_there_is_told_at_the_start(command: list[str], words: list[str]) -> None:
    done = subprocess.run(
        [*command[:4], *words], cwd=REPOSITORY, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stdout == b""
    assert words[1].encode() in done.stderr
