"""`longtail explain` as people and tools call it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fleet_api.cli.main import main
from tests.support.paths import REPOSITORY
from triggers.clips.size import nominal_clip_bytes
from triggers.language.compile import compile_source
from triggers.language.webassembly.host.manifest import read_manifest
from triggers.signals.catalog import SignalCatalog

DEMO = REPOSITORY / "fleet_api/demo/demo.trigger"
SIGNALS = REPOSITORY / "fleet_api/demo/signals.yaml"
CATALOG = """signals:
  speed: {unit: m/s, rate: 50}
  brake: {type: bool, update: on_change}
"""
LIBRARY = """trigger a { when max(speed over 2 s) > 3 m/s and brake cooldown 9 s }
trigger b { when max(speed over 2 s) > 3 m/s for 1 s }
"""


def explained(capsys: pytest.CaptureFixture[str], file: Path, signals: Path) -> dict[str, Any]:
    assert main(["explain", str(file), "--signals", str(signals), "--json"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


@pytest.fixture
def library(tmp_path: Path) -> tuple[Path, Path]:
    file, signals = tmp_path / "x.trigger", tmp_path / "signals.yaml"
    file.write_text(LIBRARY)
    signals.write_text(CATALOG)
    return file, signals


def test_each_campaign_is_explained_with_what_its_module_states(capsys: pytest.CaptureFixture[str]) -> None:
    catalog = SignalCatalog.load(SIGNALS)
    compilation = compile_source(DEMO.read_text(), filename="demo", catalog=catalog)
    programs = explained(capsys, DEMO, SIGNALS)["programs"]
    assert [each["campaign"] for each in programs] == list(compilation.campaigns)
    for each in programs:
        campaign = compilation.campaigns[each["campaign"]]
        manifest = read_manifest(campaign.program)
        assert each["digest"] == campaign.digest
        assert each["module_bytes"] == len(campaign.program)
        assert each["state_bytes"] == manifest.state.size_bytes
        assert each["operations_per_tick"]["most"] == manifest.cost.operations_per_tick
        assert each["operations_per_block"] == manifest.cost.operations_per_block
        assert [item["name"] for item in each["inputs"]] == [item.name for item in manifest.inputs]
        assert each["compares"] == list(campaign.settings.compare)
        for shown, trigger in zip(each["triggers"], campaign.settings.triggers, strict=True):
            assert shown["clip_bytes"] == nominal_clip_bytes(trigger.capture, catalog)
            assert shown["cameras"] == list(trigger.capture.cameras)
            assert shown["operations_per_tick"]["most"] <= each["operations_per_tick"]["most"]


def test_of_a_file_without_campaign_all_triggers_are_one_program(
    library: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    (program,) = explained(capsys, *library)["programs"]
    assert program["campaign"] is None
    assert [trigger["name"] for trigger in program["triggers"]] == ["a", "b"]
    assert program["triggers"][0]["reads"] == ["speed", "brake"]
    assert program["triggers"][0]["cooldown_s"] == 9


def test_the_costliest_operator_comes_first_with_its_place_and_its_users(
    library: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    (program,) = explained(capsys, *library)["programs"]
    first = program["operators"][0]
    assert (first["text"], first["line"], first["column"]) == ("max(speed over 2 s)", 1, 18)
    assert first["triggers"] == ["a", "b"]
    assert first["burst_operations"] == program["burst_operations"] > 1000
    costs = [each["operations_per_tick"]["most"] for each in program["operators"]]
    assert costs == sorted(costs, reverse=True)


def test_operators_and_reading_and_triggers_make_up_the_whole(
    library: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    (program,) = explained(capsys, *library)["programs"]
    operators = sum(each["operations_per_tick"]["most"] for each in program["operators"])
    most = program["operations_per_tick"]["most"]
    assert 0 < most - operators - program["reading_operations_per_tick"] < 150  # two triggers' search for rises


def test_the_share_of_a_core_is_that_of_the_declared_rates(
    library: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    (program,) = explained(capsys, *library)["programs"]
    assert program["ticks_per_s"] == 60  # 50 samples, 10 heartbeats
    assert program["operations_per_s"] > 60 * program["operations_per_tick"]["least"]
    assert program["core_share"] == program["operations_per_s"] / 1e9


def test_people_see_limits_tables_and_one_line_a_trigger(
    library: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", str(library[0]), "--signals", str(library[1])]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "of 262,144 bytes" in captured.out
    assert "of 20,000 per tick" in captured.out
    assert "not counting samples of brake, which have no rate" in captured.out
    (line,) = [line for line in captured.out.splitlines() if line.startswith("  a: ")]
    assert "reads speed, brake; at most once per 9 s; captures 5 s before, 5 s after of 2 signals" in line
    assert "max(speed over 2 s)" in captured.out


def test_a_list_of_objects_is_told_apart_from_signals_with_what_is_read_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lists = "objects: {tracked: {max: 8, rate: 10, key: id, fields: {id: {type: id}, x: {unit: m}, v: {unit: m/s}}}}\n"
    file, signals = tmp_path / "x.trigger", tmp_path / "signals.yaml"
    signals.write_text(CATALOG + lists)
    file.write_text("trigger a { when brake and any(o in tracked where o.x < 5 m for 1 s) }")
    assert main(["explain", str(file), "--signals", str(signals)]) == 0
    shown = capsys.readouterr().out
    assert "1 trigger, 1 signal, 1 list of objects" in shown
    assert "up to 8 objects: x" in shown
    (program,) = explained(capsys, file, signals)["programs"]
    assert [(each["objects"], each["fields"]) for each in program["inputs"]] == [(None, []), (8, ["x"])]


def test_a_file_with_an_error_is_not_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "s.yaml").write_text(CATALOG)
    (tmp_path / "x.trigger").write_text("trigger a { when sped > 3 m/s }")
    words = ["explain", str(tmp_path / "x.trigger"), "--signals", str(tmp_path / "s.yaml")]
    assert main(words) == 1
    assert "[LT201]" in capsys.readouterr().err
    assert main([*words, "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["ok"], document["programs"], len(document["diagnostics"])) == (False, [], 1)


def test_a_triggers_state_is_all_of_a_program_of_its_own_but_the_programs(
    library: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    library[0].write_text(LIBRARY.splitlines()[0])
    (program,) = explained(capsys, *library)["programs"]
    (trigger,) = program["triggers"]
    assert program["state_bytes"] - trigger["state_bytes"] == 32
    both = program["reading_operations_per_tick"] + trigger["operations_per_tick"]["most"]
    assert both - 1 <= program["operations_per_tick"]["most"] <= both


def test_a_campaign_of_compares_alone_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, signals = tmp_path / "x.trigger", tmp_path / "s.yaml"
    file.write_text("campaign c { compare h.seen budget 1 clips }")
    signals.write_text(
        "signals:\n" + "".join(f"  {s}.h.seen: {{type: bool, rate: 20}}\n" for s in ("active", "shadow"))
    )
    assert main(["explain", str(file), "--signals", str(signals)]) == 0
    assert "compares    h.seen" in capsys.readouterr().out
    (program,) = explained(capsys, file, signals)["programs"]
    assert (program["compares"], program["triggers"], program["ticks_per_s"]) == (["h.seen"], [], 50)


def test_video_counts_for_cameras_with_a_bit_rate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    catalog, source = tmp_path / "s.yaml", tmp_path / "t.trigger"
    source.write_text("trigger a { when x > 1 capture 5 s before, 5 s after { cameras front, rear } }")
    shown = []
    for cameras in (
        "[front, rear]",
        "{front: {bit_rate: 4 Mbit/s}, rear: {}}",
        "{front: {bit_rate: 1 MB/s}, rear: {bit_rate: 1 MB/s}}",
    ):
        catalog.write_text(f"signals: {{x: {{rate: 10}}}}\ncameras: {cameras}\n")
        assert main(["explain", str(source), "--signals", str(catalog)]) == 0
        shown.append(capsys.readouterr().out)
    assert "about 6.4 kB without the video of front, rear per clip" in shown[0]
    assert "about 5.0 MB without the video of rear per clip" in shown[1]
    assert "about 20.0 MB per clip" in shown[2]


def test_the_limit_of_a_program_with_lists_is_the_one_that_it_is_held_against(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "signals.yaml").write_text(
        "limits: {operations: 700}\nsignals: {v: {unit: m/s, rate: 10}}\n"
        "objects: {tracked: {max: 4, rate: 10, key: id, fields: {id: {type: id}, x: {unit: m}}}}\n"
    )
    (tmp_path / "a.trigger").write_text("trigger a { when any(o in tracked where o.x < 5 m) }\n")
    words = ["explain", str(tmp_path / "a.trigger"), "--signals", str(tmp_path / "signals.yaml"), "--json"]
    assert main(words) == 0
    (program,) = json.loads(capsys.readouterr().out)["programs"]
    assert program["operations_limit"] == 700 + 4 * 1000 > program["operations_per_tick"]["most"] > 700
