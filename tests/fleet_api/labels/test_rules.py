"""Rules of label jobs without a database: holders, and what counts as OpenLABEL."""

from __future__ import annotations

from typing import Any

import pytest

from fleet_api.labels.rules import MAX_TYPES, check_holder, label_types
from tests.storage.clips.catalog_support import OPENLABEL
from triggers.contracts.users import Role, User
from triggers.errors import Forbidden, InvalidInput


def document(**parts: Any) -> dict[str, Any]:
    """An OpenLABEL document with these parts."""
    return {"openlabel": {"metadata": {"schema_version": "1.0.0"}, **parts}}


def test_a_job_is_its_claimers_and_an_administrators() -> None:
    for user in (User("lab", frozenset({Role.LABELER})), User("root", frozenset({Role.ADMIN}))):
        check_holder(7, claimed_by="lab", user=user)


@pytest.mark.parametrize("name", ["la", "anna", "lab/anna", "LAB"])
def test_no_other_users_name_opens_a_job(name: str) -> None:
    with pytest.raises(Forbidden, match="job 7 was claimed by lab"):
        check_holder(7, claimed_by="lab", user=User(name, frozenset({Role.LABELER})))


def test_types_of_all_parts_are_named_once_and_sorted() -> None:
    assert label_types(OPENLABEL) == ["braking", "car"]
    parts = {part: {"0": {"type": "b"}, "1": {"type": "a"}, "2": {}} for part in ("objects", "tags", "contexts")}
    assert label_types(document(**parts, frames={"0": {"type": "not a part with types"}})) == ["a", "b"]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"openlabel": []},
        {"openlabel": {}},
        {"openlabel": {"metadata": {}}},
        {"openlabel": {"metadata": {"schema_version": 1}}},
        {"openlabel": {"metadata": {"schema_version": "new"}}},
        {**OPENLABEL, "more": 1},
        document(objects=[1]),
        document(objects={"0": 1}),
        document(objects={str(number): {"type": str(number)} for number in range(MAX_TYPES + 1)}),
        document(objects={"0": {"type": "x" * 201}}),
    ],
)
def test_what_is_not_openlabel_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        label_types(wrong)
