"""Use cases for usage: sum what a fleet has used, by whatever is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from fleet_api.services import Services
from fleet_api.usage import rules
from storage import usage
from storage.campaigns.queries import get_versions
from storage.statements.time_limit import time_limit
from storage.usage import Span, UsageQuery, UsageRow
from storage.usage.known import require_known
from triggers.contracts.api.usage.answers import UsageDimension, UsageKey, UsageList, UsageView
from triggers.contracts.users import Role, User

DEFAULT_SPAN = timedelta(days=7)
TIME_LIMIT_S = 15.0


def show_usage(
    services: Services,
    user: User,
    *,
    by: str,
    since: str | None,
    until: str | None,
    where: Mapping[UsageDimension, str | int],
    after: str | None,
    limit: int,
) -> UsageList:
    """A page of groups in the order of their keys: of the last seven days, unless it is said which.

    Hours that are touched are counted whole. `after` is the `next` of the page before.
    NotFound for usage of what there never was, such as a campaign or trigger whose name is misspelt.
    """
    user.require(Role.VIEWER)
    keys, now = rules.parse_by(by), datetime.now(UTC)
    end = now if until is None else rules.parse_moment(until, what="`until`")
    start = end - DEFAULT_SPAN if since is None else rules.parse_moment(since, what="`since`")
    span = Span.over(start, end, by_hour="hour" in keys, now=now)
    position = None if after is None else rules.read_after(after, keys)
    only = {name: [value] for name, value in where.items()}
    query = UsageQuery(keys, span, only, position, limit + 1)
    with (
        services.database.begin() as connection,
        time_limit(connection, TIME_LIMIT_S, what="summing usage", remedy="ask for less time, or for fewer groups"),
    ):
        if campaign := where.get("campaign"):
            get_versions(connection, str(campaign), limit=1)
        require_known(connection, where)
        rows = usage.ask(connection, query)
    more = rules.write_after(keys, rows[limit - 1].key) if len(rows) > limit else None
    groups = [_view(keys, row) for row in rows[:limit]]
    return UsageList(since=span.since, until=span.until, groups=groups, next=more)


def _view(keys: Sequence[UsageKey], row: UsageRow) -> UsageView:
    numbers = asdict(row)
    del numbers["key"]
    return UsageView.model_validate({**numbers, **dict(zip(keys, row.key, strict=True))})
