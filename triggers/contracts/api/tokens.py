"""Tokens of users as lists show them: without the tokens themselves."""

from __future__ import annotations

from datetime import datetime

from triggers.contracts.api.base import View


class TokenView(View):
    """A token of a user: whose it is, what for, and until when."""

    id: int
    user_name: str
    name: str
    roles: list[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
