"""Usage: what a fleet has used, by whatever is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fleet_api.client.transport import Transport, path_of
from triggers.contracts.api.usage.answers import UsageDimension, UsageKey, UsageList, UsageView

PAGE = 2000


@dataclass(frozen=True)
class UsageSums:
    """Usage of the whole hours from `since` to `until`; `groups` come page after page, in the order of their keys."""

    since: datetime
    until: datetime
    groups: Iterator[UsageView]


class Usage:
    """What `client.usage` can do."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def sums(
        self,
        by: Sequence[UsageKey] = ("campaign",),
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        where: Mapping[UsageDimension, str | int] | None = None,
    ) -> UsageSums:
        """Usage by keys such as ("campaign", "network"), of the last seven days unless it is said which.

        `where` counts only what has these values; '' stands for none. The first page is fetched at once.
        """
        asked: dict[str, str | int] = {"by": ",".join(by), "limit": PAGE}
        for name, value in (where or {}).items():
            asked[name] = value
        span = {name: _text(moment) for name, moment in (("since", since), ("until", until)) if moment is not None}
        first = self._transport.get(UsageList, path_of("usage"), {**asked, **span})
        # Pages are of one span, whatever the time is when they are fetched.
        return UsageSums(first.since, first.until, self._groups(first, asked))

    def _groups(self, page: UsageList, asked: Mapping[str, str | int]) -> Iterator[UsageView]:
        span = {"since": _text(page.since), "until": _text(page.until)}
        while True:
            yield from page.groups
            if page.next is None:
                return
            page = self._transport.get(UsageList, path_of("usage"), {**asked, **span, "after": page.next})


def _text(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
