"""The witness of a vehicle: it writes down what the gateway acknowledged, as it was answered, request by request.

One line of JSON an event, appended to a file that outlives the vehicle's process. A last line that a kill cut off is
left out when the file is read.
"""

from __future__ import annotations

import json
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
        """Append an event, in one write, so that a kill leaves all of it or nothing."""
        with self._path.open("ab", buffering=0) as file:
            file.write(json.dumps(event).encode() + b"\n")

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


class Witness:
    """The reader of a witness's file, to which its vehicle goes on writing: each line is read once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_bytes = self._events = 0
        self._seen = Testimony()
        self._uploads: dict[str, tuple[str, int]] = {}
        self._offsets: dict[str, int] = {}

    def testimony(self) -> Testimony:
        """All that the vehicle saw so far."""
        if self._path.exists():
            with self._path.open("rb") as file:
                file.seek(self._read_bytes)
                for line in file:
                    if not line.endswith(b"\n"):
                        break
                    self._read_bytes += len(line)
                    self._events += 1
                    self._take(line)
        return self._seen

    def _take(self, line: bytes) -> None:
        event = json.loads(line)
        match event["event"]:
            case "recorded":
                self._seen.recorded.setdefault(event["digest"], self._events)
            case "error":
                self._seen.errors.append(event["message"])
            case "created":
                self._uploads[event["url"]] = (event["digest"], event["size"])
            case "patch" | "head":
                self._take_offset(event["url"], event["offset"])

    def _take_offset(self, url: str, offset: int) -> None:
        before = self._offsets.get(url, 0)
        if offset < before:
            self._seen.contradictions.append(f"{url}: {offset} after {before} bytes were acknowledged")
        self._offsets[url] = max(offset, before)
        digest, size_bytes = self._uploads.get(url, ("", -1))
        if offset == size_bytes:
            self._seen.acknowledged.add(digest)
