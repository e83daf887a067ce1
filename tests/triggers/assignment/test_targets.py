"""Which vehicles a target matches."""

from __future__ import annotations

from typing import Literal

import pytest

from triggers.assignment.targets import compares_no_version, matches
from triggers.contracts.base import AttributeValue
from triggers.contracts.campaign import Comparison, Junction, Target

MODEL = Comparison(attribute="model", op="in", values=("m3", "my"))
HARDWARE = Comparison(attribute="hardware", op=">=", values=(3,))
CAR: dict[str, AttributeValue] = {"model": "m3", "hardware": 3, "towing": True}


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (None, True),
        (MODEL, True),
        (Comparison(attribute="model", op="!=", values=("m3",)), False),
        (HARDWARE, True),
        (Comparison(attribute="hardware", op="<", values=(3,)), False),
        (Comparison(attribute="towing", op="==", values=(True,)), True),
        (Comparison(attribute="towing", op="==", values=(1,)), False),
        (Junction(kind="and", operands=(MODEL, HARDWARE)), True),
        (Junction(kind="or", operands=(Comparison(attribute="model", op="==", values=("x",)), HARDWARE)), True),
        (Junction(kind="not", operands=(MODEL,)), False),
    ],
)
def test_a_target_matches_by_its_attributes(target: Target | None, expected: bool) -> None:
    assert matches(target, CAR) is expected


def test_what_is_not_known_of_a_vehicle_never_admits_it() -> None:
    region = Comparison(attribute="region", op="==", values=("EU",))
    for target in (region, Junction(kind="not", operands=(region,)), Junction(kind="and", operands=(MODEL, region))):
        assert not matches(target, CAR)
    assert matches(Junction(kind="or", operands=(region, MODEL)), CAR)
    assert not matches(Junction(kind="not", operands=(HARDWARE,)), {"hardware": "2"})


def software(op: Literal["==", "!=", "<", "<=", ">", ">=", "in"], *values: str, reported: bool = False) -> Comparison:
    return Comparison(attribute="software", op=op, values=values, reported=reported, as_versions=True)


@pytest.mark.parametrize(
    ("target", "version", "expected"),
    [
        (software(">=", "3.9"), "3.10.0", True),
        (software(">", "3.9"), "3.9.0", False),
        (software("==", "3.2"), "3.2.0+build.9", True),
        (software("!=", "3.2"), "3.2.0", False),
        (software("<", "3.2.1"), "3.2.1-rc.1", True),
        (software(">=", "3.2.1"), "3.2.1-rc.1", False),
        (software("<", "3.2.1-rc.10"), "3.2.1-rc.2", True),
        (software("in", "3.1", "3.2"), "3.2.0", True),
        (Junction(kind="and", operands=(software(">=", "3.2"), software("<=", "4"))), "4.0", True),
    ],
)
def test_versions_compare_by_their_numbers(target: Target, version: str, expected: bool) -> None:
    assert matches(target, {"software": version}) is expected


@pytest.mark.parametrize("value", ["v3.2", "three", "3..2", "3.2-", 3.2, 3, True])
def test_what_is_not_a_version_is_unknown_and_told(value: AttributeValue) -> None:
    for target in (software(">=", "1"), software("!=", "1"), Junction(kind="not", operands=(software("==", "1"),))):
        assert not matches(target, {"software": value})
        assert compares_no_version(target, {"software": value})
    assert not compares_no_version(MODEL, {"model": value})
    assert not compares_no_version(software(">=", "1"), {"software": "1"}, {"software": value})
    assert not compares_no_version(software(">=", "1"), {}, {"software": value})
    assert compares_no_version(software(">=", "1", reported=True), {}, {"software": value})


def test_a_target_without_versions_is_written_as_ever() -> None:
    assert "as_versions" not in HARDWARE.canonical_json().decode()
    assert b'"as_versions":true' in software(">=", "3").canonical_json()
