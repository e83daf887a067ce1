"""The OpenAPI document: the routes of API and gateway, every status that they answer with, and the wire types."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from fleet_api.api.openapi.strings import forbid_nul
from fleet_api.http.bodies import MEDIA_TYPE, body_model, is_optional_body
from fleet_api.http.routing import with_dependencies
from fleet_api.http.signed import SIGNED, signed_schemas
from ingest.gateway import document as gateway
from ingest.http.prefix import prefix_of
from ingest.http.raising import REF_TEMPLATE, declared, problem_responses, reference
from storage.settings import Settings
from triggers.contracts.problem import Problem
from triggers.errors import LongtailError, NotFound

TAGS = (
    ("campaigns", "What to collect: apply a trigger text, approve it, and see what became of its fires."),
    ("authoring", "Trigger texts while they are written: findings, format, costs, and what they may name."),
    ("signal catalogs", "The signals that texts are compiled against, published by operators."),
    ("login", "Log-in of people at an OpenID provider, and who somebody is."),
    ("budget", "How much of each budget is used."),
    ("costs", "What campaigns have cost so far, and by month."),
    ("usage", "Where clips and bytes went, and what vehicles reported, by campaign, region, network and time."),
    ("price books", "What transfer, requests and storage cost, published by operators."),
    ("trust", "The trust document: which keys vehicles trust."),
    ("vehicles", "Enrolment by operators; check-in, bundles and counts by the vehicles themselves."),
    ("clips", "Searching the catalog of clips."),
    ("datasets", "Clips that are frozen under a name, in versions that never change."),
    ("saved searches", "Filters and orders of clips under a name, with a link."),
    ("scans", "Searching clips by what happened in them, as jobs."),
    ("backtests", "Running trigger files over recorded drives or clips, as jobs."),
    ("stac", "The same catalog as STAC 1.1, read-only, for tools that know the standard."),
    ("labels", "The feed for labelers."),
    ("audit", "Who changed what, in a chain of entries that can only be appended to."),
    ("outcomes", "What became of fires, in counts that add up, and dead letters."),
    ("alerts", "What is wrong, since when, and what to do about it."),
    ("history", "What happened to a clip or a fire, and how long clips take from stage to stage."),
    ("rates", "How often triggers fire and heads disagree, and what budgets are forecast to become."),
    ("objects", "The bytes of clips and of what was extracted from them."),
    ("uploads", "Uploads of clips from vehicles (tus 1.0); served by the gateway."),
    ("health", "Health checks for load balancers and supervisors."),
)


_OF_FASTAPI = ("HTTPValidationError", "ValidationError")
"""Schemas of FastAPI's own answer to invalid parameters; here these answers are problem documents."""
_REFUSED = "422"
"""The status of that answer."""


class _Documented(RouteContext):
    """A route as the document shows it, without HEAD, which exists wherever GET does and answers the same."""

    @property
    def methods(self) -> set[str]:
        return (super().methods or set()) - {"HEAD"}


def build_document(app: FastAPI, settings: Settings) -> dict[str, Any]:
    """The document of API and gateway together; the gateway's paths have its address as their `servers`."""
    routes = [_Documented(**vars(context)) for context in iter_route_contexts(app.routes)]
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=routes,
        tags=[{"name": name, "description": text} for name, text in TAGS],
        servers=[
            {"url": prefix_of(settings.effective_api_url()) or "/", "description": "The API that served this document"},
            {"url": settings.effective_api_url().rstrip("/"), "description": "The API's public address"},
        ],
    )
    models: set[type[BaseModel]] = {Problem, *SIGNED, *gateway.MODELS}
    for route in routes:
        if isinstance(route.original_route, APIRoute) and route.include_in_schema:
            models |= _complete(document["paths"][route.path_format], route)
    document["paths"] |= gateway.paths(settings.effective_gateway_url().rstrip("/"))
    _add_schemas(document["components"]["schemas"], models)
    return document


def _complete(path: dict[str, Any], route: RouteContext) -> set[type[BaseModel]]:
    """Add a route's problems and its request body to its operations; returns the models that these refer to."""
    every = list(with_dependencies(route.dependant))
    bodies = {model: dependant.call for dependant in every if (model := body_model(dependant.call)) is not None}
    refused = getattr(route.original_route, "refused_status", None)
    problems = problem_responses(_raised(route, [dependant.call for dependant in every]), refused_status=refused)
    for method in route.methods or ():
        operation = path[method.lower()]
        for parameter in operation.get("parameters", ()):
            forbid_nul(parameter["schema"])
        answers = {status: answer for status, answer in operation["responses"].items() if status != _REFUSED}
        operation["responses"] = dict(sorted({**answers, **problems}.items()))
        for model, call in bodies.items():
            operation["requestBody"] = _request_body(model, is_optional=is_optional_body(call))
    return set(bodies)


def _raised(route: RouteContext, calls: Iterable[Any]) -> Iterator[type[LongtailError]]:
    yield LongtailError
    if "{" in (route.path_format or ""):
        yield NotFound  # what a path names may not exist
    for call in calls:
        yield from declared(call)


def _request_body(model: type[BaseModel], *, is_optional: bool) -> dict[str, Any]:
    return {"required": not is_optional, "content": {MEDIA_TYPE: {"schema": reference(model)}}}


def _add_schemas(schemas: dict[str, Any], models: Iterable[type[BaseModel]]) -> None:
    for name in _OF_FASTAPI:
        schemas.pop(name, None)
    ordered = sorted(models, key=lambda model: model.__name__)
    _, definitions = models_json_schema([(model, "validation") for model in ordered], ref_template=REF_TEMPLATE)
    forbid_nul(
        [schema for name, schema in definitions["$defs"].items() if name != Problem.__name__]
    )  # it may quote one
    schemas |= definitions["$defs"] | signed_schemas()
