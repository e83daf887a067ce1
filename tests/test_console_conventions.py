"""Conventions of the console's sources, which are those of the house: a subject per file, and rooms of a size."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.test_code_map import MAX_LINES, MAX_SIBLINGS
from tools.console import APP, sources

SOURCES = sorted(path for path in sources(APP) if path.suffix in {".ts", ".svelte", ".css"})
FIRST_LINES = {
    ".ts": re.compile(r"// \S.{10,}"),
    ".svelte": re.compile(r"<!-- \S.{10,}"),
    ".css": re.compile(r"/\* \S.{10,}"),
}
FORBIDDEN = {
    r"\sstyle=[\"']": "the content policy forbids it: use `style:property={...}`",
    r"\{@html": "it would run what others wrote",
    r"\bany\b(?= *[;,)>\]=|&])": "say the type",
    r"(?<!href=\")https?://(?!127\.0\.0\.1|www\.w3\.org)": "pages load nothing from elsewhere; a link may lead there",
    r"\bconsole\.log\b": "nobody reads it",
    r"@ts-ignore|@ts-expect-error|@ts-nocheck": "say the type",
}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(APP).as_posix())
def test_a_file_says_its_subject_and_stays_small(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()
    assert FIRST_LINES[path.suffix].match(lines[0]), lines[0]
    assert len(lines) <= MAX_LINES


def test_no_folder_holds_more_files_than_a_reader_can_take_in() -> None:
    folders = {path.parent for path in SOURCES}
    counts = {folder: len([path for path in SOURCES if path.parent == folder]) for folder in folders}
    assert {folder.name: count for folder, count in counts.items() if count > MAX_SIBLINGS} == {}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(APP).as_posix())
def test_a_file_has_nothing_that_pages_must_not_have(path: Path) -> None:
    text = path.read_text("utf-8")
    assert [why for pattern, why in FORBIDDEN.items() if re.search(pattern, text)] == []


def test_packages_are_named_by_exact_versions() -> None:
    versions = re.findall(r'^    "[@\w/-]+": "([^"]+)"', (APP / "package.json").read_text(), re.MULTILINE)
    exact = [version for version in versions if re.fullmatch(r"\d+\.\d+\.\d+", version)]
    assert len(exact) >= 17
    assert [version for version in versions if version[0] in "^~*<>=" or version == "latest"] == []
