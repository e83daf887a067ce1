"""The ledger in plain Python, to hold the one in SQL against."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date

from storage.ledger import AccountKey, charges
from triggers.contracts.campaign import BudgetLimits
from triggers.contracts.clip import ClipManifest


class LedgerModel:
    """Exact amounts by account, and the reservations that are open."""

    def __init__(self, fleet_limit_bytes: int | None, limits: dict[str, BudgetLimits]) -> None:
        self.fleet_limit_bytes = fleet_limit_bytes
        self.limits = limits
        self.held: defaultdict[AccountKey, int] = defaultdict(int)
        self.settled: defaultdict[AccountKey, int] = defaultdict(int)
        self.open: dict[str, dict[AccountKey, int]] = {}

    def limit(self, key: AccountKey) -> int | None:
        if key.kind == "fleet":
            return self.fleet_limit_bytes
        limits = self.limits[key.campaign]
        by_kind = {
            "campaign_bytes": limits.total_bytes,
            "campaign_clips": limits.clips,
            "campaign_vehicle_day": limits.vehicle_day_bytes,
        }
        return by_kind[key.kind]

    def refusing(self, manifest: ClipManifest, day: date) -> list[AccountKey]:
        """The accounts that a reservation would overshoot."""
        full = []
        for key, amount in charges(manifest, day).items():
            limit = self.limit(key)
            if amount > 0 and limit is not None and self.held.get(key, 0) + amount > limit:
                full.append(key)
        return full

    def reserve(self, upload_id: str, manifest: ClipManifest, day: date) -> None:
        self.open[upload_id] = charges(manifest, day)
        for key, amount in self.open[upload_id].items():
            self.held[key] += amount

    def settle(self, upload_id: str, actual_bytes: Mapping[str, int] | None) -> None:
        for key, reserved in self.open.pop(upload_id).items():
            used = reserved if actual_bytes is None else min(reserved, self._used(key, actual_bytes, reserved))
            self.held[key] += used - reserved
            self.settled[key] += used

    def release(self, upload_id: str) -> None:
        for key, reserved in self.open.pop(upload_id).items():
            self.held[key] -= reserved

    @staticmethod
    def _used(key: AccountKey, actual_bytes: Mapping[str, int], reserved: int) -> int:
        if key.kind == "campaign_clips":
            return reserved
        return sum(actual_bytes.values()) if key.kind == "fleet" else actual_bytes.get(key.campaign, 0)
