"""The second vehicle: it runs the program with the documents' host, cuts clips, and counts what became of fires."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.second_vehicle.clip import Content, Frame, charges, objects_message, written
from tests.second_vehicle.wire import declared

INTEGRATION = Path(__file__).resolve().parents[2] / "docs" / "vehicle-integration.md"
Row = tuple[int, dict[str, Any]]
"""A time and samples: of a signal a number, of a list of objects its `clip.Objects`."""


def host() -> dict[str, Any]:
    """The host in Python that the documents print."""
    names: dict[str, Any] = {}
    text = INTEGRATION.read_text("utf-8").split("```python\n")[1].split("```")[0]
    exec(compile(text, INTEGRATION.name, "exec"), names)  # the point is to run what the documents say
    return names


@dataclass
class Clip:
    """A finished clip: the bytes of its file and its manifest."""

    data: bytes
    manifest: dict[str, Any]


@dataclass
class Campaign:
    """One campaign on the vehicle: its program, its windows, and its counts."""

    vehicle_id: str
    bundle: dict[str, Any]
    program: bytes
    declarations: dict[str, Any] = field(default_factory=dict)
    """`attributes`, `software` and `clock_offset_ns` for the manifest."""
    calibration: dict[str, dict[str, float]] = field(default_factory=dict)
    fired: int = 0
    sampled_out: int = 0
    in_flight: int = 0
    handed_over: int = 0
    armed_ns: int = 0
    per_trigger: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._host = host()
        self._machine = self._host["Program"](self.program)
        self._triggers = {trigger["name"]: trigger for trigger in self.bundle["settings"]["triggers"]}

    def drive(self, rows: list[Row], frames: dict[str, list[Frame]]) -> list[Clip]:
        """Run a whole drive, and return the clips that its fires ask for."""
        merged = list(self._host["merged"](rows))
        found = self._machine.evaluate(merged)
        self._machine.end_drive()
        gap_ns = self._machine.manifest["max_gap_ns"]
        steps = (after[0] - before[0] for before, after in itertools.pairwise(merged))
        self.armed_ns += sum(step for step in steps if 0 < step <= gap_ns)
        names = [trigger["name"] for trigger in self._machine.manifest["triggers"]]
        kept = [fire for fire in (self._fire(t_ns, names[index]) for _, t_ns, index in found) if fire is not None]
        self.in_flight += len(kept)
        return [self._clip(group, merged, frames) for group in _touching(kept)]

    def counts(self) -> dict[str, Any]:
        """What became of the fires so far."""
        return {
            "campaign": self.bundle["settings"]["name"],
            "version": self.bundle["version"],
            "watermark": self.fired,
            "suppressed": sum(self._machine.counters()["suppressed"].values()),
            "sampled_out": self.sampled_out,
            "in_flight": self.in_flight,
            "handed_over": self.handed_over,
            "per_trigger": dict(self.per_trigger),
            "armed_ns": self.armed_ns,
        }

    def handed(self, clip: Clip) -> None:
        """Count the fires of a clip that the gateway has acknowledged completely."""
        fires = len(clip.manifest["recording"]["fires"])
        self.in_flight -= fires
        self.handed_over += fires

    def _fire(self, t_ns: int, trigger: str) -> dict[str, Any] | None:
        """A fire with its number; None if it is sampled out."""
        self.fired += 1
        self.per_trigger[trigger] += 1
        settings, version = self.bundle["settings"], self.bundle["version"]
        one_in = self._triggers[trigger].get("sample_one_in", settings["sample_one_in"])
        fields = "\x1f".join((self.vehicle_id, settings["name"], str(version), trigger, str(t_ns)))
        drawn = int.from_bytes(hashlib.blake2b(fields.encode(), digest_size=8).digest())
        if drawn > (2**64 - 1) // one_in:
            self.sampled_out += 1
            return None
        capture = self._triggers[trigger]["capture"]
        return {
            "campaign": settings["name"],
            "version": version,
            "program_digest": self.bundle["program_digest"],
            "trigger": trigger,
            "ordinal": self.fired,
            "t_ns": t_ns,
            "inclusion_probability": 1 / one_in,
            "window_start_ns": max(0, t_ns - capture["before_ns"]),
            "window_end_ns": t_ns + capture["after_ns"],
            "charged_bytes": 0,
        }

    def _clip(self, fires: list[dict[str, Any]], rows: list[Row], frames: dict[str, list[Frame]]) -> Clip:
        captures = [self._triggers[fire["trigger"]]["capture"] for fire in fires]
        content = _cut(fires, captures, rows, frames)
        bounded = [
            {
                **fire,
                "window_start_ns": max(fire["window_start_ns"], content.start_ns),
                "window_end_ns": min(fire["window_end_ns"], content.end_ns),
            }
            for fire in fires
        ]
        recording = {
            "format": 1,
            "vehicle_id": self.vehicle_id,
            "recording_id": _recording_id(content.start_ns, bounded),
            "start_ns": content.start_ns,
            "end_ns": content.end_ns,
            "fires": bounded,
            "signals": sorted([*content.signals, *content.lists]),
            "cameras": sorted(content.cameras),
            "attributes": {},
            "software": {},
            "calibration": {name: self.calibration[name] for name in content.cameras if name in self.calibration},
            "clock_offset_ns": 0,
            "source": None,
            **({"held": sorted(content.held)} if content.held else {}),
            **self.declarations,
        }
        data = written(recording, content)
        return Clip(data, declared(recording, data, charges(bounded, captures, content, len(data))))


def _recording_id(start_ns: int, fires: list[dict[str, Any]]) -> str:
    keys = "\x1f".join(f"{fire['campaign']}\x1f{fire['version']}\x1f{fire['ordinal']}" for fire in fires)
    return f"{start_ns}-{hashlib.blake2b(keys.encode(), digest_size=8).hexdigest()}"


def _touching(fires: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Fires whose windows touch share a clip."""
    groups: list[list[dict[str, Any]]] = []
    end_ns = -1
    for fire in sorted(fires, key=lambda fire: fire["t_ns"]):
        if fire["window_start_ns"] > end_ns:
            groups.append([])
        groups[-1].append(fire)
        end_ns = max(end_ns, fire["window_end_ns"])
    return groups


