"""Names and reasons that others choose command no terminal, forge no line, and turn nothing around."""

from __future__ import annotations

import json

import pytest

from triggers.contracts.checkin import CheckIn
from triggers.contracts.clip import CreationRequest
from triggers.errors import InvalidInput
from triggers.foreign_text import MAX_NAME_CHARACTERS, escaped, escaped_lines, foreign_name

EVIL = "x\n2026-11-28T00:00:00.000Z INFO forged \x1b]0;PWNED\x07\x9b31m\u202egpj.exe\u2066\u2028\x00\udc80"


def test_nothing_that_commands_a_terminal_is_left_and_nothing_is_lost() -> None:
    shown = escaped(EVIL)
    assert shown.isprintable()
    assert shown.encode().decode("unicode_escape") == EVIL


@pytest.mark.parametrize("code", [*range(0x20), *range(0x7F, 0xA0), 0x61C, 0x200E, *range(0x202A, 0x202F), 0x2066])
def test_every_control_and_every_direction_mark_is_escaped(code: int) -> None:
    assert escaped(f"a{chr(code)}b").isprintable()


def test_ordinary_text_stays_as_it_is() -> None:
    assert escaped("Zürich 東京 100 %") == "Zürich 東京 100 %"
    assert escaped_lines("a\nb\x1b") == "a\nb\\x1b"


def test_a_name_is_quoted_unless_it_is_plain_and_cut() -> None:
    assert foreign_name("recording.start_ns") == "recording.start_ns"
    assert foreign_name("a: b") == "'a: b'"
    assert foreign_name("y" * 5000) == repr("y" * MAX_NAME_CHARACTERS) + "…"


@pytest.mark.parametrize(
    "document",
    [
        {"software": {EVIL[:-1]: 1}, "vehicle_time_ns": 0},
        {EVIL[:-1]: 1, "vehicle_time_ns": 0},
        {"attributes": {"x" * 100_000: [1]}, "vehicle_time_ns": 0},
    ],
    ids=["key", "field", "long"],
)
def test_a_refusal_quotes_and_cuts_the_names_of_a_document(document: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        CheckIn.from_json(json.dumps(document).encode(), what="the check-in")
    assert refused.value.message.isprintable()
    assert len(refused.value.message) < 600


def test_a_key_that_is_given_twice_is_quoted() -> None:
    name = json.dumps(EVIL[:-1])
    body = f'{{"manifest": null, {name}: 1, {name}: 2}}'.encode()
    with pytest.raises(InvalidInput) as refused:
        CreationRequest.from_json(body, what="the request")
    assert refused.value.message.isprintable()
    twice = f'{{"vehicle_time_ns": 0, "attributes": {{{name}: 1, {name}: 2}}}}'.encode()
    with pytest.raises(InvalidInput) as refused:
        CheckIn.from_json(twice, what="the check-in")
    assert refused.value.message.isprintable()
