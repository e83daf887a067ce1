"""Rules of campaigns without a database: submitting again, the approver's digest, four eyes."""

from __future__ import annotations

import pytest

from fleet_api.campaigns.rules import check_digest, check_four_eyes, is_submitted_now
from triggers.contracts.campaign import CampaignState
from triggers.errors import Conflict, Forbidden


def test_only_a_draft_is_submitted_and_only_unless_it_is_to_stay_one() -> None:
    submitted = [
        (state, draft) for state in CampaignState for draft in (False, True) if is_submitted_now(state, draft=draft)
    ]
    assert submitted == [(CampaignState.DRAFT, False)]


def test_approval_needs_the_digest_of_the_versions_program() -> None:
    check_digest("braking", 1, program_digest="a" * 64, seen_digest="a" * 64)
    with pytest.raises(Conflict, match=f"has the program {'a' * 64}, not {'b' * 64}"):
        check_digest("braking", 1, program_digest="a" * 64, seen_digest="b" * 100)


@pytest.mark.parametrize(
    ("author", "submitted_by", "refused"),
    [("ann", "ann", True), ("ann", "bob", True), ("bob", "ann", True), ("bob", "carl", False), ("bob", None, False)],
)
def test_nobody_approves_alone_what_they_wrote_or_submitted(author: str, submitted_by: str, refused: bool) -> None:
    def check(*, allowed: bool) -> None:
        check_four_eyes(
            "braking", 1, approver="ann", author=author, submitted_by=submitted_by, allow_self_approval=allowed
        )

    check(allowed=True)
    if refused:
        with pytest.raises(Forbidden, match="ann wrote or submitted braking version 1"):
            check(allowed=False)
    else:
        check(allowed=False)
