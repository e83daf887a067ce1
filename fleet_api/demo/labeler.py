"""A small auto-labeler: claims label jobs, reads the clip's signals, and hands in the maneuvers that it finds.

It is a client like any other: all it has is the API's address and a token with the role `labeler`.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from typing import Any

from fleet_api.client.client import ApiClient, segment
from fleet_api.demo.maneuvers import Interval, Parameters, find_maneuvers
from fleet_api.demo.openlabel import openlabel_document
from triggers.contracts.base import canonical_json
from triggers.drives.series import SignalSeries, read_series
from triggers.errors import Conflict, InvalidInput, LongtailError

NAME = "longtail-maneuvers"
VERSION = "1.0.0"
TASK = "auto"
LEASE_S = 120
BATCH = 4
SIGNALS_ASSET = "signals"


@dataclass
class Labeled:
    """What one labeler did."""

    clips: list[str] = field(default_factory=list)
    intervals: list[Interval] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


class AutoLabeler:
    """Works off the jobs of task `auto`; `parameters` are what it goes by."""

    def __init__(self, client: ApiClient, parameters: Parameters | None = None) -> None:
        self._client = client
        self._parameters = parameters or Parameters()
        self.done = Labeled()

    @property
    def provenance(self) -> dict[str, Any]:
        """Who makes these labels: name, version, and the digest of the parameters."""
        document = self._parameters.document()
        digest = hashlib.sha256(canonical_json(document)).hexdigest()
        return {"name": NAME, "version": VERSION, "parameters": document, "parameters_digest": digest}

    def work(self) -> int:
        """Do the jobs that are there; returns how many were taken, 0 when there were none."""
        body = {"task": TASK, "labeler": NAME, "count": BATCH, "lease_s": LEASE_S}
        jobs = self._client.post("/v1/label-jobs/claim", body)["jobs"]
        for job in jobs:
            self._do(job)
        return len(jobs)

    def _do(self, job: dict[str, Any]) -> None:
        """One job. A clip that cannot be labeled fails with its reason; a lost lease leaves the job to others."""
        path = f"/v1/label-jobs/{job['id']}"
        clip_id = _clip_id(job)
        try:
            clip = self._client.get(f"/v1/clips/{segment(clip_id)}")
            intervals = find_maneuvers(self._signals(clip), self._parameters)
            document = openlabel_document(
                intervals,
                clip_id=clip_id,
                start_ns=clip["start_ns"],
                end_ns=clip["end_ns"],
                annotator=f"{NAME} {VERSION}",
            )
            body = {"token": job["token"], "openlabel": document, "provenance": self.provenance}
            self._client.post(f"{path}/complete", body)
        except Conflict:  # the lease went to another labeler, whose labels count
            return
        except InvalidInput as error:
            self._client.post(f"{path}/fail", {"token": job["token"], "reason": error.message[:500]})
            self.done.failed.append(clip_id)
            return
        self.done.clips.append(clip_id)
        self.done.intervals += intervals

    def _signals(self, clip: dict[str, Any]) -> dict[str, SignalSeries]:
        links = {asset["name"]: asset["href"] for asset in clip["assets"]}
        if SIGNALS_ASSET not in links:
            raise InvalidInput(f"the clip {clip['id']} has no {SIGNALS_ASSET}")
        data = self._client.read(links[SIGNALS_ASSET])
        try:
            signals = read_series(io.BytesIO(data))
        except InvalidInput as error:
            raise InvalidInput(f"the signals of clip {clip['id']} cannot be read: {error.message}") from error
        return {name: series for name, series in signals.items() if series.values.size}


def _clip_id(job: dict[str, Any]) -> str:
    clip = job["clip"]
    if isinstance(clip, str):
        return clip
    if isinstance(clip, dict) and "id" in clip:
        return str(clip["id"])
    raise LongtailError(f"label job {job.get('id')} names no clip")
