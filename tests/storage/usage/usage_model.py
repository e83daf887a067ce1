"""Usage in plain Python, to hold the one in SQL against."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from storage.tables.usage.sums import MEASURES
from triggers.contracts.checkin import FireCounts
from triggers.contracts.clip import ClipManifest

Place = tuple[str, str]
"""Region and model."""
Key = tuple[datetime, str, int, str, str, str, str]
"""Hour, campaign, version, trigger, region, model, network."""


@dataclass
class UploadModel:
    """An upload: its clip, where its vehicle belonged when it was created, and what came of it so far."""

    manifest: ClipManifest
    place: Place
    network: str
    received: Counter[tuple[datetime, str]] = field(default_factory=Counter)

    def triggers(self) -> list[tuple[str, int, str]]:
        return sorted({(fire.campaign, fire.version, fire.trigger) for fire in self.manifest.recording.fires})

    def charged(self, trigger: tuple[str, int, str]) -> list[int]:
        fires = self.manifest.recording.fires
        return [each.charged_bytes for each in fires if (each.campaign, each.version, each.trigger) == trigger]


@dataclass
class KeptCounts:
    """What is kept of a vehicle's reports of one campaign version, and where how much of it was counted."""

    newest: FireCounts
    reported_at_ns: int
    counted: defaultdict[tuple[Place, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


class UsageModel:
    """The sums by hour."""

    def __init__(self) -> None:
        self.sums: defaultdict[Key, Counter[str]] = defaultdict(Counter)
        self.kept: dict[tuple[str, str, int], KeptCounts] = {}
        self.voided: set[str] = set()

    def receive(self, upload: UploadModel, amount: int, hour: datetime) -> None:
        """Bytes are divided as if those of one hour and network came in one piece."""
        before = upload.received[hour, upload.network]
        upload.received[hour, upload.network] += amount
        start, size = 0, upload.manifest.size_bytes
        for trigger in upload.triggers():
            end = start + sum(upload.charged(trigger))
            now, then = (total * end // size - total * start // size for total in (before + amount, before))
            self.sums[hour, *trigger, *upload.place, upload.network]["wire_bytes"] += now - then
            start = end

    def store(self, upload: UploadModel, hour: datetime) -> None:
        seen: set[object] = set()
        for trigger in upload.triggers():
            charged = upload.charged(trigger)
            ways = {
                "clips": (),
                "campaign_clips": trigger[:1],
                "version_clips": trigger[:2],
                "trigger_clips": trigger,
            }
            sums = self.sums[hour, *trigger, *upload.place, upload.network]
            for measure, what in ways.items():
                sums[measure] += what not in seen
                seen.add(what)
            sums["kept_fires"] += len(charged)
            sums["clip_bytes"] += sum(charged)

    def report(self, vehicle_id: str, place: Place, counts: FireCounts, at_ns: int, hour: datetime) -> None:
        key = vehicle_id, counts.campaign, counts.version
        kept = self.kept.get(key)
        if kept is not None and _age(counts, at_ns) <= _age(kept.newest, kept.reported_at_ns):
            return
        kept = self.kept.setdefault(key, KeptCounts(counts, at_ns))
        kept.newest, kept.reported_at_ns = counts, at_ns
        before: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for (_, trigger), numbers in kept.counted.items():
            before[trigger].update(numbers)
        after = _numbers(counts)
        for trigger in {*before, *after}:
            grown = Counter(after.get(trigger, {}))
            grown.subtract(before[trigger])
            kept.counted[place, trigger].update(grown)
            if vehicle_id not in self.voided:
                self.sums[hour, counts.campaign, counts.version, trigger, *place, ""].update(grown)

    def correct(self, vehicle_id: str, sign: int, hour: datetime) -> None:
        for (vehicle, campaign, version), kept in self.kept.items():
            for (place, trigger), numbers in kept.counted.items():
                if vehicle == vehicle_id:
                    signed = {name: sign * number for name, number in numbers.items()}
                    self.sums[hour, campaign, version, trigger, *place, ""].update(signed)

    def grow_older(self, time: timedelta, uploads: Iterable[UploadModel]) -> None:
        self.sums = defaultdict(Counter, {(key[0] - time, *key[1:]): sums for key, sums in self.sums.items()})
        for upload in uploads:
            upload.received = Counter({(hour - time, net): n for (hour, net), n in upload.received.items()})

    def rows(self) -> dict[Key, dict[str, int]]:
        """What is not zero."""
        return {
            key: numbers
            for key, sums in self.sums.items()
            if (numbers := {name: sums[name] for name in MEASURES if sums[name]})
        }


def _age(counts: FireCounts, at_ns: int) -> tuple[int, ...]:
    return counts.watermark, -counts.in_flight, counts.armed_ns, at_ns


def _numbers(counts: FireCounts) -> dict[str, dict[str, int]]:
    of_version = {name: getattr(counts, name) for name in ("suppressed", "sampled_out", "armed_ns", "distance_m")}
    of_version |= {name: sum(getattr(counts, name).values()) for name in ("refused", "dropped", "failed")}
    return {"": of_version} | {trigger: {"fires": number} for trigger, number in counts.per_trigger.items()}
