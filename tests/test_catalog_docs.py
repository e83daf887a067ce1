"""The page on searching clips: every filter compiles, and its tables, names and limits are those of the code."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from storage.clips.cql2 import parse_filter, source
from storage.clips.cql2.arithmetic.ratio import MAX_DIGITS
from storage.clips.cql2.filter import MAX_OF_TRACK
from storage.clips.cql2.parse import OPERATORS
from storage.clips.cql2.standard import FUNCTIONS
from storage.clips.cql2.standard.conformance import NAMES as CLASSES
from storage.clips.cql2.track.geometry import MAX_POSITIONS
from storage.clips.cql2.written import translate
from storage.clips.details import MAX_LABELS
from storage.clips.plan.indexes import index_of
from storage.clips.properties import (
    PATTERNS,
    PROPERTIES,
    Property,
    known_names,
    require_property,
    sortable_names,
)
from storage.clips.query import DEFAULT_PAGE, MAX_PAGE
from storage.clips.search import SEARCH_TIMEOUT_S
from storage.labels import jobs as label_jobs
from tests.support.paths import REPOSITORY
from tests.support.servers.database import migrated_database
from triggers.contracts.api.clips import DEFAULT_SORT, ClipDetailsView, ClipView
from triggers.contracts.api.labels import MAX_CLAIM
from triggers.errors import InvalidInput

NOW_NS = 1_796_472_000 * 10**9
"""2026-12-05T12:00:00Z"""
PAGE = (REPOSITORY / "docs" / "catalog.md").read_text("utf-8")
DOCUMENTS = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(text: str, language: str) -> list[str]:
    return [block for written_in, block in _BLOCK.findall(text) if written_in == language]


def filters() -> list[str]:
    return [line for block in blocks(PAGE, "cql2") for line in block.splitlines()]


def searches() -> Iterator[str]:
    """Filters of the searches on the command line, of every document."""
    for document in DOCUMENTS:
        for block in blocks(document.read_text("utf-8"), "console"):
            for line in block.splitlines():
                if line.startswith("$ longtail clips search "):
                    yield shlex.split(line)[4]


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def names(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text))


@pytest.mark.parametrize("text", filters())
def test_every_filter_compiles(text: str) -> None:
    parse_filter(text, "cql2-text").where()


@pytest.fixture(scope="module")
def catalog(postgres_url: str, migrated: str) -> Iterator[Connection]:
    """A catalog that knows the unit of the signal that searches on the command line ask for."""
    with migrated_database(postgres_url, migrated) as database, database.begin() as connection:
        known_names.add_units(connection, [("ego.speed", "m/s")])
        yield connection


@pytest.mark.parametrize("text", dict.fromkeys(searches()))
def test_every_search_on_the_command_line_is_translated_and_compiles(catalog: Connection, text: str) -> None:
    parse_filter(translate(catalog, text, now_ns=NOW_NS), "cql2-text").where()


def test_the_table_of_translations_is_what_they_give(catalog: Connection) -> None:
    rows = re.findall(r"^\| `([^`]+)` \| `([^`]+)`.* \|$", section("Units"), re.MULTILINE)
    assert len(rows) > 3
    for written, translated in rows:
        assert translate(catalog, written, now_ns=NOW_NS) == translated


def test_every_tree_compiles() -> None:
    trees = blocks(section("JSON"), "json")
    assert trees
    for tree in trees:
        parse_filter(json.dumps(json.loads(tree)), "cql2-json").where()


def test_the_answers_on_the_page_are_those_of_the_api() -> None:
    listed, details = (json.loads(block) for block in blocks(section("What an answer contains"), "json"))
    assert json.loads(ClipView.model_validate(listed).model_dump_json()) == listed
    shown = ClipDetailsView.model_validate({**listed, **details, "software": {}, "assets": [], "label_documents": []})
    assert json.loads(shown.model_dump_json(include=set(details))) == details
    for name in (*listed["attributes"], *details["statistics"]):
        parse_filter(f"{name} IS NOT NULL", "cql2-text")


def test_the_page_has_filters_and_searches() -> None:
    assert len(filters()) > 20
    assert len(list(searches())) > 4


def row_of(described: Property) -> str:
    """A property as a row of the page's table."""
    called = ", ".join(f"`{name}`" for name in (described.name, *described.aliases))
    kind = {"attribute": "text, number or bool", "geometry": "track"}.get(described.kind, described.kind)
    values = ": " + ", ".join(f"`{value}`" for value in described.values) if described.values else ""
    cells = [called, kind, described.unit or "", "yes" if described.sort else "", described.description + values]
    return "| " + " | ".join(cells) + " |"


