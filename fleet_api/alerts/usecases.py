"""Use cases for alerts: show what the last evaluation of the rules found."""

from __future__ import annotations

from fleet_api.services import Services
from fleet_api.watching.alerts.views import views_of
from fleet_api.watching.alerts.watch import RULES_ELSEWHERE
from storage.watching import alerts
from triggers.contracts.api.watching.alerts import AlertList
from triggers.contracts.users import Role, User


def list_alerts(services: Services, user: User) -> AlertList:
    """Everything that holds now, the worst first."""
    user.require(Role.VIEWER)
    with services.database.snapshot() as connection:
        found = alerts.newest(connection)
    return AlertList(
        evaluated_at=found.evaluated_at,
        alerts=views_of(found.alerts),
        missing=list(found.missing),
        elsewhere=list(RULES_ELSEWHERE),
    )
