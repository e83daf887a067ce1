"""The HTTP side of a process without routes of its own: whether it lives, and whether all of its parts work."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingest.http.problems import exception_handlers, problem_response
from ingest.readiness import Readiness
from ingest.single_check import SingleCheck
from triggers.errors import LongtailError


def create_app(readiness: Readiness, more: Sequence[Route] = ()) -> Starlette:
    """`/healthz` and `/readyz` of the process with these parts, and what else it serves."""
    check = SingleCheck(readiness.check)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        check.close()

    async def readyz(_request: Request) -> Response:
        """200 when a unit of work has passed through every part since it last failed, else 503."""
        try:
            await check.run()
        except LongtailError as error:
            return problem_response(error, status=503)
        return JSONResponse({"status": "ok", "deployment": readiness.deployment})

    routes = [Route("/healthz", _healthz), Route("/readyz", readyz), *more]
    return Starlette(routes=routes, exception_handlers=exception_handlers(), lifespan=lifespan)


async def _healthz(_request: Request) -> Response:
    """200 as long as the process runs."""
    return JSONResponse({"status": "ok"})
