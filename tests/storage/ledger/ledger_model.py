"""The ledger in plain Python, to hold the one in SQL against."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from storage.ledger import AccountKey, FleetTerms, charges
from triggers.contracts.campaign import BudgetLimits
from triggers.contracts.clip import ClipManifest


class LedgerModel:
    """Exact amounts by account, and the reservations that are open."""

    def __init__(self, fleet: FleetTerms, limits: dict[str, BudgetLimits]) -> None:
        self.fleet = fleet
        self.limits = limits
        self.of_triggers: dict[tuple[str, str], BudgetLimits] = {}
        """Triggers' own limits, by campaign and trigger."""
        self.set_limits: dict[tuple[str, str], int] = {}
        """Limits that were set by command, by kind and name."""
        self.cost_centres: dict[str, str] = {}
        self.held: defaultdict[AccountKey, int] = defaultdict(int)
        self.settled: defaultdict[AccountKey, int] = defaultdict(int)
        self.open: dict[str, dict[AccountKey, int]] = {}

    def limit(self, key: AccountKey) -> int | None:
        limits = self.limits.get(key.campaign, BudgetLimits())
        of_trigger = self.of_triggers.get((key.campaign, key.trigger), BudgetLimits())
        by_kind = {
            "fleet": self.fleet.total_bytes,
            "fleet_month": self.fleet.month_bytes,
            "campaign_bytes": limits.total_bytes,
            "campaign_clips": limits.clips,
            "campaign_vehicle_day": limits.vehicle_day_bytes,
            "campaign_vehicle_day_clips": limits.vehicle_day_clips,
            "trigger_bytes": of_trigger.total_bytes,
            "trigger_clips": of_trigger.clips,
            "trigger_vehicle_day": of_trigger.vehicle_day_bytes,
            "trigger_vehicle_day_clips": of_trigger.vehicle_day_clips,
        }
        given = by_kind.get(key.kind)
        if key.trigger and given is None:
            return None
        name = f"{key.campaign}.{key.trigger}" if key.trigger else key.campaign or key.cost_centre
        both = (given, self.set_limits.get((key.kind, name)))
        return min((limit for limit in both if limit is not None), default=None)

    def charges(self, manifest: ClipManifest, day: date) -> dict[AccountKey, int]:
        """What a clip costs the accounts that users see."""
        amounts = charges(manifest, day)
        for campaign in {fire.campaign for fire in manifest.recording.fires}:
            key = AccountKey("campaign_vehicle_day_clips", campaign, manifest.recording.vehicle_id, day)
            if self.limit(key) is not None:
                amounts[key] = 1
        amounts |= self._charges_of_triggers(manifest, day)
        month = day.replace(day=1)
        amounts[AccountKey("fleet_month", month=month)] = manifest.size_bytes
        for fire in manifest.recording.fires:
            centre = self.cost_centres.get(fire.campaign)
            if centre:
                key = AccountKey("cost_centre_month", cost_centre=centre, month=month)
                amounts[key] = amounts.get(key, 0) + fire.charged_bytes
        return amounts

    def _charges_of_triggers(self, manifest: ClipManifest, day: date) -> dict[AccountKey, int]:
        """Every limit of a trigger's own budget has an account, while there is the limit."""
        vehicle = manifest.recording.vehicle_id
        amounts: dict[AccountKey, int] = {}
        for campaign, trigger in {(fire.campaign, fire.trigger) for fire in manifest.recording.fires}:
            mine = [f for f in manifest.recording.fires if (f.campaign, f.trigger) == (campaign, trigger)]
            charged = sum(fire.charged_bytes for fire in mine)
            for key, amount in (
                (AccountKey("trigger_bytes", campaign, trigger=trigger), charged),
                (AccountKey("trigger_clips", campaign, trigger=trigger), 1),
                (AccountKey("trigger_vehicle_day", campaign, vehicle, day, trigger=trigger), charged),
                (AccountKey("trigger_vehicle_day_clips", campaign, vehicle, day, trigger=trigger), 1),
            ):
                if self.limit(key) is not None:
                    amounts[key] = amount
        return amounts

    def refusing(self, manifest: ClipManifest, day: date) -> list[AccountKey]:
        """The accounts that a reservation would overshoot."""
        full = []
        for key, amount in self.charges(manifest, day).items():
            limit = self.limit(key)
            if amount > 0 and limit is not None and self.held.get(key, 0) + amount > limit:
                full.append(key)
        return full

    def reserve(self, upload_id: str, manifest: ClipManifest, day: date) -> None:
        self.open[upload_id] = self.charges(manifest, day)
        for key, amount in self.open[upload_id].items():
            self.held[key] += amount

    def settle(self, upload_id: str) -> None:
        for key, reserved in self.open.pop(upload_id).items():
            self.settled[key] += reserved

    def release(self, upload_id: str) -> None:
        for key, reserved in self.open.pop(upload_id).items():
            self.held[key] -= reserved
