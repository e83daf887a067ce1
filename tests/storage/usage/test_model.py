"""Usage against its model in plain Python: any order of clips, bytes, late and repeated reports, and corrections."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, rule, run_state_machine_as_test
from sqlalchemy import Connection, func, select, text, update

from storage import usage
from storage.clips import batch, writer
from storage.database import Database
from storage.diagnosis.usage import usage_that_differs
from storage.erasure import clips as clip_erasure
from storage.erasure import vehicles as vehicle_erasure
from storage.tables import uploads
from storage.tables.erasure import ErasureCause
from storage.tables.usage.sums import DIMENSIONS, MEASURES
from storage.uploads import creation, endings
from storage.vehicles import quarantine, telemetry
from storage.vehicles.enrolment import enrol
from tests.storage.usage.usage_model import Key, Place, UploadModel, UsageModel
from tests.support.fleet import add_version, assign_all, fire, manifest_of
from triggers.contracts.campaign import Network
from triggers.contracts.checkin import FireCounts, Telemetry
from triggers.contracts.clip import CreationRequest

CAMPAIGNS = ("alpha", "beta")
TRIGGERS = ("brake", "swerve")
VEHICLES = ("car-1", "car-2")
EMPTIED = "TRUNCATE campaign_versions, vehicles, ledger_accounts, erased_vehicles, erased_clips, outbox, usage_series"

a_fire = st.tuples(st.sampled_from(CAMPAIGNS), st.integers(1, 2), st.sampled_from(TRIGGERS), st.integers(0, 70))
some_fires = st.lists(a_fire, min_size=1, max_size=4).filter(lambda fires: any(fire[3] for fire in fires))
vehicles = st.sampled_from(VEHICLES)
networks = st.sampled_from(list(Network))
small = st.integers(0, 5)


@st.composite
def reports(draw: st.DrawFn) -> Telemetry:
    """A report that a vehicle may send now, an earlier one, a repeated one, or one after it lost its journal."""
    counts = []
    for campaign in draw(st.sets(st.sampled_from(CAMPAIGNS), min_size=1)):
        fires = {trigger: draw(small) for trigger in draw(st.sets(st.sampled_from(TRIGGERS)))}
        total = sum(fires.values())
        numbers = {name: draw(small) for name in ("suppressed", "armed_ns", "distance_m")}
        outcomes, left = {}, total
        for name in ("in_flight", "sampled_out"):
            outcomes[name] = draw(st.integers(0, left))
            left -= outcomes[name]
        reasons: dict[str, dict[str, int]] = {}
        for name in ("refused", "dropped", "failed"):
            of_one, of_other = draw(st.integers(0, left)), 0
            left -= of_one
            of_other = draw(st.integers(0, left))
            left -= of_other
            reasons[name] = {reason: fires for reason, fires in (("one", of_one), ("other", of_other)) if fires}
        counts.append(
            FireCounts(
                campaign=campaign,
                version=1,
                watermark=total,
                per_trigger=fires,
                handed_over=left,
                **outcomes,
                **reasons,
                **numbers,
            )
        )
    return Telemetry(counts=tuple(counts), reported_at_ns=draw(small))


class UsageMachine(RuleBasedStateMachine):
    """Two vehicles that move between regions, upload clips and report counts."""

    open_uploads = Bundle("open_uploads")
    stored = Bundle("stored")
    sent = Bundle("sent")

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database
        self.model = UsageModel()
        self.uploads: dict[str, UploadModel] = {}
        self.places = dict.fromkeys(VEHICLES, ("", ""))

    @initialize()
    def begin(self) -> None:
        with self.database.begin() as connection:
            connection.execute(text(f"{EMPTIED} CASCADE"))
            connection.execute(text("DELETE FROM usage_increments"))
            for vehicle in VEHICLES:
                enrol(connection, vehicle, {})
            for campaign in CAMPAIGNS:
                for version in (1, 2):
                    add_version(connection, campaign, version)

    @rule(vehicle=vehicles, region=st.sampled_from(("eu", "us", "")), model=st.sampled_from(("m1", 7)))
    def move(self, vehicle: str, region: str, model: str | int) -> None:
        with self.database.begin() as connection:
            enrol(connection, vehicle, {"region": region, "model": model}, replace=True)
        self.places[vehicle] = region, str(model)

    @rule(target=open_uploads, vehicle=vehicles, fires=some_fires, network=networks)
    def create(self, vehicle: str, fires: list[Any], network: Network) -> str:
        of_clip = [fire(name, charged, version=v, trigger=trigger) for name, v, trigger, charged in fires]
        manifest = manifest_of(bytes(sum(each[3] for each in fires)), of_clip, vehicle_id=vehicle)
        with self.database.begin() as connection:
            request = CreationRequest(manifest=manifest, network=network)
            expires_at = self._now(connection) + timedelta(hours=1)
            upload = creation.insert_open(connection, request, expires_at=expires_at, log_partitions=1)
        assert upload is not None
        self.uploads[upload.id] = UploadModel(manifest, self.places[vehicle], network)
        return upload.id

    @rule(upload_id=open_uploads, amount=st.integers(0, 200))
    def receive(self, upload_id: str, amount: int) -> None:
        with self.database.begin() as connection:
            usage.add_received(connection, {upload_id: amount})
            self.model.receive(self.uploads[upload_id], amount, self._hour(connection))

    @rule(upload_id=open_uploads, network=networks)
    def change_network(self, upload_id: str, network: Network) -> None:
        with self.database.begin() as connection:
            connection.execute(update(uploads).where(uploads.c.id == upload_id).values(network=network))
        self.uploads[upload_id].network = network

    @rule(target=stored, upload_id=consumes(open_uploads), together=st.booleans(), again=st.booleans())
    def store(self, upload_id: str, together: bool, again: bool) -> str:
        for _ in range(1 + again):
            with self.database.begin() as connection:
                upload = writer.find_upload(connection, upload_id)
                assert upload is not None
                if together:
                    batch.store_clips(connection, [upload], extractor_version=1)
                else:
                    writer.store_clip(connection, upload, extractor_version=1)
                hour = self._hour(connection)
        model = self.uploads[upload_id]
        self.model.receive(model, model.manifest.size_bytes, hour)  # no offset is recorded here: all of it came by now
        self.model.store(model, hour)
        return upload_id

    @rule(upload_id=consumes(open_uploads))
    def fail(self, upload_id: str) -> None:
        with self.database.begin() as connection:
            assert endings.fail(connection, upload_id, "a test")

    @rule(upload_id=consumes(stored))
    def erase_clip(self, upload_id: str) -> None:
        clip_id = self.uploads[upload_id].manifest.clip_id
        with self.database.begin() as connection:
            clip_erasure.erase(connection, [clip_id], ErasureCause.ERASED, reason="a test", by="ann")

    @rule(target=sent, vehicle=vehicles, report=reports())
    def report(self, vehicle: str, report: Telemetry) -> tuple[str, Telemetry]:
        self.report_again((vehicle, report))
        return vehicle, report

    @rule(sent=sent)
    def report_again(self, sent: tuple[str, Telemetry]) -> None:
        vehicle, report = sent
        with self.database.begin() as connection:
            telemetry.record_counts(connection, vehicle, report)
            hour = self._hour(connection)
        for counts in report.counts:
            self.model.report(vehicle, self.places[vehicle], counts, report.reported_at_ns, hour)

    @rule(vehicle=vehicles)
    def void_or_restore(self, vehicle: str) -> None:
        is_voided = vehicle in self.model.voided
        step = quarantine.restore_counts if is_voided else quarantine.void_counts
        with self.database.begin() as connection:
            step(connection, vehicle, reason="a test", by="ann")
            hour = self._hour(connection)
        self.model.correct(vehicle, 1 if is_voided else -1, hour)
        self.model.voided ^= {vehicle}

    @rule(limit=st.integers(1, 10))
    def fold(self, limit: int) -> None:
        with self.database.begin() as connection:
            assert 0 <= usage.fold(connection, limit) <= limit

    @rule(days=st.sampled_from((1, 30, 500)))
    def days_pass(self, days: int) -> None:
        """Everything there is happened earlier; sums of hours that are too old by now go."""
        passed = timedelta(days=days)
        with self.database.begin() as connection:
            for table, column in (("usage_hours", "hour"), ("usage_days", "day"), ("upload_hours", "hour")):
                connection.execute(text(f"CREATE TEMP TABLE earlier ON COMMIT DROP AS SELECT * FROM {table}"))
                connection.execute(text(f"UPDATE earlier SET {column} = {column} - :time"), {"time": passed})
                connection.execute(text(f"DELETE FROM {table}"))
                connection.execute(text(f"INSERT INTO {table} SELECT * FROM earlier"))
                connection.execute(text("DROP TABLE earlier"))
            connection.execute(text("UPDATE usage_increments SET hour = hour - :time"), {"time": passed})
            connection.execute(text("UPDATE uploads SET closed_at = closed_at - :time"), {"time": passed})
            usage.forget_hours(connection)
        self.model.grow_older(passed, self.uploads.values())

    def teardown(self) -> None:
        """Whatever happened in whatever order: the sums are the model's, and those that follow from what is there."""
        with self.database.begin() as connection:
            self._check(connection)
            while usage.fold(connection):
                pass
            self._check(connection)
            assert not connection.execute(text("SELECT FROM usage_increments")).all()
            self._check_totals(connection)
        self._erase_a_vehicle()
        with self.database.begin() as connection:
            self._check(connection)

    def _check(self, connection: Connection) -> None:
        assert usage_that_differs(connection) == []
        names = ", ".join(DIMENSIONS)
        rows = connection.execute(
            text(f"""
                SELECT at, {names}, {", ".join(f"sum({name})" for name in MEASURES)} FROM (
                    SELECT CASE WHEN hour > now() - interval '401 days' THEN hour
                        ELSE date_trunc('day', hour, 'UTC') END AS at, {names}, {", ".join(MEASURES)}
                    FROM usage_increments
                    UNION ALL SELECT hour, {names}, {", ".join(MEASURES)}
                    FROM usage_hours JOIN usage_series ON id = series_id WHERE hour > now() - interval '401 days'
                    UNION ALL SELECT day, {names}, {", ".join(MEASURES)}
                    FROM usage_days JOIN usage_series ON id = series_id WHERE day < now() - interval '401 days'
                ) parts GROUP BY at, {names}
            """)
        )
        counted = {}
        for row in rows:
            numbers = {name: int(number) for name, number in zip(MEASURES, row[7:], strict=True) if number}
            if numbers:
                counted[tuple(row[:7])] = numbers
        assert counted == self._expected(connection)

    def _expected(self, connection: Connection) -> dict[Key, dict[str, int]]:
        """The model's sums, where those of hours are deleted by day."""
        oldest = self._now(connection) - timedelta(days=401)
        by_day = UsageModel()
        for key, sums in self.model.sums.items():
            moment = key[0] if key[0] > oldest else key[0].replace(hour=0)
            by_day.sums[moment, *key[1:]].update(sums)
        return by_day.rows()

    def _check_totals(self, connection: Connection) -> None:
        now = self._now(connection)
        long_ago = now - timedelta(days=20_000)
        span = usage.Span.over(long_ago, now + timedelta(hours=1), by_hour=False, now=now)
        rows = usage.ask(connection, usage.UsageQuery(["campaign"], span))
        totals = {row.key[0]: row for row in rows}
        for campaign in CAMPAIGNS:
            sums = [each for key, each in self.model.sums.items() if key[1] == campaign]
            if campaign in totals:
                row = totals[campaign]
                assert row.clips == sum(each["campaign_clips"] for each in sums)
                assert row.clip_bytes == sum(each["clip_bytes"] for each in sums)
                assert row.fires == sum(each["fires"] for each in sums)
                assert row.refused == sum(each["refused"] for each in sums)
            else:
                assert not any(any(each.values()) for each in sums)
        whole = sum(sum(each.received.values()) for each in self.uploads.values())
        assert sum(row.wire_bytes for row in rows) == whole

    def _erase_a_vehicle(self) -> None:
        """What it had not handed over is dropped, in the hour in which it is erased."""
        with self.database.begin() as connection:
            assign_all(connection)
            vehicle_erasure.request(connection, VEHICLES[0], reason="a test", by="ann")
            before = self._dropped(connection, VEHICLES[0])
        for _ in range(100):
            with self.database.begin() as connection:
                if vehicle_erasure.go_on(connection) is None:
                    break
        else:
            raise AssertionError("the vehicle is never erased")
        if VEHICLES[0] in self.model.voided:
            return
        with self.database.begin() as connection:
            after, hour = self._dropped(connection, "erased-%"), self._hour(connection)
        for version, (fires, _) in after.items():
            was, place = before[version]
            self.model.sums[hour, *version, "", *place, ""]["dropped"] += fires - was

    @staticmethod
    def _dropped(connection: Connection, vehicle: str) -> dict[tuple[str, int], tuple[int, Place]]:
        """How many fires a vehicle has dropped of each version, and where its counts are."""
        rows = connection.execute(
            text("SELECT campaign, version, dropped, region, model FROM fire_counts WHERE vehicle_id LIKE :vehicle"),
            {"vehicle": vehicle},
        )
        return {(row.campaign, row.version): (sum(row.dropped.values()), (row.region, row.model)) for row in rows}

    @staticmethod
    def _now(connection: Connection) -> datetime:
        now: datetime = connection.execute(select(func.now())).scalar_one()
        return now

    def _hour(self, connection: Connection) -> datetime:
        return self._now(connection).replace(minute=0, second=0, microsecond=0)


def test_any_order_of_events_gives_the_sums_that_the_model_says(database: Database) -> None:
    class OnThisDatabase(UsageMachine):
        def __init__(self) -> None:
            super().__init__(database)

    run_state_machine_as_test(
        OnThisDatabase,
        settings=settings(
            max_examples=15,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
