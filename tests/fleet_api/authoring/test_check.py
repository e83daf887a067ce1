"""A text is checked as it is typed: its findings, its format, its costs, and what it may name; nothing is kept."""

from __future__ import annotations

from typing import Any

import pytest

from fleet_api.authoring import aside
from fleet_api.campaigns import compilation
from fleet_api.campaigns.settings_text import settings_text
from tests.fleet_api.api_server import SIGNALS, Api, campaign_text
from triggers.language.compile import compile_source
from triggers.language.explain import explain, to_json
from triggers.language.text.formatter import format_source
from triggers.signals.catalog import SignalCatalog

pytestmark = pytest.mark.integration
NOTHING_MORE: dict[str, Any] = {
    "ok": True,
    "diagnostics": [],
    "formatted": None,
    "programs": [],
    "settings": {},
    "constants": [],
    "lets": [],
}
"""The answer about a right text of which nothing but diagnostics was asked."""


def check(api: Api, source: str, **more: Any) -> Any:
    answer = api.post("/v1/authoring/check", {"source": source, "signals": SIGNALS, **more}, "author")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_right_text_has_its_format_and_its_costs_as_the_command_line_shows_them(api: Api) -> None:
    text = campaign_text()
    catalog = SignalCatalog.parse(SIGNALS, name="signals")
    compiled = compile_source(text, filename="campaign.trigger", catalog=catalog)
    (settings,) = compiled.campaigns.values()
    found = check(api, text, formatted=True, explained=True)
    assert found == {
        "ok": True,
        "diagnostics": [each.to_json() for each in compiled.diagnostics],
        "formatted": format_source(text, filename="campaign.trigger").text,
        "programs": [to_json(each) for each in explain(compiled, catalog)],
        "settings": {"braking": settings_text(settings.settings.model_dump(mode="json"))},
        "constants": [],
        "lets": [],
    }
    assert found["settings"]["braking"]["budget.total_bytes"] == "1 GB (1,000,000,000 bytes)"
    assert check(api, text) | {"diagnostics": []} == NOTHING_MORE


def test_an_operator_is_told_from_its_beginning_to_its_end(api: Api) -> None:
    (program,) = check(api, "trigger a {\n    when ego.accel < -4 m/s^2\n        for 2 s\n}\n", explained=True)[
        "programs"
    ]
    places = {
        each["text"]: tuple(each[f"{end}{of}"] for of in ("line", "column") for end in ("", "end_"))
        for each in program["operators"]
    }
    assert places["ego.accel < -4 m/s^2"] == (2, 2, 10, 30)
    assert places["ego.accel < -4 m/s^2 for 2 s"] == (2, 3, 10, 16)


def test_the_numbers_of_conditions_are_told_with_their_place_and_a_range(api: Api) -> None:
    text = "trigger a {\n    when ego.accel < -4.5 m/s^2 for 2 s\n}\n"
    threshold, duration = check(api, text, constants=True)["constants"]
    place = ("line", "column", "end_line", "end_column")
    assert [threshold[key] for key in place] == [2, 22, 2, 32]
    assert text.splitlines()[1][21:31] == threshold["text"] == "-4.5 m/s^2"
    assert (threshold["kind"], threshold["signal"], threshold["operator"]) == ("comparison", "ego.accel", "<")
    assert (threshold["value"], threshold["unit"], threshold["low"], threshold["high"]) == (-4.5, "m/s^2", -13.5, 0.0)
    assert (duration["text"], duration["operator"], duration["subject"]) == ("2 s", "for", "ego.accel < -4.5 m/s^2")
    assert check(api, text.replace("m/s^2", "m"), constants=True)["constants"] == [], "of a text that compiles"


def test_a_let_is_told_with_its_type_its_unit_its_text_and_what_all_of_it_costs(api: Api) -> None:
    text = (
        "let change = delta(ego.speed\n    over 1 s)\nlet sudden = change < -4 m/s\nlet limit = 3 * 36 km/h\n"
        "trigger a { when sudden and ego.speed > limit }\n"
    )
    found = check(api, text, explained=True)
    change, sudden, limit = found["lets"]
    assert [each["name"] for each in found["lets"]] == ["change", "sudden", "limit"]
    assert (change["type"], change["unit"], change["text"]) == ("number", "m/s", "delta(ego.speed over 1 s)")
    assert (sudden["type"], sudden["unit"], sudden["text"]) == ("bool", "", "change < -4 m/s")
    assert (limit["type"], limit["unit"], limit["operations_per_tick"]) == ("number", "km/h", {"least": 0, "most": 0})
    (window,) = (each for each in found["programs"][0]["operators"] if each["text"].startswith("delta"))
    assert change["operations_per_tick"]["most"] >= window["operations_per_tick"]["most"] > 0
    assert change["state_bytes"] >= window["state_bytes"] > 0
    assert sudden["operations_per_tick"]["most"] > change["operations_per_tick"]["most"], "with all that is below it"
    assert check(api, text)["lets"] == [], "it was not asked for"
    assert check(api, text.replace("-4 m/s", "-4 m"), explained=True)["lets"] == [], "of a text that compiles"


