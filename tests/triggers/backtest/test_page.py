"""The page of a report: what it says, that text stays text, that it is bounded, and that no report breaks it."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet_api.cli.main import main
from tests.triggers.pages.tags import Tags
from triggers.backtest.page.figures import per_hour
from triggers.backtest.page.page import all_remarks, page
from triggers.backtest.page.stated import stated_of_json
from triggers.contracts.api.backtests.stated import (
    MAX_STATED_BREAKDOWNS,
    MAX_STATED_DRIVES,
    MAX_STATED_FIRES,
    StatedReport,
)
from triggers.errors import InvalidInput

CATALOG = """
signals:
  ego.speed: {unit: m/s, rate: 10}
  active.seen: {type: bool, rate: 10}
  shadow.seen: {type: bool, rate: 10}
"""
SOURCE = """# it is </pre><script>alert(1)</script>
trigger fast { when ego.speed > 40 km/h }
trigger missed { when disagree(seen) for 300 ms }
trigger never { when ego.speed > 90 m/s and ego.speed > 1 m/s }
campaign c { collect fast, missed, never compare seen budget 1 GB total, 1 kB per vehicle per day }
"""


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `longtail backtest --json` writes over three drives, one of them with markup in its name."""
    folder = tmp_path_factory.mktemp("drives")
    t = np.arange(100) / 10
    columns = {"t": t, "ego.speed": np.where(t < 5, 10.0, 12.0), "active.seen": t > 6, "shadow.seen": t > 5.5}
    for name in ("a", "<img src=x>", "c"):
        pq.write_table(pa.table(columns), folder / f"{name}.parquet")
    (folder / "s.yaml").write_text(CATALOG)
    (folder / "f.trigger").write_text(SOURCE)
    out = folder / "report.json"
    words = ["backtest", str(folder / "f.trigger"), "--signals", str(folder / "s.yaml"), "--drives", str(folder)]
    assert main([*words, "--breakdown", "--json", str(out), "--html", str(folder / "r.html")]) == 0
    assert "Backtest of f.trigger" in (folder / "r.html").read_text()
    found: dict[str, Any] = json.loads(out.read_text())
    return found


def harmless(text: str) -> Tags:
    """The page's tags; none of them runs or loads anything."""
    found = Tags(text)
    assert not {"script", "img", "iframe", "form", "a", "object"} & {name for name, _ in found.tags}
    attributes = {attribute for _, attrs in found.tags for attribute in attrs}
    assert not {name for name in attributes if name.startswith("on")} | attributes & {"src", "action", "style"}
    return found


def test_it_says_what_ran_and_what_it_gave(document: dict[str, Any]) -> None:
    found = harmless(page(stated_of_json(document, what="r"), notes=["a note"]))
    said = " ".join(found.words)
    assert [word for word in found.words if word == "Backtest of f.trigger"]
    for part in ("never", "a note", "ego.speed > 90 m/s", document["programs"][0], document["run"]["catalog_digest"]):
        assert part in said
    assert "<img src=x>" in found.words and "it is </pre><script>alert(1)</script>" in said
    assert "3 (" not in document["run"]["longtail"] and "1 in 1" in said and "1.0 GB total" in said
    headings = [name for name, _ in found.tags if name in ("h1", "h2")]
    assert headings[0] == "h1" and headings.count("h1") == 1 and headings.count("h2") >= 8
    assert all(attrs.get("aria-label") for name, attrs in found.tags if name == "svg")


def test_the_parts_of_a_let_are_beneath_it_however_deep_a_report_says_that_they_are(document: dict[str, Any]) -> None:
    changed = deepcopy(document)
    shares = {"true": 0.25, "false": 0.75, "unknown": 0.0}
    changed["triggers"]["never"]["parts"] = [
        {"text": "braking(ego)", "depth": 0, "true": None, "false": None, "unknown": None},
        {"text": "v.accel < -3 m/s^2", "depth": 1, **shares},
        {"text": "deep", "depth": 10**12, **shares},
    ]
    found = harmless(page(stated_of_json(changed, what="r")))
    for label in ("braking(ego)", "↳ v.accel < -3 m/s^2", "↳ " * 6 + "deep"):
        assert found.words.count(label) == 2, "above a bar and in the table"
    changed["triggers"]["never"]["parts"][0]["depth"] = -1
    with pytest.raises(InvalidInput, match="another form"):
        stated_of_json(changed, what="r")


