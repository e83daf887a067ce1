"""The order of versions: that of SemVer, and what both its rules and people's habits add."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triggers.language.reference.versions import version_order

ASCENDING = (
    "0.9 < 1.0.0-0 < 1.0.0-2 < 1.0.0-10 < 1.0.0-alpha < 1.0.0-alpha.1 < 1.0.0-alpha.beta < 1.0.0-beta < 1.0.0-beta.2"
    " < 1.0.0-beta.11 < 1.0.0-rc.1 < 1.0.0 < 1.0.0.1 < 1.2 < 1.2.3 < 1.9 < 1.10 < 2026.08 < 2026.9.1"
)
"""The example of SemVer 2.0.0, item 11, and further ones."""
EQUAL = ["3.2 3.2.0 3.2.0.0 3.02 3.2.0+build.5", "0 0.0 0.0.0+a", "3.2-rc.1 3.2.0-rc.1+x"]
numbers = st.lists(st.integers(0, 10**9), min_size=1, max_size=5)


def test_versions_are_in_the_order_of_semver() -> None:
    for lower, higher in combinations(ASCENDING.split(" < "), 2):
        low, high = version_order(lower), version_order(higher)
        assert low is not None and high is not None and low < high, (lower, higher)


@pytest.mark.parametrize("versions", EQUAL)
def test_equal_versions_may_be_written_in_several_ways(versions: str) -> None:
    assert len({version_order(each) for each in versions.split()}) == 1


@pytest.mark.parametrize(
    "text", ["", " 3", "v3", "3.", ".3", "3..2", "3.x", "3.2rc1", "3.2-", "3+", "3-a..b", "٣", "3\n"]
)
def test_what_is_not_a_version_has_no_order(text: str) -> None:
    assert version_order(text) is None


@given(numbers, numbers)
def test_numbers_compare_as_numbers(left: list[int], right: list[int]) -> None:
    filled = [each + [0] * (5 - len(each)) for each in (left, right)]
    orders = [version_order(".".join(map(str, each))) for each in (left, right)]
    assert orders[0] is not None and orders[1] is not None
    assert (orders[0] < orders[1], orders[0] == orders[1]) == (filled[0] < filled[1], filled[0] == filled[1])
