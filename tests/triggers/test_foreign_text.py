"""Names and reasons that others choose command no terminal, forge no line, and turn nothing around."""

from __future__ import annotations

import json
import re

import pytest

from triggers.contracts.checkin import CheckIn
from triggers.contracts.clip import CreationRequest
from triggers.errors import InvalidInput
from triggers.foreign_text import MAX_NAME_CHARACTERS, escaped, escaped_lines, foreign_name, require_seen

FLAG = "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
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


@pytest.mark.parametrize(
    "text", ["a b", "क्\u200dष", "👨\u200d👩", "\U0001fae9", "a\U0001fae9", FLAG, f"x {FLAG}", "\u0378"]
)
def test_what_is_seen_is_left_whatever_version_of_unicode_has_it(text: str) -> None:
    assert require_seen(text) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ab\u200b", "character 3 in it is not seen: U+200B is a formatting character"),
        ("a\x1b[2J", "character 2 in it is not seen: U+001B is a control character"),
        ("a\u00a0b", "character 2 in it is not seen: U+00A0 is a blank other than the space"),
        ("a\u2029b", "character 2 in it is not seen: U+2029 is a line break"),
        ("\u200da", "character 1 in it is not seen: U+200D is a formatting character"),
        ("a\udc80", "character 2 in it is not seen: U+DC80 is half of a surrogate pair"),
        ("a\ue000", "character 2 in it is not seen: U+E000 is a character of private use"),
        ("a\U000e0080", "character 2 in it is not seen: U+E0080 is not a character"),
        (FLAG + FLAG[1:], "character 8 in it is not seen: U+E0067 is a formatting character"),
        (FLAG[:-1], "character 2 in it is not seen: U+E0067 is a formatting character"),
    ],
    ids=repr,
)
def test_what_is_not_seen_is_refused_and_named_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        require_seen(text)


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
