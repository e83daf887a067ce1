"""The ledger against its model in plain Python: any sequence of steps, and what is left at the end."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from storage import ledger
from storage.campaigns import owners
from storage.database import Database
from storage.diagnosis.ledger import accounts_that_differ, entries_that_differ
from storage.ledger import FleetTerms
from storage.ledger.accounts import SHARES
from storage.ledger.limits import set_limit
from tests.storage.ledger.ledger_model import LedgerModel
from tests.storage.ledger.ledger_support import NOON, RolledBackError, add_upload, roll_back
from tests.support.fleet import TRIGGER, add_version, charged_manifest, enroll_vehicle
from triggers.contracts.api.budget import LimitKind
from triggers.contracts.campaign import BudgetLimits
from triggers.errors import BudgetExhausted

CAMPAIGNS = ("alpha", "beta", "gamma")
FLEET = FleetTerms(total_bytes=400, month_bytes=250)
CENTRES = ("", "maps", "roads")
SECONDS_UNTIL_MIDNIGHT = 12 * 3600

limits = st.none() | st.integers(1, 150)
few = st.none() | st.integers(1, 6)
budgets = st.builds(BudgetLimits, vehicle_day_bytes=limits, vehicle_day_clips=few, total_bytes=limits, clips=few)
owned = st.none() | budgets
charges = st.dictionaries(st.sampled_from((*CAMPAIGNS, "alpha.other")), st.integers(0, 60), min_size=1).filter(
    lambda c: sum(c.values())
)


class LedgerMachine(RuleBasedStateMachine):
    """Uploads of two vehicles on days of two months, whose campaigns change limits and cost centres now and then."""

    open_uploads = Bundle("open_uploads")
    closed_uploads = Bundle("closed_uploads")

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database

    @initialize(budgets=st.tuples(budgets, budgets, budgets), own=st.tuples(owned, owned))
    def begin(self, budgets: tuple[BudgetLimits, ...], own: tuple[BudgetLimits | None, ...]) -> None:
        self.versions = dict.fromkeys(CAMPAIGNS, 1)
        self.model = LedgerModel(FLEET, dict(zip(CAMPAIGNS, budgets, strict=True)))
        with self.database.begin() as connection:
            for table in (
                "ledger_entries",
                "ledger_days",
                "ledger_accounts",
                "uploads",
                "assignments",
                "campaign_versions",
                "campaign_owners",
                "budget_limits",
                "vehicles",
            ):
                connection.execute(text(f"DELETE FROM {table}"))
            for vehicle in ("car-1", "car-2"):
                enroll_vehicle(connection, vehicle)
            for campaign, budget in zip(CAMPAIGNS, budgets, strict=True):
                add_version(connection, campaign, limits=budget, of_triggers=self._of_triggers(campaign, own))

    @rule(
        target=open_uploads,
        charges=charges,
        vehicle=st.sampled_from(("car-1", "car-2")),
        days=st.sampled_from((0, 1, 15)),
        rolled_back=st.booleans(),
    )
    def reserve(self, charges: dict[str, int], vehicle: str, days: int, rolled_back: bool) -> object:
        manifest = charged_manifest(charges, vehicle_id=vehicle)
        now: datetime = NOON + timedelta(days=days)
        refusing = self.model.refusing(manifest, now.date())
        try:
            with self.database.begin() as connection:
                upload_id = add_upload(connection, manifest)
                ledger.reserve(connection, upload_id, manifest, now=now, fleet=FLEET)
                assert not refusing
                if rolled_back:
                    roll_back()
        except RolledBackError:
            return multiple()
        except BudgetExhausted as refused:
            self._check_refusal(refused, refusing, charges)
            return multiple()
        self.model.reserve(upload_id, manifest, now.date())
        return upload_id

    def _check_refusal(
        self, refused: BudgetExhausted, refusing: list[ledger.AccountKey], charges: dict[str, int]
    ) -> None:
        assert sorted(refused.accounts) == sorted(str(key) for key in refusing)
        for_good = [key for key in refusing if not self._passes_with_time(key, charges)]
        chosen = for_good or refusing
        concerned = {name for key in chosen if not key.trigger for name in self._campaigns_of(key, charges)}
        assert set(refused.campaigns) == concerned
        assert set(refused.triggers or ()) == {f"{key.campaign}.{key.trigger}" for key in chosen if key.trigger}
        assert refused.retry_after_s == (None if for_good else SECONDS_UNTIL_MIDNIGHT)

    def _campaigns_of(self, key: ledger.AccountKey, charges: dict[str, int]) -> set[str]:
        campaigns = {name.partition(".")[0] for name in charges}
        if key.cost_centre:
            return {name for name in campaigns if self.model.cost_centres.get(name) == key.cost_centre}
        return {key.campaign} if key.campaign else campaigns

    def _passes_with_time(self, key: ledger.AccountKey, charges: dict[str, int]) -> bool:
        of = self._campaigns_of(key, charges)
        bytes_ = sum(
            amount
            for name, amount in charges.items()
            if name.partition(".")[0] in of and (not key.trigger or key.trigger == (name.partition(".")[2] or TRIGGER))
        )
        amount = 1 if key.unit == "clips" else bytes_
        return (key.day or key.month) is not None and amount <= (self.model.limit(key) or 0)

    @rule(target=closed_uploads, upload_id=consumes(open_uploads))
    def settle(self, upload_id: str) -> str:
        with self.database.begin() as connection:
            assert ledger.settle(connection, upload_id)
        self.model.settle(upload_id)
        return upload_id

    @rule(target=closed_uploads, upload_id=consumes(open_uploads))
    def release(self, upload_id: str) -> str:
        with self.database.begin() as connection:
            assert ledger.release(connection, upload_id)
        self.model.release(upload_id)
        return upload_id

    @rule(upload_id=closed_uploads, step=st.sampled_from((ledger.settle, ledger.release)))
    def close_again(self, upload_id: str, step: object) -> None:
        with self.database.begin() as connection:
            assert not step(connection, upload_id)  # type: ignore[operator]

    @rule(limit=st.integers(1, 10))
    def fold(self, limit: int) -> None:
        with self.database.begin() as connection:
            assert 0 <= ledger.fold(connection, limit) <= limit

    def _of_triggers(self, campaign: str, own: tuple[BudgetLimits | None, ...]) -> dict[str, BudgetLimits | None]:
        """The own budgets of a campaign's triggers, which the model is told, too."""
        triggers = dict(zip((TRIGGER, "other"), own, strict=True))
        for trigger, limits in triggers.items():
            self.model.of_triggers[campaign, trigger] = limits or BudgetLimits()
        return triggers

    @rule(campaign=st.sampled_from(CAMPAIGNS), budget=budgets, own=st.tuples(owned, owned))
    def change_limit(self, campaign: str, budget: BudgetLimits, own: tuple[BudgetLimits | None, ...]) -> None:
        self.versions[campaign] += 1
        self.model.limits[campaign] = budget
        with self.database.begin() as connection:
            of_triggers = self._of_triggers(campaign, own)
            add_version(connection, campaign, self.versions[campaign], limits=budget, of_triggers=of_triggers)

    @rule(campaign=st.sampled_from(CAMPAIGNS), centre=st.sampled_from(CENTRES))
    def assign(self, campaign: str, centre: str) -> None:
        self.model.cost_centres[campaign] = centre
        with self.database.begin() as connection:
            owner = owners.locked(connection, campaign)
            owners.reassign(connection, campaign, owner_id=owner.owner_id, cost_centre=centre)

    @rule(
        place=st.sampled_from(
            (
                ("fleet", ""),
                ("fleet_month", ""),
                *(("cost_centre_month", name) for name in CENTRES[1:]),
                *((kind, name) for kind in ("campaign_bytes", "campaign_clips") for name in CAMPAIGNS),
                *((kind, "alpha.other") for kind in ("trigger_bytes", "trigger_clips")),
            )
        ),
        amount=st.none() | st.integers(0, 200),
    )
    def set_limit(self, place: tuple[LimitKind, str], amount: int | None) -> None:
        with self.database.begin() as connection:
            set_limit(connection, *place, amount=amount)
        self.model.set_limits.pop(place, None)
        if amount is not None:
            self.model.set_limits[place] = amount

    @invariant()
    def the_books_are_right(self) -> None:
        with self.database.begin() as connection:
            assert accounts_that_differ(connection) == entries_that_differ(connection) == []

    @invariant()
    def usage_is_what_the_model_says(self) -> None:
        if not hasattr(self, "model"):
            return
        with self.database.begin() as connection:
            accounts = ledger.usage(connection, fleet=FLEET)
        assert {a.key: (a.limit, a.held, a.settled) for a in accounts} == {
            key: (self.model.limit(key), held, self.model.settled[key]) for key, held in self.model.held.items()
        }

    def teardown(self) -> None:
        """Close everything: what the accounts hold then is what arrived."""
        if not hasattr(self, "model"):
            return
        with self.database.begin() as connection:
            for number, upload_id in enumerate(list(self.model.open)):
                (ledger.settle if number % 2 else ledger.release)(connection, upload_id)
                (self.model.settle(upload_id) if number % 2 else self.model.release(upload_id))
            while ledger.fold(connection):
                pass
            rows = connection.execute(text("SELECT kind, held, settled FROM ledger_accounts")).all()
        assert all(row.held == row.settled for row in rows)
        assert sum(row.settled for row in rows if row.kind not in SHARES) == sum(self.model.settled.values())


def test_any_sequence_of_steps_leaves_what_the_model_says(database: Database) -> None:
    class OnThisDatabase(LedgerMachine):
        def __init__(self) -> None:
            super().__init__(database)

    run_state_machine_as_test(
        OnThisDatabase,
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
