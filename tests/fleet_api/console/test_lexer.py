"""The console highlights and completes by the tokens of the language: its lexer gives what the language's own gives."""
# ruff: noqa: RUF001 - characters that look like others are the subject

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from random import Random
from typing import Any
from unicodedata import category

import pytest

from tests.support.paths import REPOSITORY
from tests.triggers.language.randomised.programs import random_program
from tools import console
from triggers.language.text.diagnostics import Source
from triggers.language.text.lexer import NEVER_UNITS, TokenKind, tokenize
from triggers.language.text.reporter import Reporter
from triggers.language.text.syntax import BLOCKS

LEXER = console.APP / "src/pages/campaigns/editor/language/lexer.ts"
PROGRAM = """
import { readFileSync } from "node:fs";
const { BLOCKS, NEVER_UNITS, tokenize } = await import(process.argv[1]);
const told = (text) => {
  const points = [0];  // by place, as JavaScript counts: the characters before it
  for (const character of text) points.push(...Array(character.length).fill(points.at(-1) + 1));
  return tokenize(text).map(({ kind, text: read, from, to }) => [kind, read, points[from], points[to]]);
};
const texts = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify({ blocks: [...BLOCKS], never: [...NEVER_UNITS], texts: texts.map(told) }));
"""
ODD = (
    "",
    "\n\r\n \t",
    "(a).b nearest(o in t by 5 where p).x.y ) .a ).5 )._x ).é 3 by 3 where 3 bye",
    "a.b.* a.b a.* a.. .a a.1 _x.y_2",
    "2026-12-01 2026-12-011 2026-1-1 20 26-12-01",
    "20 km/h 20km/h 3 m / s 3 m/ s 1/s 5 1/s 5 % 5% 5 deg ( 5 kmh(",
    "7 L/100km 7 kWh/100km*m 2 m^2 2 m^-1*s 2 m^ 2 a.b 2 and 2 for 2 in x 3 clips 3 inch",
    "0x10 0b11 0B2 1_000.5 .5 5. 5.m 5.5.5 1e5 1E-3 1e 00.5 1_0_0_ ." + "1" * 50,
    "22:30 0:05 9:59:59 24:00:00 1:2 22:60 22:30:1 3.2.1 31.12.2026 1.1.20266 1.000.000 5.5.5.x 2026-12-01T10:00Z 1.2.",
    "1:00h 2026-12-01T10:00+02:00 2026-12-01Tx " + "1.2" * 30 + " 2026-12-01T" + "1" * 40,
    "a // b\nc /* d */ e /* f\ng * / h // /* i\n/** j **/ k /*/ l",
    "a ? 1:20 : 3\n1:20 [1:30] /* x\n? y */ 2:30\n/* ? */ 3:30 ? /*\n*/ 4:30 /*/ 5:30",
    "32.13.2026 29.2.2028 29.2.2027 1.1.0000 2026-12-01 10:00",
    "=== !== => =< <> <= >= == != <<>> =!=",
    "a && b || !c & d | e ^ f % g ~ h ? i : j ; k @ $ \\",
    "− – — × · ÷ ≤ ≥ ≠ ≡ [a] （ｂ） ＜＝ ﹢",
    "'a' ‘a’ “a” «a» `a´ \"a “b\" ‘never closed",
    'when x == "P and so on\nnext "closed" "" "\\" "#"',
    "20 µm 20 μm 20 Ω 20 \u2126 20 °C 20 ℃ 20 m² 20 m⁻¹ 20 ％ 20 m·s 20 m⋅s 20 m×s",
    "straße ünder.läufer a.größe.* größe.* 速度 > 3 x_ÿ ²x Ⅷ １２ ٣ x́",
    "a\u00a0b\u200b\u200bc\ufeff\x00\x01\x7f\u2028\u2029\x85\x0b\x0cd",
    "🚗 a🚗b 🚗🚗 > 𝑥 𝟛 𝐚𝐛.𝐜 👨\u200d👩",
    "20 km/h# comment\n# “quoted” 20 km/h\n#",
    "1/s 3 1/100km 3 /100km 3 m/100km 3 */s",
)
PIECES = (
    *"abcxyz_09.,(){}<>=!+-*/%^&|\"'#\n\r\t  ;:@~?[]\\$`",
    *"éßµΩ°−×·÷≤≥≠“”‘’«»\u00a0\u200b\ufeff\u2028\x00\x01²₂٣Ⅷ½速🚗𝑥（％",
    "//", "/*", "*/", "22:30", "3.2.1", "1.12.2026", "km/h", "m/s^2",
    "1/s", "/100km", "2026-12-01", "0x1f", "1_000", ".5", "5.", "1e9", "and", "for", "in", "a.b",
    "a.*", "trigger", "when ", "==", "=>", "!==", "<>", "&&", "||", '"x"', "in ", "20 ", "3 ",
)  # fmt: skip


def texts() -> list[str]:
    """Every trigger file of the repository, programs made at random, whole and damaged, and texts that are none."""
    files = [path for path in REPOSITORY.rglob("*.trigger") if ".venv" not in path.parts]
    written = [path.read_text("utf-8", errors="replace") for path in sorted(files)]
    documented = (REPOSITORY / "docs/language.md").read_text("utf-8")
    random = Random(14)
    generated = [random_program(random).source for _ in range(40)]
    damaged = [_damaged(random, text) for text in (*written, *generated)]
    noise = ["".join(random.choices(PIECES, k=random.randint(1, 60))) for _ in range(3000)]
    letters = [
        chr(point) for point in range(0x3000) if category(chr(point)) != "Cn"
    ]  # else Node.js may know newer ones
    around = [f"a{letter}b 2{letter} {letter}x {letter}{letter}(" for letter in letters]
    return [*written, documented, *generated, *damaged, *ODD, *noise, *around]


def _damaged(random: Random, text: str) -> str:
    characters = list(text)
    for _ in range(5):
        place = random.randrange(len(characters) + 1)
        characters[place : place + random.randint(0, 3)] = random.choices(PIECES, k=random.randint(0, 3))
    return "".join(characters)


@pytest.fixture(scope="module")
def told() -> Any:
    """What the console's lexer says, run by the Node.js of the console's build."""
    return run(texts())


def run(given: Sequence[str]) -> Any:
    node = console.node_home() / "bin" / "node"
    command = [str(node), "--input-type=module", "--eval", PROGRAM, str(LEXER)]
    done = subprocess.run(command, input=json.dumps(given).encode(), capture_output=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def test_both_lexers_have_the_same_tokens_at_the_same_places(told: Any) -> None:
    given = texts()
    assert len(told["texts"]) == len(given) and len(given) > 10_000
    for text, tokens in zip(given, told["texts"], strict=True):
        source = Source(text, "a.trigger")
        expected = [
            [str(token.kind), token.text, token.span.start, token.span.end]
            for token in tokenize(source, Reporter(source))
            if token.kind is not TokenKind.END
        ]
        found = [token for token in tokens if token[0] not in ("comment", "odd")]
        assert found == expected, repr(text)
        assert "\n" not in "".join(token[1] for token in tokens), "lines can be read one by one"


def test_both_know_the_same_blocks_and_words_that_are_no_units(told: Any) -> None:
    assert set(told["blocks"]) == set(BLOCKS)
    assert set(told["never"]) == NEVER_UNITS
