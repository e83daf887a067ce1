"""The routers of the API, one per subject."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from fleet_api.alerts import routes as alerts
from fleet_api.api import health, objects
from fleet_api.api.errors import refuse_nul
from fleet_api.api.openapi import interactive_docs, published
from fleet_api.audit import routes as audit
from fleet_api.authoring import routes as authoring
from fleet_api.backtests import routes as backtests
from fleet_api.budget import routes as budget
from fleet_api.campaigns import owner_routes as campaign_owners
from fleet_api.campaigns import routes as campaigns
from fleet_api.campaigns.course import routes as campaign_course
from fleet_api.campaigns.reports import routes as campaign_reports
from fleet_api.clips import routes as clips
from fleet_api.console import routes as console
from fleet_api.costs import routes as costs
from fleet_api.datasets import routes as datasets
from fleet_api.facets import routes as facets
from fleet_api.filters import routes as filters
from fleet_api.forecasts import routes as forecasts
from fleet_api.history import routes as history
from fleet_api.http.routing import refuse_odd_numbers, refuse_unknown_query
from fleet_api.labels import routes as labels
from fleet_api.login import routes as login
from fleet_api.marks import routes as marks
from fleet_api.outcomes import routes as outcomes
from fleet_api.rates import routes as rates
from fleet_api.scans import routes as scans
from fleet_api.searches import routes as searches
from fleet_api.signal_catalogs import routes as signal_catalogs
from fleet_api.stac import routes as stac
from fleet_api.statements import routes as statements
from fleet_api.trust import routes as trust
from fleet_api.usage import routes as usage
from fleet_api.vehicles import routes as vehicles

ROUTERS = tuple(
    module.router
    for module in (
        campaigns,
        campaign_owners,
        campaign_course,
        campaign_reports,
        authoring,
        signal_catalogs,
        budget,
        costs,
        statements,
        usage,
        vehicles,
        facets,  # before /v1/clips/{clip_id}
        clips,
        filters,
        scans,
        backtests,
        stac,
        datasets,
        searches,
        marks,
        labels,
        outcomes,
        rates,
        forecasts,
        history,
        alerts,
        audit,
        trust,
        login,
        objects,
        health,
        console,
    )
)


def _included() -> APIRouter:
    """All routes, with what every request is checked for."""
    checks = [Depends(refuse_nul), Depends(refuse_unknown_query), Depends(refuse_odd_numbers)]
    included = APIRouter(dependencies=checks, generate_unique_id_function=lambda route: route.name)
    for router in (*ROUTERS, interactive_docs.router, published.router):
        included.include_router(router)
    return included


ROUTES = tuple(_included().routes)
"""What every application has. FastAPI analyses the routes of an inclusion when the first request comes, which takes
longer than most requests; the applications of a process share these, so that it is done once."""
