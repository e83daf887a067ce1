"""Users and roles: what a role allows, and what a refusal says."""

from __future__ import annotations

import pytest

from triggers.contracts.users import ROLES, Role, User
from triggers.errors import Forbidden


def test_every_role_but_the_labelers_may_view_and_an_administrator_may_do_everything() -> None:
    assert {role for role in ROLES if not User("a", frozenset({role})).may(Role.VIEWER)} == {Role.LABELER}
    assert User("a", frozenset({Role.LABELER, Role.AUTHOR})).may(Role.VIEWER)
    assert all(User("a", frozenset({Role.ADMIN})).may(role) for role in ROLES)
    assert not User("a", frozenset({Role.LABELER})).may(Role.AUTHOR)


def test_one_of_the_required_roles_is_enough() -> None:
    user = User("ann", frozenset({Role.AUTHOR}))
    user.require(Role.AUTHOR, Role.APPROVER)
    with pytest.raises(Forbidden) as refused:
        user.require(Role.OPERATOR, Role.APPROVER)
    assert refused.value.message == "this needs the role operator or approver; ann has author"
    assert refused.value.remedy == "ask an administrator for a token with the role operator or approver"
