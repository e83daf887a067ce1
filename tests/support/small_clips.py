"""Small clips as a vehicle records them: a second of one signal, one fire, a few hundred bytes."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import Any

from triggers.clips.footage import Footage, Samples
from triggers.clips.writer import write_mcap
from triggers.contracts.campaign import Network
from triggers.contracts.clip import CELL_BYTES, ClipManifest, CreationRequest, Fire, RecordingManifest
from triggers.times import NS_PER_S


@dataclass(frozen=True)
class Running:
    """The campaign version that fires: its program, one of its triggers, and a signal that it captures."""

    campaign: str
    program_digest: str
    trigger: str
    signal: str
    version: int = 1

    def fire(self, ordinal: int, t_ns: int, charged_bytes: int, **changes: Any) -> Fire:
        """A fire of it, whose window is the second around it."""
        values: dict[str, Any] = {
            "campaign": self.campaign,
            "version": self.version,
            "program_digest": self.program_digest,
            "trigger": self.trigger,
            "ordinal": ordinal,
            "t_ns": t_ns,
            "window_start_ns": t_ns,
            "window_end_ns": t_ns,
            "inclusion_probability": 1.0,
            "charged_bytes": charged_bytes,
        }
        return Fire(**values | changes)


def creation_request(
    running: Running, vehicle_id: str, data: bytes, *, ordinal: int, t_ns: int, network: Network = Network.WIFI
) -> CreationRequest:
    """The request for an upload of these bytes, whatever they are."""
    cells = (data[start : start + CELL_BYTES] for start in range(0, len(data), CELL_BYTES))
    manifest = ClipManifest(
        recording=_recording(running, vehicle_id, ordinal=ordinal, t_ns=t_ns, charged_bytes=len(data)),
        size_bytes=len(data),
        cells=tuple(hashlib.sha256(cell).hexdigest() for cell in cells),
    )
    return CreationRequest(manifest=manifest, network=network)


def small_clip(running: Running, vehicle_id: str, *, ordinal: int, t_ns: int) -> bytes:
    """The MCAP file of a clip."""
    recording = _recording(running, vehicle_id, ordinal=ordinal, t_ns=t_ns, charged_bytes=0)
    samples = Samples.of((t_ns + step * NS_PER_S // 10, float(step)) for step in range(10))
    file = io.BytesIO()
    write_mcap(file, recording, Footage(t_ns, t_ns + NS_PER_S, {running.signal: samples}, {}))
    return file.getvalue()


def _recording(running: Running, vehicle_id: str, *, ordinal: int, t_ns: int, charged_bytes: int) -> RecordingManifest:
    return RecordingManifest(
        vehicle_id=vehicle_id,
        recording_id=f"rec-{ordinal}-{t_ns}",
        start_ns=t_ns,
        end_ns=t_ns + NS_PER_S,
        fires=(running.fire(ordinal, t_ns, charged_bytes),),
        signals=(running.signal,),
    )
