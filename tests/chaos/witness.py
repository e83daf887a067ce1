"""The witness of a vehicle: it writes down what the gateway acknowledged, as it was answered, request by request.

One line of JSON an event, appended to a file that outlives the vehicle's process. A last line that a kill cut off is
left out when the file is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from triggers.contracts.clip import CreationRequest

OFFSET = "Upload-Offset"


class WitnessTransport(httpx.BaseTransport):
    """The vehicle's way to its servers, which notes creations, acknowledged offsets and ends of uploads."""

    def __init__(self, path: Path) -> None:
        self._inner = httpx.HTTPTransport()
        self._path = path

    def note(self, **event: Any) -> None:
        """Append an event."""
        with self._path.open("a") as file:
            file.write(json.dumps(event) + "\n")

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        creation = request.content if request.method == "POST" and request.url.path.endswith("/uploads") else None
        response = self._inner.handle_request(request)
        if creation is not None and "Location" in response.headers:
            self._note_creation(creation, str(request.url.join(response.headers["Location"])))
        elif request.method in ("PATCH", "HEAD") and OFFSET in response.headers and response.is_success:
            offset = int(response.headers[OFFSET])
            self.note(event=request.method.lower(), url=str(request.url), offset=offset)
        elif request.method == "DELETE" and response.is_success:
            self.note(event="terminated", url=str(request.url))
        return response

    def close(self) -> None:
        self._inner.close()

    def _note_creation(self, body: bytes, url: str) -> None:
        manifest = CreationRequest.model_validate_json(body).manifest
        self.note(event="created", url=url, digest=manifest.digest, size=manifest.size_bytes)


@dataclass
class Testimony:
    """What one vehicle saw: clips by digest, and what contradicts what it was told before."""

    recorded: dict[str, int] = field(default_factory=dict)
    """Digest to the event's number when the clip was queued."""
    acknowledged: set[str] = field(default_factory=set)
    """Clips all of whose bytes the gateway said it has."""
    contradictions: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    """What the agent raised though nothing of the kind may reach its host."""


def testimony(path: Path) -> Testimony:
    """Read a witness's file; its vehicle may still be writing to it."""
    seen = Testimony()
    uploads: dict[str, tuple[str, int]] = {}
    offsets: dict[str, int] = {}
    for number, event in enumerate(_events(path)):
        match event["event"]:
            case "recorded":
                seen.recorded.setdefault(event["digest"], number)
            case "error":
                seen.errors.append(event["message"])
            case "created":
                uploads[event["url"]] = (event["digest"], event["size"])
            case "patch" | "head":
                url, offset = event["url"], event["offset"]
                if offset < offsets.get(url, 0):
                    seen.contradictions.append(f"{url}: {offset} after {offsets[url]} bytes were acknowledged")
                offsets[url] = max(offset, offsets.get(url, 0))
                digest, size = uploads.get(url, ("", -1))
                if offset == size:
                    seen.acknowledged.add(digest)
    return seen


def _events(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield json.loads(line)