def test_remarks_tell_what_few_drives_carry_and_what_cannot_fit(document: dict[str, Any]) -> None:
    changed = deepcopy(document)
    changed["triggers"]["fast"] |= {"drives": 3, "largest_share": 0.91, "largest_drive": "a"}
    lines = all_remarks(stated_of_json(changed, what="r"))
    assert lines[0] == "fast: 3 drives, 91 % of the fires in one, a"
    assert any(
        "cannot be uploaded: larger than the budget of campaign `c`, 1.0 kB per vehicle per day" in line
        for line in lines
    )


def test_many_fires_and_drives_are_summed_up(document: dict[str, Any]) -> None:
    changed = deepcopy(document)
    (fire, *_), (drive, *_) = changed["fires"], changed["by_drive"]
    changed["fires"] = [fire] * 50_000
    changed["by_drive"] = [drive | {"drive": f"d{number}", "fires": number} for number in range(3000)]
    stated = stated_of_json(changed, what="r")
    assert (len(stated.fires), stated.fires_left_out) == (MAX_STATED_FIRES, 50_000 - MAX_STATED_FIRES)
    assert stated.report.by_drive[0].drive == "d2500" and stated.drives_left_out == 3000 - MAX_STATED_DRIVES
    text = page(stated)
    assert len(text) < 1_500_000
    assert "and 2,500 more drives" in text and "and 45,000 more fires" in text


def test_it_says_what_limits_refuse_and_by_which_networks_bytes_may_go(document: dict[str, Any]) -> None:
    stated = stated_of_json(document, what="r")
    (day,) = stated.report.limited_days
    assert day.refused is not None and day.refused.mean == 1
    said = " ".join(harmless(page(stated)).words)
    assert "A day under the limits" in said and "1.0 kB per vehicle per day 100.0" in said and "none" in said
    assert any("limits refuse 100.0 % (100.0 % to 100.0 %)" in line for line in all_remarks(stated))
    changed = deepcopy(document)
    changed["limited_days"][0] |= {"networks": ["wifi", "cellular"], "refused": None, "refused_by": []}
    changed["limited_days"][0]["cellular_bytes_per_fleet_day"] = {"mean": 2e6, "low": 1e6, "high": 3e6}
    stated = stated_of_json(changed, what="r")
    assert "c: over cellular per day" in page(stated) and "at most 2.0 MB (1.0 MB to 3.0 MB)" in page(stated)
    assert not any("limits refuse" in line for line in all_remarks(stated))
    assert "nothing fired" in page(stated)
    changed["limited_days"][0]["unknown"] = "too many clips"
    assert "not known: too many clips" in page(stated_of_json(changed, what="r"))


def test_it_has_fires_by_speed_place_and_hour_of_the_triggers_with_the_most(document: dict[str, Any]) -> None:
    said = " ".join(harmless(page(stated_of_json(document, what="r"))).words)
    for part in ("fast by speed", "fast by place", "fast by hour", "30 to 50 km/h"):
        assert part in said
    assert "never by speed" not in said
    changed = deepcopy(document)
    bins = changed["breakdown"]["triggers"]["fast"]
    for number in range(100):
        more = deepcopy(bins)
        more["speed"][0]["fires"] += number
        changed["breakdown"]["triggers"][f"t{number}"] = more
    stated = stated_of_json(changed, what="r")
    assert stated.report.breakdown is not None
    assert list(stated.report.breakdown.triggers) == [f"t{100 - MAX_STATED_BREAKDOWNS + n}" for n in range(20)]
    assert stated.breakdowns_left_out == 102 - MAX_STATED_BREAKDOWNS
    assert "and 82 more triggers" in page(stated)
    whole = json.loads(stated.model_dump_json())
    whole["report"]["breakdown"]["triggers"]["one_more"] = bins
    with pytest.raises(InvalidInput, match="more than 20 triggers"):
        StatedReport.from_json(json.dumps(whole).encode(), what="the report")


