"""The wire as docs/vehicle-wire.md describes it: signed envelopes, check-in, bundles, uploads and counts."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

TUS = {"Tus-Resumable": "1.0.0"}
CELL_BYTES = 512 * 1024


def canonical(value: Any) -> bytes:
    """Canonical JSON: sorted keys, no blanks, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@dataclass(frozen=True)
class Role:
    """Keys, and how many of them must sign."""

    keys: list[bytes]
    threshold: int = 1


def role_of(document: dict[str, Any], name: str) -> Role:
    """A role of a trust document."""
    return Role([base64.b64decode(key) for key in document[name]["keys"]], document[name]["threshold"])


def unsealed(envelope: bytes, purpose: str, role: Role) -> Any:
    """The JSON in a signed envelope; raises InvalidSignature or ValueError."""
    count, start = (envelope[4], 5) if envelope[:4] == b"LTS2" else (1, 4)
    payload = envelope[start + 72 * count :]
    if envelope[:4] not in (b"LTS1", b"LTS2") or not 1 <= count <= 16 or len(envelope) < start + 72 * count:
        raise ValueError("not an envelope")
    trusted = {hashlib.sha256(key).digest()[:8]: key for key in role.keys}
    signatures = [envelope[at : at + 72] for at in range(start, start + 72 * count, 72)]
    known = [(entry[:8], entry[8:]) for entry in signatures if entry[:8] in trusted]
    if len({entry[:8] for entry in signatures}) < count or len(known) < role.threshold:
        raise ValueError("signed by too few keys that are trusted")
    for key_id, signature in known:
        signed = b"\x1f".join((b"LTS1", purpose.encode(), key_id, payload))
        Ed25519PublicKey.from_public_bytes(trusted[key_id]).verify(signature, signed)
    return json.loads(payload)


def parts(answer: bytes) -> tuple[list[bytes], bytes]:
    """The steps of trust and the list in the answer to a check-in."""
    if answer[:4] != b"LTC1":
        return [], answer
    steps, at = [], 5
    for _ in range(answer[4]):
        size = int.from_bytes(answer[at : at + 4], "big")
        steps.append(answer[at + 4 : at + 4 + size])
        at += 4 + size
    return steps, answer[at:]


@dataclass
class Trust:
    """What the vehicle trusts: the keys of its enrolment, then the newest trust document."""

    enrolled: Role
    enrolled_version: int = 0
    document: dict[str, Any] | None = None

    @property
    def version(self) -> int:
        return self.document["version"] if self.document else max(0, self.enrolled_version - 1)

    def role(self, name: str) -> Role:
        return role_of(self.document, name) if self.document else self.enrolled

    def follow(self, step: bytes) -> None:
        """Take one step of the chain."""
        if self.document is None:
            try:
                later = unsealed(step, "longtail-trust", self.enrolled)
            except ValueError:
                return
            if later["version"] < self.enrolled_version:
                raise ValueError("an old trust document")
        else:
            later = unsealed(step, "longtail-trust", role_of(self.document, "root"))
            if later["version"] != self.document["version"] + 1:
                raise ValueError("a step is missing")
        unsealed(step, "longtail-trust", role_of(later, "root"))
        self.document = later


def opened_list(envelope: bytes, role: Role, vehicle_id: str, now_ns: int) -> dict[str, Any]:
    """The vehicle's list of campaigns."""
    listed: dict[str, Any] = unsealed(envelope, "longtail-assignments", role)
    if listed["vehicle_id"] != vehicle_id or now_ns >= listed["expires_at_ns"]:
        raise ValueError("the list is for another vehicle, or has expired")
    hour_ns, issued_ns = 3600 * 10**9, listed["issued_at_ns"]
    if max(issued_ns, listed["revision"] * 10**6) > now_ns + hour_ns:
        raise ValueError("the list is from the future")
    if listed["expires_at_ns"] - issued_ns > 30 * 24 * hour_ns:
        raise ValueError("the list is valid for too long")
    return listed


