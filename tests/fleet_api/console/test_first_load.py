"""How many bytes a browser fetches before a page is there: told from the built files, without a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from fleet_api.console import built

MAX_FIRST_LOAD_BYTES = 450_000
"""Of everything that a page needs before its map, compressed as it is sent."""
MAX_OF_THE_SMALLEST_BYTES = 100_000
"""Of the list of campaigns, which has no chart, editor or map."""
_AT_ONCE = re.compile(r'(?:\bfrom|\bimport)"\./([\w.-]+\.js)"')
_LATER = re.compile(r"\bimport\(`\./([\w.-]+\.js)`\)(?:,__vite__mapDeps\(\[([\d,]*)\]\))?")
_LIST = re.compile(r"m\.f=\[([^\]]*)\]")
_MAP = "maplibre-gl"


@pytest.fixture(scope="module")
def start(built_console: None) -> set[str]:
    """The files that the console's page itself names."""
    named = re.findall(r'(?:src|href)="\./assets/([\w.-]+\.(?:js|css))"', built.index() or "")
    assert any(name.endswith(".js") for name in named)
    return needed_at_once(named)


def text_of(name: str) -> str:
    found = built.file(f"assets/{name}")
    assert found is not None, name
    return found.content.decode()


def needed_at_once(names: list[str]) -> set[str]:
    """These files, and all that they import without waiting."""
    found: set[str] = set()
    pending = [*names]
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += _AT_ONCE.findall(text_of(name)) if name.endswith(".js") else []
    return found


def loaded_later(names: set[str]) -> Iterator[tuple[str, set[str]]]:
    """What these files import when it is wanted: the file, and all that comes with it."""
    for name in sorted(names):
        if not name.endswith(".js"):
            continue
        (listed,) = _LIST.findall(text_of(name)) or [""]
        numbered = re.findall(r'"\./([\w.-]+)"', listed)
        for wanted, numbers in _LATER.findall(text_of(name)):
            beside = [numbered[int(number)] for number in numbers.split(",") if number]
            yield wanted, needed_at_once([wanted, *beside])


def sent_bytes(names: set[str]) -> int:
    files = [built.file(f"assets/{name}") for name in names]
    return sum(len(file.compressed or file.content) for file in files if file is not None)


def pages(start: set[str]) -> dict[str, set[str]]:
    """Every page with all that it loads beside what the frame has: its charts and its editor, but not the map."""
    found = {}
    for page, files in loaded_later(start):
        whole, new = set[str](), files - start
        while new:
            whole |= new
            behind = [names for name, names in loaded_later(new) if not name.startswith(_MAP)]
            new = set().union(*behind) - whole - start
        found[page.partition("-")[0]] = whole
    return found


def test_every_page_is_loaded_with_less_than_450_kb_before_its_map(start: set[str]) -> None:
    sizes = {page: sent_bytes(start | files) for page, files in pages(start).items()}
    assert sizes.keys() >= {"CampaignList", "Clips", "Clip", "Budget", "Labels", "SignIn"}
    assert {page: size for page, size in sizes.items() if size > MAX_FIRST_LOAD_BYTES} == {}
    assert sizes["CampaignList"] <= MAX_OF_THE_SMALLEST_BYTES


def test_heavy_packages_are_loaded_by_the_pages_that_need_them_alone(start: set[str]) -> None:
    maps = {name for name in built.names() if name.startswith(f"assets/{_MAP}") and name.endswith(".js")}
    assert sum(len(file.compressed or b"") for name in maps if (file := built.file(name))) > 300_000
    loaded = pages(start)
    assert not any(name.startswith(_MAP) for files in loaded.values() for name in files)
    assert any(name.startswith("uPlot") for name in loaded["Budget"])
    assert not any(name.startswith("uPlot") for name in start | loaded["CampaignList"])
