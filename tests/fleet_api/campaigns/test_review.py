"""What an approver sees of settings: all of them, told apart; and differences in bounded time, whatever the texts."""

from __future__ import annotations

import doctest
import string

from hypothesis import given
from hypothesis import strategies as st

from fleet_api.campaigns import difference as difference_module
from fleet_api.campaigns import settings_text as settings_text_module
from fleet_api.campaigns.difference import MAX_COMPARED_LINES, unified
from fleet_api.campaigns.settings_text import bytes_text, duration_text, settings_text
from tests.support.fleet import campaign_settings
from triggers.contracts.campaign import BudgetLimits

SETTINGS = campaign_settings("braking", BudgetLimits(total_bytes=10**9)).model_dump(mode="json")
leaves = st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["none", "1", "true", "1e5", "a, b"])
_lines = st.lists(st.sampled_from("abc"), max_size=12)


def difference(old: str, new: str) -> str:
    return unified(old, new, old_name="old", new_name="new")


def apply_patch(old: list[str], difference_text: str) -> list[str]:
    """The new lines, out of the old ones and hunks as `patch` reads them."""
    new: list[str] = []
    taken = 0
    for line in difference_text.split("\n")[2:]:
        if line.startswith("@@"):
            start, _, count = line.split()[1][1:].partition(",")
            begin = int(start) - (count != "0")
            new += old[taken:begin]
            taken = begin
        elif line[:1] in " -":
            assert old[taken] == line[1:]
            new += [line[1:]] if line[0] == " " else []
            taken += 1
        else:
            new.append(line[1:])
    return new + old[taken:]


@given(st.lists(leaves, max_size=3), st.lists(leaves, max_size=3))
def test_settings_that_differ_have_texts_that_differ(one: list[object], other: list[object]) -> None:
    shown = [settings_text({**SETTINGS, "tags": value}) for value in (one, other)]
    assert (shown[0] == shown[1]) == (repr(one) == repr(other))


@given(st.integers(min_value=0, max_value=10**18), st.integers(min_value=0, max_value=10**18))
def test_amounts_that_differ_have_texts_that_differ(one: int, other: int) -> None:
    for shown in (bytes_text, duration_text):
        assert (shown(one) == shown(other)) == (one == other)


def test_every_setting_of_a_campaign_has_a_line() -> None:
    shown = settings_text(SETTINGS)
    assert {path.partition(".")[0] for path in shown} == set(SETTINGS)


def test_control_characters_in_a_description_cannot_make_a_line_of_their_own() -> None:
    shown = settings_text({"describe": "a\nbudget.total_bytes: 1 B\x1b]0;x\u202e"})["describe"]
    assert shown.isprintable()


@given(_lines, _lines, st.integers(min_value=0, max_value=20))
def test_a_difference_leads_from_one_text_to_the_other(old: list[str], new: list[str], same: int) -> None:
    around = list(string.ascii_uppercase[:same])
    one, other = ([*around, *changed, *around] for changed in (old, new))
    if one == other:
        assert difference("\n".join(one), "\n".join(other)) == ""
    else:
        shown = difference("\n".join(one), "\n".join(other))
        assert apply_patch(one or [""], shown) == (other or [""])


def test_texts_too_long_to_compare_are_shown_as_replaced_between_their_equal_ends() -> None:
    many = MAX_COMPARED_LINES + 1
    old, new = (["begin", *[letter] * many, "end"] for letter in "ab")
    shown = difference("\n".join(old), "\n".join(new))
    assert apply_patch(old, shown) == new
    assert "-begin" not in shown and shown.count("\n-a") == many


def test_the_examples_are_right() -> None:
    for module in (settings_text_module, difference_module):
        result = doctest.testmod(module)
        assert result.failed == 0 and result.attempted