def test_the_table_of_properties_is_that_of_the_code() -> None:
    rows = [line for line in section("Properties").splitlines() if line.startswith("| `")]
    expected = [row_of(described) for described in (*PROPERTIES, *map(require_property, PATTERNS))]
    assert rows == expected, "the table should be:\n" + "\n".join(expected)


def test_every_property_can_be_asked_for_by_each_of_its_names() -> None:
    for described in (*PROPERTIES, *map(require_property, PATTERNS)):
        for name in (described.name, *described.aliases):
            parse_filter(f"{name} IS NULL", "cql2-text")


def test_all_operators_are_listed_and_no_others() -> None:
    rows = [line.split("|")[1] for line in section("Operators").splitlines() if line.startswith("| `")]
    assert set().union(*(names(row) for row in rows)) == set(OPERATORS)


def is_walked(name: str) -> bool:
    """Whether an index has the clips in the order of a property with one value per clip."""
    index = index_of(require_property(name))
    return index is not None and index.in_order


def test_limits_and_sort_keys_are_those_of_the_code() -> None:
    limits = section("Limits")
    assert f"{source.MAX_BYTES} bytes, {source.MAX_NODES} operators" in limits
    assert f"nested {source.MAX_DEPTH} deep |" in limits
    assert f"{source.MAX_ITEMS} items" in limits
    assert f"{MAX_POSITIONS} positions" in limits
    assert f"{MAX_DIGITS} digits" in limits
    assert f"{MAX_OF_TRACK} in a filter" in limits
    assert f"{MAX_PAGE} clips" in limits
    assert f"{SEARCH_TIMEOUT_S:g} s" in limits
    assert f"newest {MAX_LABELS} " in limits
    sorting = section("Sorting and paging")
    without = (described for described in (*PROPERTIES, *map(require_property, PATTERNS)) if not described.sort)
    unsortable = {name for described in without for name in (described.name, *described.aliases)}
    assert names(sorting.split(".\n", 1)[0]) == {*unsortable, "sortby"}
    walked = sorting.split("in the order of `id`", 1)[1].split(", and of the statistics", 1)[0]
    assert names(walked) == {name for name in sortable_names() if is_walked(name)} - {"id"}
    assert f"`{DEFAULT_SORT}`" in sorting
    assert f"{DEFAULT_PAGE} by default" in sorting
    jobs = section("Label jobs")
    assert f"up to {MAX_CLAIM} jobs" in jobs
    assert f"After {label_jobs.MAX_ATTEMPTS} attempts" in jobs


def test_the_classes_and_functions_on_the_page_are_those_of_the_code() -> None:
    standard = section("The standard")
    titles = {title.lower() for title in re.findall(r'"([^"]+)"', standard)} - {"property-property"}
    assert len(titles) == len(CLASSES)
    assert titles >= {name.replace("-", " ") for name in ("cql2-text", "cql2-json", "spatial-functions", "functions")}
    assert names(standard) - {"GET /v1/functions"} == {function.name for function in FUNCTIONS}


def test_what_the_page_says_is_not_there_is_refused() -> None:
    for refused in ("f(state)", "S_TOUCHES(box, POINT(1 2))", "S_CROSSES(geometry, box)", "region = 'EU'"):
        with pytest.raises(InvalidInput):
            parse_filter(refused, "cql2-text")