def test_paths_of_the_authors_machine_are_not_stated(document: dict[str, Any]) -> None:
    changed = deepcopy(document)
    path = changed["by_drive"][0]["path"]
    changed["left_out"] = [{"trigger": "fast", "drives": 1, "reason": f"{path}: no column `ego.speed`"}]
    stated = stated_of_json(changed, what="r")
    assert path not in stated.model_dump_json()
    assert stated.report.left_out[0].reason == f"{changed['by_drive'][0]['drive']}: no column `ego.speed`"


@pytest.mark.parametrize(
    "change", [{"run": None}, {"fires": 3}, {"by_drive": [{}]}, {"triggers": {"a": 1}}, {"hours": "x"}]
)
def test_what_is_no_report_is_refused_with_what_to_do(document: dict[str, Any], change: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="another form") as refused:
        stated_of_json(document | change, what="the file")
    assert "longtail backtest" in (refused.value.remedy or "")
    without = {key: value for key, value in document.items() if key != "run"}
    with pytest.raises(InvalidInput, match="does not say what ran"):
        stated_of_json(without, what="the file")


def test_rates_of_hardly_any_hours_and_odd_times_break_nothing(document: dict[str, Any]) -> None:
    changed = json.loads(stated_of_json(document, what="r").model_dump_json())
    changed["report"]["forecast"]["hours_per_day"] = 5e-324
    stated = StatedReport.from_json(json.dumps(changed).encode(), what="the report")
    assert per_hour(stated.report.forecast, "fast") is None
    harmless(page(stated))
    changed["run"]["at"] = "0001-01-01T00:00:00+23:59"
    with pytest.raises(InvalidInput, match="from the year 2000 on"):
        StatedReport.from_json(json.dumps(changed).encode(), what="the report")


def test_it_says_how_well_known_events_were_found(document: dict[str, Any]) -> None:
    half = {"mean": 0.5, "low": 0.25, "high": 0.75}
    score = {"events": 4, "found": 2, "missed": 1, "unknown": 1, "outside": 0, "fires": 4, "repeats": 0}
    score |= {"false_alarms": 2, "precision": half, "recall": None, "delay_median_s": -0.25, "delay_90_s": 1.0}
    known = {"window_s": 2.0, "events": 4, "elsewhere": 1, "drives_without": 1, "triggers": {"fast": score}}
    known |= {"not_found": [{"t": 1.0}], "false_alarms": [], "first_elsewhere": "x", "repeated_rows": 0}
    stated = stated_of_json(document | {"known_events": known}, what="r")
    text = page(stated)
    for part in ("2 of 4", "50.0&nbsp;% (25.0&nbsp;% to 75.0&nbsp;%)", "-0.25 s", "1 drive had no known event"):
        assert part in text
    assert "not_found" not in stated.model_dump_json()


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict | list) and value:
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return [leaf for key, each in items for leaf in _leaves(each, (*path, key))]
    return [path]


ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.sampled_from([0, -1, 2**62, 1e18, -1e-300, 5e-324, 0.999999]),
    st.text(max_size=8),
    st.just("</svg><script>"),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_report_that_is_accepted_breaks_the_page(document: dict[str, Any], data: st.DataObject) -> None:
    changed = json.loads(stated_of_json(document, what="r").model_dump_json())
    for _ in range(data.draw(st.integers(1, 6))):
        *way, last = data.draw(st.sampled_from(_leaves(changed)))
        place = changed
        for key in way:
            place = place[key]
        place[last] = data.draw(ODD)
    try:
        stated = StatedReport.from_json(json.dumps(changed).encode(), what="the report")
    except InvalidInput:
        return
    harmless(page(stated))
