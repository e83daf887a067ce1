"""Import of VSS: what becomes a signal, what is listed instead, and refusals that name the place."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import RECORDED_DRIVES
from triggers.errors import InvalidInput
from triggers.language.compile import compile_source
from triggers.signals.catalog import SignalCatalog
from triggers.signals.units import parse_unit
from triggers.signals.vss import UNITS, VssImport, import_vss
from triggers.signals.vss_tree import MAX_VSS_DEPTH, read_leaves

VSS = RECORDED_DRIVES / "vss" / "vss.json"
SPEED = {"type": "sensor", "datatype": "float", "unit": "km/h", "description": "Vehicle speed."}


def tree(**children: Any) -> dict[str, Any]:
    return {"Vehicle": {"type": "branch", "description": "", "children": children}}


def imported(path: Path, document: Any, **options: Any) -> VssImport:
    file = path / "vss.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    return import_vss(file, **options)


def reasons(result: VssImport) -> dict[str, int]:
    return {reason: len(names) for reason, names in result.skipped_by_reason.items()}


# the published tree


@pytest.fixture(scope="module")
def published() -> VssImport:
    if not VSS.is_file():
        pytest.skip("the VSS file is not here")
    return import_vss(VSS)


@pytest.mark.drives
def test_every_leaf_of_vss_6_is_imported_or_listed(published: VssImport) -> None:
    assert published.leaves == 1267
    assert len(published.catalog.signals) == 1172
    assert reasons(published) == {"a string without `allowed` values": 72, "an array": 23}
    assert len(published.catalog.signals) + sum(reasons(published).values()) == 1267
    kinds = Counter(signal.type for signal in published.catalog.signals.values())
    assert kinds == {"number": 668, "bool": 413, "text": 91}
    assert all(signal.update == "on_change" for signal in published.catalog.signals.values())


@pytest.mark.drives
def test_the_catalog_of_vss_6_loads_and_compiles_triggers(published: VssImport, tmp_path: Path) -> None:
    (tmp_path / "signals.yaml").write_text(published.text)
    catalog = SignalCatalog.load(tmp_path / "signals.yaml")
    assert catalog == published.catalog
    source = """
