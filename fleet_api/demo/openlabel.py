"""Maneuvers as an ASAM OpenLABEL 1.0.0 document: one action each, with its intervals in frames and in time.

OpenLABEL counts in frames. Frame k is at `k / FRAMES_PER_S` seconds after the clip's start; the frame properties of the
first and the last frame give their times. https://www.asam.net/standards/detail/openlabel/
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fleet_api.demo.maneuvers import LabelSpan
from triggers.times import NS_PER_S

SCHEMA_VERSION = "1.0.0"
FRAMES_PER_S = 10
_FRAME_NS = NS_PER_S // FRAMES_PER_S
ONTOLOGY = "https://www.asam.net/openlabel/ontologies/openlabel_ontology_v1-0-0.ttl"


def openlabel_document(
    intervals: Sequence[LabelSpan], *, clip_id: str, start_ns: int, end_ns: int, annotator: str
) -> dict[str, Any]:
    """The document for a clip that spans `[start_ns, end_ns]` (ns since the Unix epoch)."""
    last_frame = (end_ns - start_ns) // _FRAME_NS
    actions = {
        str(number): {
            "name": f"{interval.kind}_{number}",
            "type": interval.kind,
            "ontology_uid": "0",
            "frame_intervals": [_frames(interval, start_ns, last_frame)],
            "action_data": {
                "num": [{"name": "start_ns", "val": interval.start_ns}, {"name": "end_ns", "val": interval.end_ns}]
            },
        }
        for number, interval in enumerate(intervals)
    }
    return {
        "openlabel": {
            "metadata": {"schema_version": SCHEMA_VERSION, "annotator": annotator, "name": clip_id},
            "ontologies": {"0": {"uri": ONTOLOGY}},
            "frame_intervals": [{"frame_start": 0, "frame_end": last_frame}],
            "frames": {str(frame): _frame(frame, start_ns) for frame in sorted({0, last_frame})},
            "actions": actions,
        }
    }


def _frames(interval: LabelSpan, start_ns: int, last_frame: int) -> dict[str, int]:
    """The frames that an interval touches."""
    first = min(last_frame, max(0, (interval.start_ns - start_ns) // _FRAME_NS))
    last = min(last_frame, -(-(interval.end_ns - start_ns) // _FRAME_NS))
    return {"frame_start": first, "frame_end": max(first, last)}


def _frame(frame: int, start_ns: int) -> dict[str, Any]:
    t_ns = start_ns + frame * _FRAME_NS
    return {"frame_properties": {"timestamp": f"{t_ns // NS_PER_S}.{t_ns % NS_PER_S:09d}"}}
