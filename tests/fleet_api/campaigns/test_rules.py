"""Rules of campaigns without a database: submitting again, the version a text is based on, digests, four eyes."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime

import pytest

from fleet_api.campaigns.rules import (
    Owners,
    Written,
    check_based_on,
    check_digest,
    check_four_eyes,
    check_may_stop,
    is_submitted_now,
)
from triggers.contracts.campaign import CampaignState
from triggers.contracts.users import Role, User
from triggers.errors import Conflict, Forbidden


def test_only_a_draft_is_submitted_and_only_unless_it_is_to_stay_one() -> None:
    submitted = [
        (state, draft) for state in CampaignState for draft in (False, True) if is_submitted_now(state, draft=draft)
    ]
    assert submitted == [(CampaignState.DRAFT, False)]


NEWEST = Written(4, "bob", datetime(2026, 11, 29, 10, 32, tzinfo=UTC))


@pytest.mark.parametrize(
    ("based_on", "newest", "refusal"),
    [
        (4, NEWEST, ""),
        (0, None, ""),
        (
            3,
            NEWEST,
            "has changed since version 3, .*: bob applied version 4 at 2026-11-29 10:32 UTC; compare .* based on 4",
        ),
        (0, NEWEST, "there is a campaign braking already: bob applied version 4 .*; choose another name"),
        (5, NEWEST, "has no version 5: the newest is 4; base the text on 4"),
        (1, None, "has no version 1: there is none yet; base the text on 0"),
    ],
)
def test_a_text_replaces_only_the_version_that_its_author_has_seen(
    based_on: int, newest: Written | None, refusal: str
) -> None:
    with pytest.raises(Conflict, match=refusal) if refusal else nullcontext():
        check_based_on("braking", based_on, newest)


@pytest.mark.parametrize(
    ("seen", "sent", "refusal"),
    [
        ("a", "a", ""),
        ("b", "a", f"{'a' * 64}, not {'b' * 64}"),
        ("p", "a", "only the program"),
        ("a", "c", "c"),
    ],
)
def test_approval_needs_the_digest_of_all_that_vehicles_get(seen: str, sent: str, refusal: str) -> None:
    with pytest.raises(Conflict, match=refusal) if refusal else nullcontext():
        check_digest(
            "braking",
            1,
            seen_digest=seen * 64,
            approval_digest="a" * 64,
            program_digest="p" * 64,
            sent_digest=sent * 64,
        )


ANN = User("ann", frozenset({Role.AUTHOR, Role.APPROVER}), id=1)
OWNED_BY = {1: Owners(frozenset({1}), ("ann",)), 2: Owners(frozenset({2, 1}), ("bob", "ann"))}
OTHERS = Owners(frozenset({2, 3}), ("bob", "carl"))


@pytest.mark.parametrize(("owners", "refused"), [(OWNED_BY[1], True), (OWNED_BY[2], True), (OTHERS, False)])
def test_nobody_approves_alone_what_they_wrote_or_submitted(owners: Owners, refused: bool) -> None:
    check_four_eyes("braking", 1, approver=ANN, owners=owners, allow_self_approval=True)
    with pytest.raises(Forbidden, match="ann wrote or submitted braking version 1") if refused else nullcontext():
        check_four_eyes("braking", 1, approver=ANN, owners=owners, allow_self_approval=False)


@pytest.mark.parametrize(
    ("roles", "owners", "refused"),
    [
        ({Role.AUTHOR}, OTHERS, True),
        ({Role.AUTHOR}, OWNED_BY[2], False),
        ({Role.APPROVER}, OTHERS, False),
        ({Role.ADMIN}, OTHERS, False),
    ],
)
def test_a_version_is_stopped_by_its_owner_an_approver_or_an_administrator(
    roles: set[Role], owners: Owners, refused: bool
) -> None:
    user = User("ann", frozenset(roles), id=1)
    with pytest.raises(Forbidden, match="not ann's to stop") if refused else nullcontext() as error:
        check_may_stop("braking", 1, user=user, owners=owners, step="stop")
    if refused:
        assert "bob or carl" in error.value.remedy
