"""The whole loop, run as people run it: on generated drives, and on a recorded one where it is there."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Any

import pytest
from mcap.reader import make_reader

from fleet_api.demo.drives import generate_drives
from fleet_api.demo.inputs import prepare_inputs
from fleet_api.demo.loop import Demo
from fleet_api.demo.summary import CampaignResult, ClipResult, Summary
from tests.fleet_api.demo.demo_process import Run, run_demo
from tests.support.paths import RECORDED_DRIVES, REPOSITORY
from triggers.contracts.api.outcomes import OutcomesView
from triggers.contracts.clip import CELL_BYTES, clip_digest
from triggers.drives.find import find_drives

LIMIT_S = 60.0
RECORDED = RECORDED_DRIVES / "css_car_a"
EXAMPLE = REPOSITORY / "examples" / "css_car"
DEMO = REPOSITORY / "fleet_api" / "demo"
FILES = {"signals": DEMO / "signals.yaml", "campaign": DEMO / "demo.trigger"}


def cells_of(clip: Path) -> tuple[str, ...]:
    data = clip.read_bytes()
    return tuple(
        hashlib.sha256(data[start : start + CELL_BYTES]).hexdigest() for start in range(0, len(data), CELL_BYTES)
    )


@pytest.mark.integration
def test_the_loop_closes_on_generated_drives_in_counts_that_add_up(
    generated: Run,
) -> None:
    process, summary = generated.process, generated.summary
    assert process.returncode == 0, process.stderr
    assert summary["closed"] and summary["gaps"] == []
    for each in summary["campaigns"]:
        endings = ("sampled_out", "refused", "dropped", "failed", "catalogued", "in_flight")
        assert each["fired"] == sum(each[name] for name in endings)
        assert each["fired"] == each["predicted"] > 0
        assert each["in_flight"] == each["dropped"] == each["failed"] == 0
    total = {key: sum(each[key] for each in summary["campaigns"]) for key in ("suppressed", "sampled_out", "refused")}
    assert all(total.values()), f"the demonstration is to show each of these: {total}"
    assert len(summary["clips"]) == summary["uploads"] == summary["objects"] == summary["labeled"] > 0
    assert "Traceback" not in process.stderr


@pytest.mark.integration
def test_what_it_keeps_offers_its_drives_for_backtests(generated: Run) -> None:
    offered = find_drives([generated.data / "drives"])
    assert {drive.name for drive in offered} == {clip["drive"] for clip in generated.summary["clips"]}
    assert all(drive.path.stat().st_mode & 0o004 and drive.cameras for drive in offered)


@pytest.mark.integration
@pytest.mark.timing
def test_the_loop_closes_within_a_minute(
    generated: Run,
) -> None:
    summary = generated.summary
    assert summary["seconds"] < LIMIT_S


@pytest.mark.integration
def test_the_clips_that_stay_behind_are_the_catalogued_ones_with_pictures_and_labels(
    generated: Run,
) -> None:
    summary, out = generated.summary, generated.out
    assert {clip["state"] for clip in summary["clips"]} == {"ready"}
    assert any("hard_braking" in clip["labels"] for clip in summary["clips"])
    for clip in summary["clips"]:
        assert clip_digest(cells_of(out / "clips" / clip["file"])) == clip["digest"]
        assert bool(clip["thumbnail"]) == (clip["triggers"] not in (["braking_begins"], ["standstill"]))


@pytest.mark.integration
def test_the_same_seed_gives_the_same_clips_hash_for_hash(generated: Run, tmp_path: Path) -> None:
    first = generated.summary
    (drive,) = generate_drives(tmp_path / "drives", count=1)
    arguments = ["--drives", str(drive), "--signals", str(FILES["signals"]), "--campaign", str(FILES["campaign"])]
    process, second = run_demo(tmp_path / "again", *arguments)
    assert process.returncode == 0, process.stderr
    expected = {clip["digest"] for clip in first["clips"] if clip["drive"] == drive.name}
    assert {clip["digest"] for clip in second["clips"]} == expected != set()


@pytest.mark.integration
@pytest.mark.drives
@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded drive css_car_a is not here")
def test_a_recorded_drive_gives_its_two_hard_brakings_with_their_pre_and_post_roll(tmp_path: Path) -> None:
    files = ["--signals", str(EXAMPLE / "signals.yaml"), "--campaign", str(EXAMPLE / "hard_braking.trigger")]
    process, summary = run_demo(tmp_path, "--drives", str(RECORDED), *files)
    assert process.returncode == 0, process.stderr
    assert len(summary["clips"]) == 2
    for clip, expected_s in zip(summary["clips"], (105.9, 2240.0), strict=True):
        (fired_s,) = clip["seconds"]
        assert abs(fired_s - expected_s) < 1.5
        assert clip["span_s"] == pytest.approx((fired_s - 8, fired_s + 4), abs=0.01)
        _check_recording(tmp_path / "clips" / clip["file"], clip)


def _check_recording(path: Path, clip: dict[str, Any]) -> None:
    """The file reads with the `mcap` library, fills its span, and is the one whose cells the manifest listed."""
    assert clip_digest(cells_of(path)) == clip["digest"]
    with path.open("rb") as file:
        times_ns = [message.log_time for _, _, message in make_reader(file).iter_messages()]
    assert len(times_ns) > 1000
    span_s = clip["span_s"][1] - clip["span_s"][0]
    assert (max(times_ns) - min(times_ns)) / 1e9 == pytest.approx(span_s, abs=0.1)


def summary(**changes: Any) -> Summary:
    campaign = CampaignResult(
        "c",
        predicted=3,
        fired=3,
        suppressed=1,
        sampled_out=1,
        refused=0,
        dropped=0,
        failed=0,
        catalogued=2,
        in_flight=0,
    )
    clip = ClipResult(
        "x", "ready", "d", "v", ["t"], ["c"], [1.0], ["t at 1.0 s"], (0.0, 2.0), 10, "00", fires=2, labels=[]
    )
    values: dict[str, Any] = {
        "drives": ["d"],
        "vehicles": 1,
        "campaigns": [campaign],
        "clips": [clip],
        "uploads": 1,
        "objects": 1,
        "labeled": 1,
        "dead_letters": 0,
        "uploaded_bytes": 10,
        "predicted_bytes": 12,
    }
    return Summary(**{**values, **changes})


def test_a_closed_loop_has_no_gaps() -> None:
    assert summary().gaps() == []


@pytest.mark.parametrize(
    ("changes", "gap"),
    [
        ({"uploads": 2}, "clips uploaded: 2, but in the catalog: 1"),
        ({"objects": 0}, "clips stored: 0"),
        ({"labeled": 0}, "clips labelled: 0"),
        ({"dead_letters": 1}, "open dead letters: 1"),
        (
            {"clips": [], "uploads": 0, "objects": 0, "labeled": 0},
            "fires in the clips: 0, but counted as catalogued: 2",
        ),
    ],
)
def test_whatever_does_not_add_up_is_a_gap(changes: dict[str, Any], gap: str) -> None:
    assert any(gap in line for line in summary(**changes).gaps())


def test_fires_without_an_outcome_and_fires_in_flight_are_gaps() -> None:
    nothing = {
        "overruled": 0,
        "per_trigger": {},
        "armed_ns": 0,
        "distance_m": 0,
        "unaccounted": 0,
        "expired": 0,
        "erased": 0,
        "dropped": {},
        "failed": {},
    }
    counts = {"fired": 4, "suppressed": 0, "sampled_out": 0, "refused": {"budget": 1}, "catalogued": 1, "in_flight": 1}
    result = CampaignResult.of("c", OutcomesView(**nothing, **counts), predicted=4)
    gaps = summary(campaigns=[result]).gaps()
    assert "c: fires 4, but outcomes 3" in gaps and "c: fires still in flight: 1" in gaps


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--drives", "{drive}"], "need their signal catalog"),
        (["--drives", "{drive}", "--signals", "{signals}"], "need a campaign"),
        (
            ["--drives", "{drive}/nothing", "--signals", "{signals}", "--campaign", "{campaign}"],
            "no such file or folder",
        ),
    ],
)
def test_what_is_missing_for_recorded_drives_is_said_in_a_line(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from fleet_api.cli.main import main

    (drive,) = generate_drives(tmp_path, count=1, duration_s=20, camera=False)
    places = {"drive": drive, "signals": EXAMPLE / "signals.yaml", "campaign": EXAMPLE / "hard_braking.trigger"}
    given = [argument.format(**places) for argument in arguments]
    assert main(["demo", "--out", str(tmp_path), *given]) == 1
    last_line = capsys.readouterr().err.strip().splitlines()[-1]
    assert last_line.startswith("longtail: ") and words in last_line


@pytest.mark.parametrize("keep", [[], ["--keep"]])
def test_a_demonstration_that_cannot_start_leaves_no_folder_behind(
    keep: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fleet_api.cli.main import main

    made: list[Path] = []

    def scratch_dir(prefix: str) -> Path:
        made.append(Path(tempfile.mkdtemp(prefix=prefix, dir=tmp_path)))
        return made[-1]

    monkeypatch.setattr("storage.embedded.scratch_dir", scratch_dir)
    assert main(["demo", *keep, "--drives", str(tmp_path / "nothing"), "--signals", "none.yaml"]) == 1
    assert len(made) == 2
    assert list(tmp_path.iterdir()) == []


def test_the_demonstration_touches_nothing_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LONGTAIL_DATABASE_URL", "postgresql://prod/fleet")
    monkeypatch.setenv("LONGTAIL_OBJECTS_URL", "file:///srv/production")
    monkeypatch.setenv("LONGTAIL_SIGNING_KEY", "/etc/production.pem")
    inputs = prepare_inputs(tmp_path, drives=generate_drives(tmp_path, count=1, duration_s=16, camera=False), **FILES)
    settings = Demo(inputs, tmp_path / "data", tmp_path, 1, print).settings()
    assert (settings.database_url, settings.objects_url, settings.signing_key) == ("", "", None)
    assert not any("production" in value or "prod/" in value for value in settings.environment().values())
