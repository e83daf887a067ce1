"""Which vehicles a target matches."""

from __future__ import annotations

import pytest

from triggers.assignment.targets import matches
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
