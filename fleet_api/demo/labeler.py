"""A small auto-labeler: claims label jobs, reads the clips' signals, and hands in the maneuvers that it finds.

It is a client like any other: it needs only the API's address and a token with the role `labeler`.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from typing import Any

from fleet_api.client import Client
from fleet_api.demo.maneuvers import LabelSpan, Parameters, find_maneuvers
from fleet_api.demo.openlabel import openlabel_document
from triggers.contracts.api.clips import SIGNALS_ASSET, ClipDetailsView
from triggers.contracts.api.labels import JobView
from triggers.contracts.base import canonical_json
from triggers.drives.series import SignalSeries, read_series
from triggers.errors import Conflict, InvalidInput

NAME = "longtail-maneuvers"
VERSION = "1.0.0"
TASK = "auto"
LEASE_S = 120
BATCH = 4


@dataclass
class Labeled:
    """What a labeler has done: ids of labeled clips, the labels, and ids of clips that could not be labeled."""

    clips: list[str] = field(default_factory=list)
    intervals: list[LabelSpan] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


class AutoLabeler:
    """Does the jobs of task `auto`; `parameters` are the thresholds of its labels."""

    def __init__(self, client: Client, parameters: Parameters | None = None) -> None:
        self._client = client
        self._parameters = parameters or Parameters()
        self.done = Labeled()

    @property
    def provenance(self) -> dict[str, Any]:
        """The origin of these labels: the labeler's name and version, and the parameters with their digest."""
        document = self._parameters.document()
        digest = hashlib.sha256(canonical_json(document)).hexdigest()
        return {"name": NAME, "version": VERSION, "parameters": document, "parameters_digest": digest}

    def work(self) -> int:
        """Claim some jobs and do them; returns how many, 0 if there were none."""
        jobs = self._client.labels.claim(TASK, NAME, count=BATCH, lease_s=LEASE_S)
        for job in jobs:
            self._do(job)
        return len(jobs)

    def _do(self, job: JobView) -> None:
        """Do one job: fail it with the reason if the clip cannot be labeled, and drop it if the lease is lost."""
        clip_id = job.clip.id
        try:
            clip = self._client.clips.get(clip_id)
            intervals = find_maneuvers(self._signals(clip), self._parameters)
            document = openlabel_document(
                intervals,
                clip_id=clip_id,
                start_ns=clip.start_ns,
                end_ns=clip.end_ns,
                annotator=f"{NAME} {VERSION}",
            )
            self._client.labels.complete(job.id, job.token, document, self.provenance)
        except Conflict:  # the lease went to another labeler, whose labels count
            return
        except InvalidInput as error:
            self._client.labels.fail(job.id, job.token, error.message[:500])
            self.done.failed.append(clip_id)
            return
        self.done.clips.append(clip_id)
        self.done.intervals += intervals

    def _signals(self, clip: ClipDetailsView) -> dict[str, SignalSeries]:
        links = {asset.name: asset.href for asset in clip.assets}
        if SIGNALS_ASSET not in links:
            raise InvalidInput(f"the clip {clip.id} has no {SIGNALS_ASSET}")
        data = self._client.clips.read(links[SIGNALS_ASSET])
        try:
            signals = read_series(io.BytesIO(data))
        except InvalidInput as error:
            raise InvalidInput(f"the signals of clip {clip.id} cannot be read: {error.message}") from error
        return {name: series for name, series in signals.items() if series.values.size}
