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


def test_what_is_a_users_own_is_its_own_and_operators() -> None:
    ann = User("ann", frozenset({Role.VIEWER}), id=3)
    assert (ann.owns(3), ann.owns(4), ann.owns(None)) == (True, False, False)
    assert User("root", frozenset({Role.ADMIN}), id=4).owns(3) and User("o", frozenset({Role.OPERATOR}), id=4).owns(3)
    nobody = User("at the machine", frozenset({Role.VIEWER}))
    assert not nobody.owns(None) and ann.known_id() == 3
    with pytest.raises(Forbidden, match="at the machine is not a user of the API"):
        nobody.known_id()


def test_one_of_the_required_roles_is_enough() -> None:
    user = User("ann", frozenset({Role.AUTHOR}))
    user.require(Role.AUTHOR, Role.APPROVER)
    with pytest.raises(Forbidden) as refused:
        user.require(Role.OPERATOR, Role.APPROVER)
    assert refused.value.message == "this needs the role operator or approver; ann has author"
    assert refused.value.remedy == "ask an administrator for a token with the role operator or approver"