trigger t {
    when Vehicle.Speed > 120 km/h and Vehicle.ADAS.ABS.IsEngaged
        and Vehicle.Powertrain.Transmission.PerformanceMode == "SPORT"
        and Vehicle.Powertrain.FuelSystem.InstantConsumption > 12 l/100km
        and Vehicle.Exterior.AirTemperature < -5 degC
        and near(48.137, 11.575, 2 km)
    capture 5 s before, 5 s after { signals Vehicle.ADAS.* }
}
"""
    result = compile_source(source, filename="test", catalog=catalog)
    assert result.ok and not result.diagnostics, [d.render() for d in result.diagnostics]


@pytest.mark.drives
def test_the_same_file_gives_the_same_text(published: VssImport) -> None:
    assert import_vss(VSS).text == published.text


# single rules


def test_types_units_and_values(tmp_path: Path) -> None:
    result = imported(
        tmp_path,
        tree(
            Speed=SPEED,
            IsMoving={"type": "sensor", "datatype": "boolean", "description": 'Moving: "yes"'},
            Gear={"type": "actuator", "datatype": "string", "allowed": ["off", "P", "2"], "description": "a\nb"},
            Doors={"type": "attribute", "datatype": "uint8", "default": 4, "description": "", "deprecation": "v6"},
        ),
    )
    signals = result.catalog.signals
    assert list(signals) == ["Vehicle.Speed", "Vehicle.IsMoving", "Vehicle.Gear", "Vehicle.Doors"]
    assert [signal.type for signal in signals.values()] == ["number", "bool", "text", "number"]
    assert signals["Vehicle.Speed"].unit == "km/h"
    assert signals["Vehicle.Gear"].values == ("off", "P", "2")
    assert [signal.describe for signal in signals.values()] == [
        "Vehicle speed.",
        'Moving: "yes"',
        "a b",
        "Deprecated: v6",
    ]
    assert all(signal.initial is None for signal in signals.values())
    assert SignalCatalog.parse(result.text, name="x") == result.catalog


def test_what_cannot_be_a_signal_is_listed_with_its_reason(tmp_path: Path) -> None:
    leaf = {"type": "sensor", "description": ""}
    result = imported(
        tmp_path,
        tree(
            Speed=SPEED,
            A={**leaf, "datatype": "string"},
            B={**leaf, "datatype": "float[]"},
            C={**leaf, "datatype": "uint8[4]"},
            D={**leaf, "datatype": "float", "unit": "dBm"},
            E={**leaf, "datatype": "Types.Location"},
            F={**leaf, "datatype": "string", "allowed": ["a", "a"]},
            G={**leaf, "datatype": "string", "allowed": ["a", 3]},
            **{"H-1": {**leaf, "datatype": "boolean"}, "Ä": {**leaf, "datatype": "boolean"}},
        ),
    )
    assert list(result.catalog.signals) == ["Vehicle.Speed"]
    assert {skipped.name: skipped.reason for skipped in result.skipped} == {
        "Vehicle.A": "a string without `allowed` values",
        "Vehicle.B": "an array",
        "Vehicle.C": "an array",
        "Vehicle.D": "its unit `dBm` has no counterpart",
        "Vehicle.E": "its datatype `Types.Location` is not numeric, boolean or string",
        "Vehicle.F": "`allowed` values that are not distinct strings of 1 to 200 characters",
        "Vehicle.G": "`allowed` values that are not distinct strings of 1 to 200 characters",
        "Vehicle.H-1": "its name is longer than 200, or has characters other than letters, digits and `_`",
        "Vehicle.Ä": "its name is longer than 200, or has characters other than letters, digits and `_`",
    }


def test_every_unit_of_the_table_is_one_of_the_language() -> None:
    assert [unit for unit in UNITS.values() if parse_unit(unit) is None] == []


def test_rates_hold_for_signals_and_branches_and_the_longest_name_counts(tmp_path: Path) -> None:
    branch = {"type": "branch", "children": {"A": SPEED, "B": SPEED}}
    rates = {"Vehicle": 1.0, "Vehicle.X.*": 10.0, "Vehicle.X.B": 50.0}
    signals = imported(tmp_path, tree(Speed=SPEED, X=branch), rates_hz=rates).catalog.signals
    assert {name: (signal.rate, signal.update) for name, signal in signals.items()} == {
        "Vehicle.Speed": (1.0, None), "Vehicle.X.A": (10.0, None), "Vehicle.X.B": (50.0, None),
    }  # fmt: skip
    for rates in ({"Vehicle.Sped": 1.0}, {"Vehicle.Speed": 0.0}, {"Vehicle.Speed": float("nan")}, {"Vehicle.Spe": 1.0}):
        with pytest.raises(InvalidInput, match=next(iter(rates))):
            imported(tmp_path, tree(Speed=SPEED), rates_hz=rates)


def test_a_unit_can_be_given_and_must_be_one(tmp_path: Path) -> None:
    power = {"type": "sensor", "datatype": "float", "unit": "dBm", "description": ""}
    assert imported(tmp_path, tree(P=power), units={"dBm": ""}).catalog.signals["Vehicle.P"].unit == ""
    with pytest.raises(InvalidInput, match="furlong"):
        imported(tmp_path, tree(P=power), units={"dBm": "furlong"})


def test_instances_are_expanded(tmp_path: Path) -> None:
    door = {
        "type": "branch",
        "instances": ["Row[1,2]", ["Left", "Right"]],
        "children": {
            "IsOpen": {"type": "actuator", "datatype": "boolean", "description": ""},
            "Count": {"type": "attribute", "datatype": "uint8", "description": "", "instantiate": False},
        },
    }
    names = list(imported(tmp_path, tree(Door=door)).catalog.signals)
    assert names == [
        "Vehicle.Door.Row1.Left.IsOpen", "Vehicle.Door.Count", "Vehicle.Door.Row1.Right.IsOpen",
        "Vehicle.Door.Row2.Left.IsOpen", "Vehicle.Door.Row2.Right.IsOpen",
    ]  # fmt: skip
    door["instances"] = ["Left", "Right"]
    assert len(imported(tmp_path, tree(Door=door)).catalog.signals) == 3


def test_a_position_is_found_and_data_type_trees_are_passed_over(tmp_path: Path) -> None:
    angle = {"type": "sensor", "datatype": "double", "unit": "degrees", "description": ""}
    place = {"type": "branch", "children": {"Latitude": angle, "Longitude": angle}}
    types = {"type": "branch", "children": {"T": {"type": "struct", "children": {"x": {"type": "property"}}}}}
    document = {**tree(CurrentLocation=place), "ComplexDataTypeTree": types}
    catalog = imported(tmp_path, document).catalog
    assert catalog.position is not None
    assert catalog.position.latitude == "Vehicle.CurrentLocation.Latitude"
    assert len(catalog.signals) == 2


def test_texts_of_every_kind_survive_the_yaml(tmp_path: Path) -> None:
    values = [
        "yes",
        "NO",
        "~",
        "1.5",
        "a: b",
        '"',
        "\\",
        "#x",
        "é",
        "\U0001f600",
        "\u2028",
        "\x85",
        "\x7f",
        " ",
        "null",
        "=",
        "-",
    ]
    mode = {"type": "sensor", "datatype": "string", "allowed": values, "description": "- {[%@` \x00"}
    result = imported(tmp_path, tree(Mode=mode))
    catalog = SignalCatalog.parse(result.text, name="x")
    assert catalog.signals["Vehicle.Mode"].values == tuple(values)
    assert catalog == result.catalog


def nested(depth: int) -> dict[str, Any]:
    node: dict[str, Any] = SPEED
    for _ in range(depth):
        node = {"type": "branch", "children": {"A": node}}
    return {"Vehicle": node}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", r"vss.json:1:2: not JSON"),
        ("[" * 100_000, r"vss.json: nested too deeply"),
        ('{"A": {}, "A": {}}', r"vss.json: the key `A` is given twice"),
        ("[]", r"an object of trees"),
        ({"type": "branch"}, r"an object of trees"),
        ({}, r"no leaf becomes a signal: the tree has none"),
        (tree(Speed=3), r"vss.json: Vehicle.Speed: a node is an object"),
        (tree(Speed={"type": "wheel"}), r"vss.json: Vehicle.Speed: `type` must be branch, sensor"),
        (tree(Speed={**SPEED, "datatype": 3}), r"vss.json: Vehicle.Speed: `datatype` must be a string"),
        (tree(Speed={"type": "sensor"}), r"vss.json: Vehicle.Speed: `datatype` is missing"),
        (tree(Speed={**SPEED, "unit": ["m"]}), r"vss.json: Vehicle.Speed: `unit` must be a string"),
        (tree(Speed={**SPEED, "allowed": "x"}), r"vss.json: Vehicle.Speed: `allowed` must be a list"),
        (tree(Speed={**SPEED, "allowed": list(range(10_001))}), r"Vehicle.Speed: `allowed` has more than 10000"),
        (tree(Speed={**SPEED, "description": "\ud800"}), r"Vehicle.Speed: `description` holds half a surrogate"),
        (tree(X={"type": "branch", "children": []}), r"vss.json: Vehicle.X: `children` must be an object"),
        (tree(X={"type": "branch", "instances": "Row[1,99999]"}), r"vss.json: Vehicle.X: more than 1000 instances"),
        (tree(X={"type": "branch", "instances": [["a"] * 999] * 9}), r"vss.json: Vehicle.X: more than 1000"),
        (tree(X={"type": "branch", "instances": {"a": 1}}), r"vss.json: Vehicle.X: `instances` must be"),
        (nested(MAX_VSS_DEPTH + 1), r"more than 40 levels"),
        (tree(**{f"S{n}": SPEED for n in range(20_001)}), r"20001 signals"),
    ],
)
def test_hostile_files_are_refused_with_the_place(tmp_path: Path, document: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        imported(tmp_path, document)


def test_multiplying_instances_are_bounded(tmp_path: Path) -> None:
    node: dict[str, Any] = SPEED
    for _ in range(5):
        node = {"type": "branch", "instances": "R[1,900]", "children": {"A": node}}
    with pytest.raises(InvalidInput, match="more than 200000 nodes"):
        imported(tmp_path, {"Vehicle": node})


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"nowhere.json: cannot be read"):
        read_leaves(tmp_path / "nowhere.json")
    (tmp_path / "binary.json").write_bytes(b"\xff{}")
    with pytest.raises(InvalidInput, match=r"binary.json: not UTF-8 at byte 0"):
        read_leaves(tmp_path / "binary.json")


def test_a_file_of_which_nothing_is_imported_says_why(tmp_path: Path) -> None:
    document = tree(
        Name={**SPEED, "datatype": "string", "unit": None},
        Level={**SPEED, "unit": "dBm"},
        Loss={**SPEED, "unit": "dBm"},
    )
    document["Vehicle"]["children"]["Name"].pop("unit")
    (tmp_path / "vss.json").write_text(json.dumps(document))
    with pytest.raises(InvalidInput) as refused:
        import_vss(tmp_path / "vss.json")
    assert "2 left out, its unit `dBm` has no counterpart (`Vehicle.Level`)" in refused.value.message
    assert "1 left out, a string without `allowed` values (`Vehicle.Name`)" in refused.value.message
    assert "--unit" in refused.value.remedy


# ranges of numbers


def test_the_range_of_a_number_is_kept_and_each_end_may_be_open(tmp_path: Path) -> None:
    leaves = {
        "Both": {**SPEED, "min": -250, "max": 250.5},
        "Low": {**SPEED, "datatype": "uint8", "min": 0},
        "High": {**SPEED, "max": 3},
        "Text": {"type": "sensor", "datatype": "string", "allowed": ["A"], "min": 1},
    }
    result = imported(tmp_path, tree(**leaves))
    ends = {name: (signal.min, signal.max) for name, signal in result.catalog.signals.items()}
    assert ends == {
        "Vehicle.Both": (-250.0, 250.5),
        "Vehicle.Low": (0.0, None),
        "Vehicle.High": (None, 3.0),
        "Vehicle.Text": (None, None),
    }
    assert SignalCatalog.parse(result.text, name="signals.yaml") == result.catalog


def test_a_range_without_numbers_leaves_the_signal_out(tmp_path: Path) -> None:
    result = imported(tmp_path, tree(Odd={**SPEED, "min": 3, "max": 2}, Right=SPEED))
    assert reasons(result) == {"its `min` is above its `max`": 1}


@pytest.mark.parametrize(
    ("end", "problem"), [("1", "must be a number"), (True, "must be a number"), (10**400, "beyond the numbers")]
)
def test_an_end_that_is_no_number_is_refused(tmp_path: Path, end: object, problem: str) -> None:
    with pytest.raises(InvalidInput, match=f"Vehicle.A: `max` .*{problem}|Vehicle.A: `max` {problem}"):
        imported(tmp_path, tree(A={**SPEED, "max": end}))
