"""`longtail dataset` and `longtail search`: what they print, and the commands of docs/datasets.md one by one."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.fleet_api.api_server import Api
from tests.fleet_api.cli.conftest import Longtail
from tests.fleet_api.client.datasets.exporting import add_whole_clip
from tests.support.paths import REPOSITORY

DOCUMENT = (REPOSITORY / "docs" / "datasets.md").read_text("utf-8")
CLIP_IN_DOCUMENT = "6f1c0d5e8a7b4c39a2d1e0f9b8c7d6a5"


@pytest.fixture
def clips(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """102 clips for the filters of the document, all but the first at night; `ids.txt` names the first two."""
    about = {"fired": [("braking", "hard_braking")], "statistics": {"ego.speed": (0.0, 40.0, 5.0)}}
    nights = {number: ["night"] for number in range(1, 102)}
    made = [
        add_whole_clip(api, number, labelled=number == 0, tags=nights.get(number, []), **about) for number in range(102)
    ]
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    Path("ids.txt").write_text("\n".join(made[:2]) + "\n\n", "utf-8")
    return made


def test_the_commands_of_the_document_do_what_it_says(api: Api, clips: list[str], longtail: Longtail) -> None:
    lines = re.findall(r"^\$ longtail (.*)$", DOCUMENT, re.MULTILINE)
    assert len(lines) > 20
    for number, line in enumerate(lines):
        if line.startswith("dataset add-version"):  # a clip that has come since
            add_whole_clip(api, 200 + number, fired=[("braking", "hard_braking")])
        words = shlex.split(line.replace(CLIP_IN_DOCUMENT, clips[0]))
        shown = longtail(*words)
        assert shown.status == 0, (line, shown.err)
    assert {path.name for path in Path("cuts-1").iterdir()} >= {"manifest.parquet", "shards", "dataset.json"}
    assert Path("items/items.parquet").is_file() and Path("manifest/manifest.parquet").is_file()


def test_what_the_commands_print_is_what_was_frozen(clips: list[str], longtail: Longtail) -> None:
    made = longtail("dataset", "create", "cuts", "--clips", "ids.txt", "--split", "100")
    assert re.match(r"cuts@1 has 2 clips \(.* kB\), 1 label, digest [0-9a-f]{64}\ntrain 2\n", made.out)
    assert (
        longtail("dataset", "add-version", "cuts", "--clips", "ids.txt", "--split", "100", "--json").json()["version"]
        == 1
    )
    assert longtail("dataset", "members", "cuts", "--ids").out.split() == sorted(clips[:2])
    longtail("dataset", "add-version", "cuts", "--diverse", "1", "--filter", f"id = '{clips[1]}'")
    assert longtail("dataset", "diff", "cuts", "1", "2").out == f"- {clips[0]}\n~ {clips[1]}\n"
    exported = longtail("dataset", "export", "cuts@1", "--to", "out", "--format", "mcap")
    assert exported.out == "out has 2 clips: 2 files written, 0 there already\n"
    assert "2 of 2 clips" in exported.err
    assert longtail("dataset", "export", "cuts@1", "--to", "out", "--format", "mcap").out.endswith(
        "0 files written, 2 there already\n"
    )
    longtail("clips", "erase", clips[0], "--reason", "a face", "--from", "cuts", "--yes")
    assert (
        "1 clip of this version were erased"
        in longtail("dataset", "export", "cuts@1", "--to", "out", "--format", "mcap").err
    )
    assert "erased" in longtail("dataset", "members", "cuts@1").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["create", "cuts"], "say which clips"),
        (["create", "cuts", "--clips", "none.txt"], "none.txt: cannot be read"),
        (["create", "cuts", "--clips", "ids.txt", "--split", "80/x"], "give shares in percent"),
        (["create", "cuts", "--clips", "ids.txt", "--split", "80/10"], "add up to 90 percent"),
        (["create", "cuts", "--clips", "ids.txt", "--split-by", "vehicle"], "need the shares: --split 80/10/10"),
        (["create", "cuts", "--clips", "ids.txt", "--split-seed", "b"], "need the shares: --split 80/10/10"),
        (["create", "cuts", "--clips", "ids.txt", "--filter", "id = 'a'"], "cannot be combined"),
        (["show", "nothing"], "there is no dataset 'nothing'"),
        (["export", "nothing", "--to", "out", "--format", "mcap"], "there is no dataset 'nothing'"),
        (["export", "nothing", "--to", "out", "--format", "zip"], "zip"),
        (["diff", "nothing", "1", "0"], "0"),
    ],
)
def test_a_mistake_is_said_in_a_line(clips: list[str], longtail: Longtail, arguments: list[str], said: str) -> None:
    assert clips
    shown = longtail("dataset", *arguments)
    assert shown.status in (1, 2) and said in shown.err
    assert "Traceback" not in shown.err and not Path("out").exists()


def test_the_link_of_a_saved_search_is_whole(api: Api, clips: list[str], longtail: Longtail) -> None:
    assert clips
    link = longtail("search", "save", "mine", "tag = 'night'").out.strip()
    assert link.startswith(str(api.client.base_url).rstrip("/") + "/v1/clips?filter=tag")
    assert link in longtail("search", "show", "mine").out
    assert len(longtail("search", "run", "mine", "--ids", "--limit", "7").out.split()) == 7
    assert longtail("search", "list", "--ids").out == "mine\n"
