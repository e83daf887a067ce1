"""No SQL casts a value of JSON to a number: before PostgreSQL 18, that fails for JSON's null.

What once went wrong: limits that a trigger does not have are nulls in its settings. Their casts passed on the embedded
server, and failed on the older servers that a deployment may bring. `->> 'name'` and `#>> '{}'` give texts, and NULL
for a null.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.support.paths import REPOSITORY

NUMBERS = "bigint|boolean|double precision|int|int4|int8|integer|numeric|real|smallint"
CASTS = re.compile(r"\bCAST\(", re.IGNORECASE)
TO_A_NUMBER = re.compile(rf"(.*)\bAS\s+({NUMBERS})\s*", re.IGNORECASE | re.DOTALL)
JSON = re.compile(r"(->|#>)(?!>)|\bjsonb?_(path_query(_first)?|extract_path|array_element)\(")
TEXT = re.compile(r"->>|#>>")
SHORT = re.compile(rf"((->|#>)\s*('[^']*'|\w+)|\bjsonb?_\w+\([^()]*\))\)?\s*::\s*({NUMBERS})\b")


@pytest.mark.parametrize("folder", ["storage", "migrations", "fleet_api", "ingest"])
def test_sql_casts_texts_of_json(folder: str) -> None:
    found = {
        f"{path.relative_to(REPOSITORY)}: {cast}"
        for path in sorted((REPOSITORY / folder).rglob("*.py"))
        for cast in casts_of_json(path.read_text("utf-8"))
    }
    assert found == set()


@pytest.mark.parametrize(
    ("sql", "is_found"),
    [
        ("CAST(budget -> 'clips' AS bigint)", True),
        ("CAST(jsonb_path_query_first(t, '$[*] ? (@.a == $b).c', jsonb_build_object('b', d ->> 'e')) AS bigint)", True),
        ("CAST(a ->> 'b' #> c AS numeric)", True),
        ("ceil(CAST(ceil(CAST(a -> 'b' AS numeric)) AS bigint))", True),
        ("(a -> 'b')::int", True),
        ("CAST(a -> 'b' ->> 'c' AS bigint)", False),
        ("CAST(jsonb_path_query_first(t, '$.c') #>> '{}' AS bigint)", False),
        ("CAST((SELECT max(a ->> 'b') FROM c) AS bigint)", False),
        ("CAST(a -> 'b' AS text)", False),
        ("(a -> 'b' ->> 'c')::int", False),
    ],
)
def test_a_cast_of_json_is_found(sql: str, is_found: bool) -> None:
    assert bool(list(casts_of_json(sql))) is is_found


def casts_of_json(source: str) -> Iterator[str]:
    """Casts to a number of what is JSON at the end, in any SQL of a source text."""
    for start in CASTS.finditer(source):
        cast = TO_A_NUMBER.fullmatch(_inside(source, start.end()))
        if cast is None:
            continue
        own = _without_parentheses(cast[1])
        last = max((found.start() for found in JSON.finditer(own)), default=-1)
        if last > max((found.start() for found in TEXT.finditer(own)), default=-1):
            yield cast[0]
    yield from (found[0] for found in SHORT.finditer(source))


def _inside(source: str, start: int) -> str:
    """The text until the parenthesis is closed that was opened before `start`."""
    depth = 1
    for end in range(start, len(source)):
        depth += {"(": 1, ")": -1}.get(source[end], 0)
        if not depth:
            return source[start:end]
    return ""


def _without_parentheses(expression: str) -> str:
    """An expression without what is inside its parentheses, which are left."""
    before = None
    while before != expression:
        before, expression = expression, re.sub(r"\([^()]+\)", "()", expression)
    return expression
