"""The OpenAPI document as it is served: built once, when it is first asked for, and then sent as the same bytes."""

from __future__ import annotations

import asyncio
import hashlib
import json

from fastapi import APIRouter, FastAPI, Request, Response

from fleet_api.http.routing import ApiRoute

PATH = "/openapi.json"
router = APIRouter(include_in_schema=False, route_class=ApiRoute)


class PublishedDocument:
    """The document of an application; building and writing it takes seconds, so all who ask meanwhile wait for one."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._writing: asyncio.Task[tuple[bytes, str]] | None = None

    async def written(self) -> tuple[bytes, str]:
        """Its JSON and its entity tag."""
        if self._writing is None or _has_failed(self._writing):
            self._writing = asyncio.create_task(asyncio.to_thread(self._write))
        return await asyncio.shield(self._writing)

    def _write(self) -> tuple[bytes, str]:
        content = json.dumps(self._app.openapi(), ensure_ascii=False, separators=(",", ":")).encode()
        return content, f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _has_failed(task: asyncio.Task[tuple[bytes, str]]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


@router.get(PATH)
async def document(request: Request) -> Response:
    """The document, or 304 for whom has it."""
    content, tag = await request.app.state.document.written()
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("If-None-Match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="application/json", headers=headers)
