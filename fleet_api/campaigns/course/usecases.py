"""Use cases for the course of a campaign: stages and halts, who did what, differences of versions, and its vehicles.

Each use case checks the user's role and is one transaction.
"""

from __future__ import annotations

from datetime import UTC, datetime

from fleet_api.campaigns.course.views import course_view, others_view, vehicle_view
from fleet_api.campaigns.review import differences
from fleet_api.services import Services
from storage import audit
from storage.audit import CampaignFilter
from storage.campaigns import course, halts, queries
from storage.statements.time_limit import time_limit
from triggers.contracts.api.watching.course import (
    CampaignVehicleList,
    CourseView,
    DifferenceView,
    OtherVehicles,
    TrailEntryView,
    TrailPage,
    VehicleCourse,
)
from triggers.contracts.users import Role, User

COUNTING_S = 10.0
"""How long counting a version's vehicles may take."""
MOST_COUNTED = 20_000
"""How many vehicles that were not given a version are looked at: the rule of assignment is asked for each."""


def show_course(services: Services, user: User, campaign: str, version: int) -> CourseView:
    """The stages and halts of a version's rollout; or NotFound."""
    user.require(Role.VIEWER)
    with services.database.begin() as connection:
        shown = queries.get_version(connection, campaign, version)
        halted = halts.listing(connection, campaign, version)
    return course_view(shown, halted, now=datetime.now(UTC))


def show_difference(services: Services, user: User, campaign: str, version: int, *, since: int) -> DifferenceView:
    """How a version differs from version `since`; or NotFound. Texts are compared after the transaction."""
    user.require(Role.VIEWER)
    with services.database.begin() as connection:
        old, new = (queries.get_content(connection, campaign, number) for number in (since, version))
    return DifferenceView(campaign=campaign, since=since, version=version, parts=differences(old, new))


def list_vehicles(
    services: Services, user: User, campaign: str, version: int, *, state: VehicleCourse | None, after: str, limit: int
) -> CampaignVehicleList:
    """A page of the vehicles that were given a version, and how many are in each state; or NotFound.

    Overloaded when there are so many that counting them takes too long.
    """
    user.require(Role.VIEWER)
    list_s = services.settings.assignment_ttl_s
    with services.database.begin() as connection:
        shown = queries.get_version(connection, campaign, version)
        with time_limit(connection, COUNTING_S, what="counting the vehicles", remedy="ask for them again later"):
            counted = course.vehicles_by_state(connection, campaign, version, list_s=list_s)
            found = course.vehicles_of(
                connection, campaign, version, list_s=list_s, state=state, after=after, limit=limit
            )
    return CampaignVehicleList(
        vehicles=[vehicle_view(vehicle, shown) for vehicle in found],
        by_state=counted,
        next=found[-1].vehicle if len(found) == limit else None,
    )


def count_other_vehicles(services: Services, user: User, campaign: str, version: int) -> OtherVehicles:
    """How many vehicles were never given a version, by the reason; or NotFound. Overloaded as for `list_vehicles`."""
    user.require(Role.VIEWER)
    with services.database.begin() as connection:
        shown = queries.get_version(connection, campaign, version)
        with time_limit(connection, COUNTING_S, what="counting the vehicles", remedy="ask for them again later"):
            found = course.other_vehicles(connection, campaign, version, limit=MOST_COUNTED + 1)
    return others_view(shown, found[:MOST_COUNTED], now=datetime.now(UTC), is_complete=len(found) <= MOST_COUNTED)


def read_trail(services: Services, user: User, campaign: str, *, after: int, limit: int) -> TrailPage:
    """Entries of the audit log about a campaign with a sequence above `after`, oldest first; or NotFound."""
    user.require(Role.VIEWER)
    with services.database.begin() as connection:
        queries.get_versions(connection, campaign, limit=1)
        entries = audit.listing(connection, CampaignFilter(campaign), after=after, limit=limit)
    shown = [TrailEntryView.model_validate(entry) for entry in entries]
    if not user.may(Role.OPERATOR):
        shown = [entry.model_copy(update={"address": None}) for entry in shown]
    return TrailPage(entries=shown, next=shown[-1].sequence if len(shown) == limit else None)