def _cut(
    fires: list[dict[str, Any]], captures: list[dict[str, Any]], rows: list[Row], frames: dict[str, list[Frame]]
) -> Content:
    """The samples and frames of the union of the windows, as far as the drive reaches."""
    start_ns = max(rows[0][0], min(fire["window_start_ns"] for fire in fires))
    end_ns = min(rows[-1][0], max(fire["window_end_ns"] for fire in fires))
    content = Content(start_ns, end_ns)
    content.fields = {name: fields for capture in captures for name, fields in capture.get("lists", {}).items()}
    for name in {name for capture in captures for name in capture["signals"]}:
        inside = [(t_ns, row[name]) for t_ns, row in rows if start_ns <= t_ns <= end_ns and name in row]
        if name in content.fields:
            fields = content.fields[name][1:]
            content.lists[name] = [(t_ns, objects_message(sample, fields)) for t_ns, sample in inside]
        else:
            content.signals[name] = inside
    for name in {name for capture in captures for name in capture.get("on_change", ())} & set(content.signals):
        before = [row[name] for t_ns, row in rows if t_ns < start_ns and name in row]
        if before and (not content.signals[name] or content.signals[name][0][0] > start_ns):
            content.signals[name].insert(0, (start_ns, before[-1]))
            content.held.append(name)
    for name in {name for capture in captures for name in capture["cameras"]}:
        seen = [frame for frame in frames.get(name, []) if frame[0] <= end_ns]
        keys = [index for index, (_, keyframe, _) in enumerate(seen) if keyframe]
        led_in = [index for index in keys if seen[index][0] <= start_ns]
        content.cameras[name] = seen[led_in[-1] if led_in else keys[0] :] if keys else []
    return content
