"""Values that usage can be of: NotFound, with the nearest ones, for what there never was."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select, union

from storage.campaigns.names import MAX_COMPARED, MAX_SHOWN, listed, nearest, require_ever
from storage.tables import usage_increments, usage_series, vehicles
from triggers.contracts.api.usage.answers import UsageDimension
from triggers.contracts.campaign import Network
from triggers.errors import NotFound


def require_known(connection: Connection, where: Mapping[UsageDimension, str | int]) -> None:
    """NotFound where one of the values is misspelt, as no usage can ever be of it. '' and version 0 stand for none.

    The campaign is known to exist.
    """
    named = {name: value for name, value in where.items() if value}
    campaign, version, trigger = named.get("campaign"), named.get("version"), named.get("trigger")
    require_ever(
        connection,
        None if campaign is None else str(campaign),
        version=None if version is None else int(version),
        trigger=None if trigger is None else str(trigger),
    )
    for name in ("region", "model"):
        if name in named:
            _require_attribute(connection, name, str(named[name]))
    network = str(named.get("network", Network.WIFI))
    if network not in set(Network):
        raise _unknown("network", network, list(Network))


def _require_attribute(connection: Connection, name: str, value: str) -> None:
    """A vehicle may have it without usage, and usage may be of it that no vehicle has any more."""
    of_vehicle = vehicles.c.attributes[name].astext
    counted = (usage_series.c[name], usage_increments.c[name], of_vehicle)
    if connection.execute(union(*(select(each).where(each == value).limit(1) for each in counted))).first() is None:
        values = union(*(select(each).where(each != "") for each in counted)).limit(MAX_COMPARED)
        raise _unknown(name, value, list(connection.execute(values).scalars()))


def _unknown(name: str, value: str, known: list[str]) -> NotFound:
    has = f"there are {listed(known)}" if known else f"no vehicle has a {name}"
    return NotFound(f"there is no {name} {value[:MAX_SHOWN]!r}", remedy=nearest(value, known, otherwise=has))
