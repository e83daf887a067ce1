"""Every answer of an application compared with the OpenAPI document: status, media type, and the schema of its JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import jsonschema_rs
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Document = Mapping[str, Any]


class DeclaredAnswers:
    """An ASGI application around another one. `mistakes` tells of every answer that the document does not declare."""

    def __init__(self, app: ASGIApp, operations: Operations) -> None:
        self.mistakes: list[str] = []
        self._app = app
        self._operations = operations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start: Message = {}
        body = bytearray()

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            body.extend(message.get("body", b""))
            await send(message)

        await self._app(scope, receive, watched)
        if start:
            self._compare(scope["method"], scope["path"], start, bytes(body))

    def _compare(self, method: str, path: str, start: Message, body: bytes) -> None:
        media_type = dict(start["headers"]).get(b"content-type", b"").decode().partition(";")[0]
        mistake = self._operations.mistake(method, path, start["status"], media_type, body)
        if mistake:
            self.mistakes.append(f"{method} {path} answered {start['status']}: {mistake}")


class Operations:
    """The operations of a document, found by method and path. One for many applications: it keeps what it compiles."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._validators: dict[str, Any] = {}

    def mistake(self, method: str, path: str, status: int, media_type: str, body: bytes) -> str | None:
        """What the document does not say of this answer; None when it declares it, or has no such path or method."""
        operation = self._find("GET" if method == "HEAD" and not self._find("HEAD", path) else method, path)
        if operation is None:
            return None
        response = operation["responses"].get(str(status))
        if response is None:
            return f"the statuses of {operation['operationId']} are {', '.join(operation['responses'])}"
        content = response.get("content", {})
        if method == "HEAD" or not (content or body):
            return None
        if media_type not in content and "*/*" not in content:
            return f"{media_type!r} is not among {list(content)}"
        schema = content.get(media_type, {}).get("schema", {})
        return self._schema_mistake(schema, body) if "json" in media_type else None

    def _find(self, method: str, path: str) -> Any:
        for pattern, item in self._patterns:
            if pattern.fullmatch(path) and method.lower() in item:
                return item[method.lower()]
        return None

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], Any]]:
        ordered = sorted(self._document["paths"].items(), key=lambda entry: entry[0].count("{"))
        return [(_pattern(template), item) for template, item in ordered]

    def _schema_mistake(self, schema: Any, body: bytes) -> str | None:
        key = json.dumps(schema)
        if key not in self._validators:
            whole = {**schema, "components": self._document["components"]}
            self._validators[key] = jsonschema_rs.validator_for(whole)
        error = next(self._validators[key].iter_errors(json.loads(body)), None)
        return None if error is None else str(error)[:500]


def _pattern(template: str) -> re.Pattern[str]:
    """The regular expression of a path template; only the key of an object has slashes in it."""
    escaped = re.escape(template).replace(r"\{key\}", ".+")
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", escaped))