def opened_bundle(envelope: bytes, role: Role, assignment: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """A bundle and its program's bytes."""
    if hashlib.sha256(envelope).hexdigest() != assignment["bundle_digest"]:
        raise ValueError("not the bundle that the list names")
    bundle = unsealed(envelope, "longtail-bundle", role)
    program = base64.b64decode(bundle["program_base64"], validate=True)
    if hashlib.sha256(program).hexdigest() != bundle["program_digest"]:
        raise ValueError("the program was changed")
    if (bundle["settings"]["name"], bundle["version"]) != (assignment["campaign"], assignment["version"]):
        raise ValueError("the bundle is for another campaign")
    return bundle, program


def have(listed: dict[str, Any]) -> str:
    """What a check-in says that the vehicle has."""
    return hashlib.sha256(canonical(listed["assignments"])).hexdigest()


def declared(recording: dict[str, Any], data: bytes, charges: list[int]) -> dict[str, Any]:
    """The manifest of a clip's file."""
    fires = [{**fire, "charged_bytes": due} for fire, due in zip(recording["fires"], charges, strict=True)]
    cells = [hashlib.sha256(data[at : at + CELL_BYTES]).hexdigest() for at in range(0, len(data), CELL_BYTES)]
    return {"recording": {**recording, "fires": fires}, "size_bytes": len(data), "cells": cells}


def clip_id(manifest: dict[str, Any]) -> str:
    """The id that the catalog gives to a clip."""
    digest = hashlib.sha256(b"".join(bytes.fromhex(cell) for cell in manifest["cells"])).hexdigest()
    recording = manifest["recording"]
    fields = "\x1f".join((recording["vehicle_id"], recording["recording_id"], digest))
    return hashlib.blake2b(fields.encode(), digest_size=16).hexdigest()


def signed(
    key: Ed25519PrivateKey, vehicle_id: str, method: str, path: str, body: bytes | None, headers: dict[str, str]
) -> dict[str, str]:
    """The headers that sign a request."""
    lines, names = [f'"@method": {method}', f'"@path": {path}'], '"@method" "@path"'
    added = {}
    if method == "POST":
        digest = f"sha-256=:{base64.b64encode(hashlib.sha256(body or b'').digest()).decode()}:"
        added["Content-Digest"] = digest
        lines.append(f'"content-digest": {digest}')
        names += ' "content-digest"'
    elif method == "PATCH":
        lines.append(f'"upload-offset": {headers["Upload-Offset"]}')
        names += ' "upload-offset"'
    about = f'({names});created={int(time.time())};nonce="{secrets.token_hex(16)}";keyid="{vehicle_id}";alg="ed25519"'
    lines.append(f'"@signature-params": {about}')
    signature = base64.b64encode(key.sign("\n".join(lines).encode())).decode()
    return {**added, "Signature-Input": f"vehicle={about}", "Signature": f"vehicle=:{signature}:"}


@dataclass(frozen=True)
class Cloud:
    """The two servers, as one vehicle speaks to them."""

    vehicle_id: str
    token: str
    api_url: str
    gateway_url: str
    key: Ed25519PrivateKey | None = None
    """Signs every request, in the place of the token."""

    def enrol(self, code: str, key: Ed25519PrivateKey) -> dict[str, Any]:
        """Enrol with a one-time code; what the vehicle needs from then on."""
        proof = key.sign("\x1f".join(("longtail-enrolment", self.vehicle_id, code)).encode())
        body = {
            "code": code,
            "public_key": base64.b64encode(key.public_key().public_bytes_raw()).decode(),
            "proof": base64.b64encode(proof).decode(),
        }
        status, _, answer = self._call("POST", f"{self.api_url}/v1/vehicles/{self.vehicle_id}/key", body)
        if status != 201:
            raise ConnectionError(f"enrolment: {status} {answer[:200]!r}")
        given: dict[str, Any] = json.loads(answer)
        return given

    def check_in(self, body: dict[str, Any]) -> bytes | None:
        """The answer with the sealed list; None if the vehicle has it already (304)."""
        status, _, answer = self._call("POST", f"{self.api_url}/v1/vehicles/{self.vehicle_id}/check-in", body)
        if status not in (200, 304):
            raise ConnectionError(f"check-in: {status} {answer[:200]!r}")
        return answer if status == 200 else None

    def bundle(self, digest: str) -> bytes:
        """A sealed bundle."""
        status, _, answer = self._call("GET", f"{self.api_url}/v1/bundles/{digest}")
        if status != 200:
            raise ConnectionError(f"bundle: {status} {answer[:200]!r}")
        return answer

    def report(self, counts: list[dict[str, Any]], now_ns: int) -> None:
        """Report counts."""
        url = f"{self.api_url}/v1/vehicles/{self.vehicle_id}/telemetry"
        status, _, answer = self._call("POST", url, {"counts": counts, "reported_at_ns": now_ns})
        if status != 204:
            raise ConnectionError(f"telemetry: {status} {answer[:200]!r}")

    def upload(self, manifest: dict[str, Any], data: bytes, network: str, *, cells_per_request: int = 16) -> None:
        """Create the upload and send all bytes; only the gateway's offset counts."""
        url = f"{self.gateway_url}/v1/uploads"
        length = {"Upload-Length": str(len(data)), **TUS}
        status, headers, answer = self._call("POST", url, {"manifest": manifest, "network": network}, headers=length)
        if status not in (200, 201):
            raise ConnectionError(f"creation: {status} {answer[:200]!r}")
        place = urljoin(url, headers["location"])
        offset = self._offset(place)
        while offset < len(data):
            end = min(len(data), (offset // CELL_BYTES + cells_per_request) * CELL_BYTES)
            sent = {**TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
            status, headers, answer = self._call("PATCH", place, data[offset:end], headers=sent)
            offset = int(headers["upload-offset"]) if status == 204 else self._offset(place)

    def _offset(self, place: str) -> int:
        status, headers, _ = self._call("HEAD", place, headers=TUS)
        if status not in (200, 204):
            raise ConnectionError(f"HEAD: {status}")
        return int(headers["upload-offset"])

    def _call(
        self, method: str, url: str, body: Any = None, *, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(url)
        sent = {**(headers or {})}
        if body is not None and not isinstance(body, bytes):
            body, sent["Content-Type"] = canonical(body), "application/json"
        if self.key is None:
            sent["Authorization"] = f"Bearer {self.token}"
        else:
            sent |= signed(self.key, self.vehicle_id, method, parts.path, body, sent)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        try:
            connection.request(method, parts.path, body=body, headers=sent)
            reply = connection.getresponse()
            return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()
        finally:
            connection.close()
