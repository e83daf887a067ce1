"""What tools can reach: files below the given folders, by whatever path; drives, but not by links; and no more."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from fleet_api.agents.workspace import CATALOG_SUFFIXES, TRIGGER_SUFFIXES, Workspace, resolved
from tests.fleet_api.backtests.recorded import CATALOG
from triggers.errors import InvalidInput, Misconfigured


def test_a_file_is_found_by_its_path_below_a_folder_or_as_a_whole(workspace: Workspace, folder: Path) -> None:
    found = (folder / "work", Path("more/file.trigger"))
    for given in ("more/file.trigger", "./more/../more/file.trigger", str(folder / "work/more/file.trigger")):
        assert workspace.file(given, TRIGGER_SUFFIXES) == found


def test_links_within_the_folder_are_followed(workspace: Workspace, folder: Path) -> None:
    (folder / "work" / "other.trigger").symlink_to("more/file.trigger")
    assert workspace.file("other.trigger", TRIGGER_SUFFIXES)[1] == Path("more/file.trigger")


@pytest.mark.parametrize(
    "given",
    [
        "../outside.trigger",
        "more/../../outside.trigger",
        "file.trigger",
        "more",
        "out.trigger",
        "away/outside.trigger",
        "circle.trigger",
        "pipe.trigger",
        "signals.yaml",
        ".env",
        "/etc/passwd",
        "/proc/self/environ",
        "a\0.trigger",
        "a" * 1000,
        "~/x.trigger",
    ],
)
def test_what_is_not_a_trigger_file_below_the_folders_is_not_there(
    given: str, workspace: Workspace, folder: Path
) -> None:
    (folder / "outside.trigger").write_text("")
    work = folder / "work"
    (work / "out.trigger").symlink_to(folder / "outside.trigger")
    (work / "away").symlink_to(folder)
    (work / "circle.trigger").symlink_to("circle.trigger")
    os.mkfifo(work / "pipe.trigger")
    (work / ".env").write_text("TOKEN=x")
    with pytest.raises(InvalidInput, match=r"there is no \.trigger file") as refused:
        workspace.file(given, TRIGGER_SUFFIXES)
    assert str(folder) not in str(refused.value)


def test_without_folders_no_path_leads_anywhere(workspace: Workspace) -> None:
    with pytest.raises(InvalidInput):
        replace(workspace, roots=()).file("/etc/hosts", CATALOG_SUFFIXES)


def test_the_catalog_is_the_one_that_is_named_or_else_that_of_the_server(workspace: Workspace, folder: Path) -> None:
    (folder / "work" / "other.yml").write_text("signals: {a: {rate: 1}}")
    assert workspace.catalog_text(None, None) == CATALOG
    assert workspace.catalog_text("x", None) == "x"
    assert workspace.catalog_text(None, "other.yml").startswith("signals: {a")
    with pytest.raises(InvalidInput, match="both given"):
        workspace.catalog_text("x", "other.yml")
    with pytest.raises(InvalidInput, match="start the server with --signals"):
        replace(workspace, signals=None).catalog_text(None, None)


def test_a_catalog_that_cannot_be_read_is_told_without_its_path(
    workspace: Workspace, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "work" / "signals.yaml").write_bytes(b"\xff")
    with pytest.raises(InvalidInput) as refused:
        workspace.catalog_text(None, None)
    assert str(folder) not in str(refused.value)
    assert str(folder) in capsys.readouterr().err


def test_drives_are_files_and_folders_and_no_link_among_them_is_followed(workspace: Workspace, folder: Path) -> None:
    drives = folder / "drives"
    (drives / "x" / "coast").mkdir(parents=True)
    for name in ("x/coast/signals.parquet", "x/coast/other.parquet", "x/b.parquet"):
        (drives / name).write_bytes(b"12345")
    (drives / "notes.txt").write_text("")
    (folder / "elsewhere.parquet").write_bytes(b"")
    (drives / "link.parquet").symlink_to(folder / "elsewhere.parquet")
    (drives / "up").symlink_to(folder)
    offered = {drive.name: drive for drive in workspace.offered_drives()}
    assert list(offered) == ["a", "b", "x/b", "x/coast"]
    assert offered["x/coast"].size_bytes == 5


def test_drives_of_several_folders_have_names_of_their_own(workspace: Workspace, folder: Path) -> None:
    (folder / "other").mkdir()
    (folder / "other" / "a.parquet").write_bytes(b"")
    several = replace(workspace, drives=(*workspace.drives, folder / "other", folder / "drives" / "b.parquet"))
    assert [drive.name for drive in several.offered_drives()] == ["a", "b", "a (2)"]


def test_files_are_counted_over_all_folders_of_drives(
    workspace: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        (folder / name).mkdir()
        for number in range(3):
            (folder / name / f"{number}.txt").write_text("")
    monkeypatch.setattr("fleet_api.agents.workspace.MAX_ENTRIES", 5)
    assert not replace(workspace, drives=(folder / "one",)).offered_drives()
    with pytest.raises(InvalidInput, match="more than 5 files"):
        replace(workspace, drives=(folder / "one", folder / "two")).offered_drives()


def test_a_path_of_the_command_line_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"--root .*: there is no such file or folder"):
        resolved(tmp_path / "nowhere", "--root")
