"""What every contract type refuses: numbers that nothing downstream can hold."""

from __future__ import annotations

import pytest

from triggers.contracts.checkin import CheckIn, Telemetry
from triggers.errors import InvalidInput


@pytest.mark.parametrize("number", ["9" * 400, "-" + "9" * 400, "1e400", "NaN", "9" * 5000, "9" * 30, str(2**63)])
def test_an_attribute_is_a_number_that_can_be_kept_as_it_is(number: str) -> None:
    with pytest.raises(InvalidInput):
        CheckIn.from_json(b'{"vehicle_time_ns": 1, "attributes": {"x": %s}}' % number.encode(), what="the body")


def test_a_key_twice_is_refused_by_name_and_only_what_was_accepted_before_may_have_it() -> None:
    body = b'{"vehicle_time_ns": 1, "software": {"agent": "1", "\\u0061gent": "2"}}'
    with pytest.raises(InvalidInput, match="the body: the key `agent` is given twice in one object"):
        CheckIn.from_json(body, what="the body")
    assert CheckIn.from_stored_json(body, what="the body").software == {"agent": "2"}


@pytest.mark.parametrize("number", ["0", "-1.5", "true", str(2**63 - 1), str(-(2**63)), "1e+30"])
def test_other_numbers_are_kept(number: str) -> None:
    body = b'{"vehicle_time_ns": 1, "attributes": {"x": %s}}' % number.encode()
    report = CheckIn.from_json(body, what="the body")
    assert str(report.attributes["x"]).lower() == number


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (CheckIn, b'{"vehicle_time_ns": %d}' % 2**63),
        (CheckIn, b'{"vehicle_time_ns": -1}'),
        (Telemetry, b'{"counts": [], "reported_at_ns": %d}' % 2**63),
    ],
)
def test_a_time_is_as_wide_as_what_stores_it(kind: type[CheckIn | Telemetry], body: bytes) -> None:
    with pytest.raises(InvalidInput, match="_ns"):
        kind.from_json(body, what="the body")