def test_a_text_with_mistakes_is_an_answer_with_every_one_at_its_place(api: Api) -> None:
    found = check(api, "trigger a {\n    when ego.sped > 3 m/s\n    cooldwn 5 s\n}\n", formatted=True, explained=True)
    places = {(each["code"][:3], each["line"], each["column"]) for each in found["diagnostics"]}
    assert (found["ok"], found["programs"]) == (False, [])
    assert ("LT3", 2, 10) in places or ("LT2", 2, 10) in places, places
    assert any(line == 3 for _, line, _ in places)
    assert any("ego.speed" in each["proposal"] for each in found["diagnostics"])


@pytest.mark.parametrize(
    "pasted", ["\x00\x01\xff", "\N{ZERO WIDTH SPACE}" * 50, "{" * 5000, "trigger " * 3000, "🚗 = ß"]
)
def test_what_is_pasted_by_mistake_is_told_and_never_an_error_of_the_server(api: Api, pasted: str) -> None:
    answer = api.post("/v1/authoring/check", {"source": pasted, "signals": SIGNALS, "formatted": True}, "author")
    assert answer.status_code in (200, 422), answer.text
    assert answer.status_code == 422 or answer.json()["diagnostics"]


def test_a_published_catalog_is_taken_by_name_and_an_unknown_one_is_not_found(api: Api) -> None:
    assert api.post("/v1/signal-catalogs", {"name": "fleet", "signals": SIGNALS}, "operator").status_code == 201
    client = api.as_client("author").authoring
    assert client.check(campaign_text(), catalog="fleet").ok
    assert client.vocabulary(catalog="fleet") == client.vocabulary(SIGNALS)
    missing = api.post("/v1/authoring/check", {"source": "", "catalog": "other"}, "author")
    assert missing.status_code == 404
    odd = api.post("/v1/authoring/check", {"source": "", "catalog": "fle\0et"}, "author")
    assert odd.status_code == 422
    own = api.post("/v1/authoring/check", {"source": "", "signals": SIGNALS + "max_gap: 3\n"}, "author")
    assert own.status_code == 403, "as when it is applied"


def test_a_catalog_with_mistakes_is_refused_with_their_lines(api: Api) -> None:
    answer = api.post("/v1/authoring/vocabulary", {"signals": "signals: {ego.speed: {unit: mps}}"}, "author")
    assert answer.status_code == 422
    assert "m/s" in answer.json()["detail"]


def test_a_text_that_takes_too_long_is_ended(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aside, "check_here", _spin)
    monkeypatch.setattr(aside, "CPU_S", 1)
    answer = api.post("/v1/authoring/check", {"source": "", "signals": SIGNALS}, "author")
    assert answer.status_code == 422
    assert "1 s of processor time" in answer.json()["detail"]


def test_the_vocabulary_has_lists_of_objects_with_their_fields(api: Api) -> None:
    lists = "objects: {tracked: {max: 64, rate: 20, key: id, fields: {id: {type: id}, x: {unit: m}}}}\n"
    (tracked,) = api.as_client("author").authoring.vocabulary(SIGNALS + lists).objects
    assert (tracked.name, tracked.max, tracked.rate) == ("tracked", 64, 20)
    assert [(field.name, field.type, field.unit) for field in tracked.fields] == [
        ("id", "id", ""),
        ("x", "number", "m"),
    ]


def test_the_vocabulary_has_signals_with_units_heads_attributes_and_the_words_of_the_language(api: Api) -> None:
    found = api.as_client("viewer").authoring.vocabulary(SIGNALS)
    speed = next(each for each in found.signals if each.name == "ego.speed")
    assert (speed.type, speed.unit, speed.rate) == ("number", "m/s", 50)
    assert found.heads == ["cut_in.detected", "lane.valid"]
    assert found.objects == []
    assert found.attributes == {"region": "text", "hardware": "integer"}
    assert "km/h" not in found.units and {"km", "h"} <= set(found.units)
    assert any(word.text == "rate" and word.forms == ["rate(x over 1 s)"] for word in found.words)


def test_a_user_has_one_check_at_a_time(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = []

    def meanwhile(*_: object, **__: object) -> dict[str, Any]:
        refused.append(api.post("/v1/authoring/check", {"source": "", "signals": SIGNALS}, "author"))
        return NOTHING_MORE

    monkeypatch.setattr(aside, "run_aside", meanwhile)
    assert check(api, "")["ok"]
    assert [each.status_code for each in refused] == [429]
    assert compilation.CPU_S > aside.CPU_S


def _spin(asked: aside.Asked) -> dict[str, Any]:
    while True:
        pass
