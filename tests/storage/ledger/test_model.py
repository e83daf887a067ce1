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
from storage.database import Database
from storage.ledger.accounts import SHARES
from tests.storage.ledger.ledger_model import LedgerModel
from tests.storage.ledger.ledger_support import NOON, RolledBackError, add_upload, roll_back
from tests.support.fleet import add_version, charged_manifest, enroll_vehicle
from triggers.contracts.campaign import BudgetLimits
from triggers.errors import BudgetExhausted

CAMPAIGNS = ("alpha", "beta", "gamma")
FLEET_LIMIT_BYTES = 400
SECONDS_UNTIL_MIDNIGHT = 12 * 3600

limits = st.none() | st.integers(1, 150)
budgets = st.builds(BudgetLimits, vehicle_day_bytes=limits, total_bytes=limits, clips=st.none() | st.integers(1, 6))
charges = st.dictionaries(st.sampled_from(CAMPAIGNS), st.integers(0, 60), min_size=1).filter(lambda c: sum(c.values()))


class LedgerMachine(RuleBasedStateMachine):
    """Uploads of two vehicles on two days, whose campaigns change their limits now and then."""

    open_uploads = Bundle("open_uploads")
    closed_uploads = Bundle("closed_uploads")

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database

    @initialize(budgets=st.tuples(budgets, budgets, budgets))
    def begin(self, budgets: tuple[BudgetLimits, ...]) -> None:
        self.versions = dict.fromkeys(CAMPAIGNS, 1)
        self.model = LedgerModel(FLEET_LIMIT_BYTES, dict(zip(CAMPAIGNS, budgets, strict=True)))
        with self.database.begin() as connection:
            for table in (
                "ledger_entries",
                "ledger_accounts",
                "uploads",
                "assignments",
                "campaign_versions",
                "vehicles",
            ):
                connection.execute(text(f"DELETE FROM {table}"))
            for vehicle in ("car-1", "car-2"):
                enroll_vehicle(connection, vehicle)
            for campaign, budget in zip(CAMPAIGNS, budgets, strict=True):
                add_version(connection, campaign, limits=budget)

    @rule(
        target=open_uploads,
        charges=charges,
        vehicle=st.sampled_from(("car-1", "car-2")),
        days=st.integers(0, 1),
        rolled_back=st.booleans(),
    )
    def reserve(self, charges: dict[str, int], vehicle: str, days: int, rolled_back: bool) -> object:
        manifest = charged_manifest(charges, vehicle_id=vehicle)
        now: datetime = NOON + timedelta(days=days)
        refusing = self.model.refusing(manifest, now.date())
        try:
            with self.database.begin() as connection:
                upload_id = add_upload(connection, manifest)
                ledger.reserve(connection, upload_id, manifest, now=now, fleet_limit_bytes=FLEET_LIMIT_BYTES)
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
        fleet = any(key.kind == "fleet" for key in refusing)
        for_good = [
            key
            for key in refusing
            if key.kind != "campaign_vehicle_day" or charges[key.campaign] > (self.model.limit(key) or 0)
        ]
        assert set(refused.campaigns) == (set(charges) if fleet else {key.campaign for key in for_good or refusing})
        assert refused.retry_after_s == (None if for_good else SECONDS_UNTIL_MIDNIGHT)

    @rule(target=closed_uploads, upload_id=consumes(open_uploads), actual=st.none() | charges)
    def settle(self, upload_id: str, actual: dict[str, int] | None) -> str:
        with self.database.begin() as connection:
            assert ledger.settle(connection, upload_id, actual)
        self.model.settle(upload_id, actual)
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

    @rule(campaign=st.sampled_from(CAMPAIGNS), budget=budgets)
    def change_limit(self, campaign: str, budget: BudgetLimits) -> None:
        self.versions[campaign] += 1
        self.model.limits[campaign] = budget
        with self.database.begin() as connection:
            add_version(connection, campaign, self.versions[campaign], limits=budget)

    @invariant()
    def usage_is_what_the_model_says(self) -> None:
        if not hasattr(self, "model"):
            return
        with self.database.begin() as connection:
            accounts = ledger.usage(connection, fleet_limit_bytes=FLEET_LIMIT_BYTES)
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
                (self.model.settle(upload_id, None) if number % 2 else self.model.release(upload_id))
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
