"""What each campaign caused so far, added up over parts of months: from sums by day, and what is younger."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection, text

from storage.costs.facts import CLIP_BYTES, CLIPS, DAY_OF, EVER, FACTS, FOR_EVER
from triggers.costs.caused import Caused, Part
from triggers.costs.charges import Service
from triggers.costs.months import DAY, Month

# A server's clock that was put back dates what comes now on days that are summed up already: today's are always read.
_REACH = text(f"""
    SELECT least(through, {DAY_OF.format("now()")} - 1) AS through, months_until FROM cost_rollups WHERE zone = :zone
""")  # noqa: S608 - put together from the constants above
_CAUSED = text(f"""
    WITH days AS (
        SELECT d.campaign, d.day, d.service, d.item, d.quantity
        FROM unnest(CAST(:days_from AS date[]), CAST(:days_until AS date[])) AS r (first, until)
        JOIN cost_days d ON d.zone = :zone AND d.day >= r.first AND d.day < r.until
        UNION ALL
        {FACTS}
    ),
    in_parts AS (
        SELECT campaign, service, item, part, quantity, quantity * ((CAST(:ends AS date[]))[part] - day) AS unit_days
        FROM (SELECT *, width_bucket(day, CAST(:starts AS date[])) AS part FROM days WHERE day < CAST(:end AS date)) d
        UNION ALL
        SELECT campaign, service, item, width_bucket(m.until - 1, CAST(:starts AS date[])), quantity, unit_days
        FROM unnest(CAST(:months AS date[]), CAST(:months_until AS date[])) AS m (month, until)
        JOIN cost_months c ON c.zone = :zone AND c.month = m.month
    )
    SELECT campaign, service, item, part - 1 AS part, sum(quantity) AS quantity, sum(unit_days) AS unit_days
    FROM in_parts GROUP BY 1, 2, 3, 4
""")  # noqa: S608 - put together from the constants above


@dataclass(frozen=True, slots=True)
class _Sources:
    """Where what was caused is read from: sums of whole months, sums of days, and from a day on the rows themselves."""

    months: list[date]
    days: list[tuple[date, date]]
    rows_from: date | None


@dataclass(slots=True)
class OfCampaign:
    """What one campaign caused, and how many clips of it came into the catalog, with what they were charged."""

    caused: list[Caused] = field(default_factory=list)
    clips: int = 0
    clip_bytes: int = 0

    @property
    def received_bytes(self) -> int:
        """Bytes of its uploads that ended, whole or not."""
        return sum(each.quantity for each in self.caused if each.service is Service.TRANSFER)


def caused(connection: Connection, zone: str, parts: Sequence[Part]) -> dict[str, OfCampaign]:
    """What each campaign has caused, by the campaign's name and within `parts`, whose days follow each other.

    Days are those of a time zone. Nothing was caused before the first part (`storage.costs.rollup.first_day`).
    """
    campaigns: defaultdict[str, OfCampaign] = defaultdict(OfCampaign)
    if not parts:
        return {}
    sources = _sources(connection, zone, parts)
    asked = {
        "zone": zone,
        "first": EVER if sources.rows_from is None else sources.rows_from,
        "until": FOR_EVER,
        "days_from": [first for first, _ in sources.days],
        "days_until": [until for _, until in sources.days],
        "months": sources.months,
        "months_until": [Month.of(month).end for month in sources.months],
        "starts": [part.start for part in parts],
        "ends": [part.until for part in parts],
        "end": parts[-1].until,
    }
    for row in connection.execute(_CAUSED, asked):
        of_campaign, quantity = campaigns[row.campaign], int(row.quantity)
        if row.service == CLIPS:
            of_campaign.clips += quantity
        elif row.service == CLIP_BYTES:
            of_campaign.clip_bytes += quantity
        elif row.service == Service.STORAGE:
            change = Caused(row.part, Service.STORAGE, row.item, quantity, int(row.unit_days))
            of_campaign.caused.append(change)
        elif quantity:
            of_campaign.caused.append(Caused(row.part, Service(row.service), row.item, quantity))
    return dict(campaigns)


def _sources(connection: Connection, zone: str, parts: Sequence[Part]) -> _Sources:
    """Months whose prices are the same on all of their days as sums; days of other months, and of those since."""
    reach = connection.execute(_REACH, {"zone": zone}).one_or_none()
    if reach is None:
        return _Sources([], [], None)
    rows_from = reach.through + DAY
    by_month = Counter(Month.of(part.start) for part in parts)
    months, days, month = [], [], Month.of(parts[0].start)
    while month.end <= min(reach.months_until, rows_from, parts[-1].until):
        if by_month[month] == 1:
            months.append(month.start)
        else:
            days.append((month.start, month.end))
        month = month.plus(1)
    return _Sources(months, [*days, (month.start, rows_from)], rows_from)


def today(connection: Connection, zone: str) -> date:
    """The day that it is in a time zone, by the database's clock, which also dates what arrives."""
    day: date = connection.execute(text(f"SELECT {DAY_OF.format('now()')}"), {"zone": zone}).scalar_one()
    return day
