"""Reserving and settling, each a transaction of its own, against bare transactions that change as many rows by hand.

By hand there are one account and one entry per transaction and no rule but the limit; the ledger charges a clip to the
fleet, its month, its campaign, the vehicle's share and the vehicle's day as well. Both work by the same number of
connections, with the durability of `longtail up`. On one hot account all clips are of one campaign with a limit; over
many accounts each is of one of many campaigns. The fleet itself has no limit, as by default.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from sqlalchemy import Connection, text

from bench.engines import Engines
from bench.measure import Comparison, Contender, Role, compare
from storage import ledger
from storage.database import Database
from tests.storage.ledger.ledger_support import add_upload
from tests.support.fleet import add_version, charged_manifest, enroll_vehicle
from triggers.contracts.campaign import BudgetLimits
from triggers.contracts.clip import ClipManifest

CONNECTIONS = 8
CLIP_BYTES = 1000
TOTAL_BYTES = 10**15
ROUNDS = 5
_TABLES = """
    CREATE TABLE IF NOT EXISTS bare_accounts (id int PRIMARY KEY, held bigint NOT NULL, settled bigint NOT NULL);
    CREATE TABLE IF NOT EXISTS bare_entries (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account int NOT NULL, amount bigint NOT NULL
    );
"""
_TAKE = text("UPDATE bare_accounts SET held = held + :amount WHERE id = :id AND held + :amount <= :total")
_SETTLE = text("UPDATE bare_accounts SET settled = settled + :amount WHERE id = :id")
_ENTER = text("INSERT INTO bare_entries (account, amount) VALUES (:id, :amount)")


class _Own:
    """The ledger's own reserve and settle; uploads and manifests are made before the clock runs."""

    def __init__(self, database: Database, campaigns: Sequence[str], clips: int) -> None:
        self._database = database
        self._campaigns = campaigns
        self._clips = clips
        self._work: list[tuple[str, ClipManifest]] = []

    def prepare(self, _round: int) -> None:
        self._work = []
        with self._database.begin() as connection:
            for number in range(self._clips):
                campaign = self._campaigns[number % len(self._campaigns)]
                manifest = charged_manifest({campaign: CLIP_BYTES}, vehicle_id=f"car-{number % CONNECTIONS}")
                self._work.append((add_upload(connection, manifest), manifest))
        while self.fold():
            pass

    def fold(self) -> int:
        with self._database.begin() as connection:
            return ledger.fold(connection, 10_000)

    def run(self, _round: int) -> None:
        by_connections(self._one, self._clips)

    def _one(self, number: int) -> None:
        upload_id, manifest = self._work[number]
        with self._database.begin() as connection:
            ledger.reserve(connection, upload_id, manifest, now=datetime.now(UTC))
        with self._database.begin() as connection:
            ledger.settle(connection, upload_id)

    def result(self) -> str:
        while self.fold():
            pass
        held = text(
            "SELECT sum(held), sum(settled) FROM ledger_accounts WHERE campaign = ANY (:campaigns) AND kind = :kind"
        )
        with self._database.begin() as connection:
            row = connection.execute(held, {"campaigns": list(self._campaigns), "kind": "campaign_bytes"}).one()
        return f"{row[0]} bytes held, {row[1]} settled"


class _Bare:
    """By hand: an account's row is changed, and with `entries` a row is added, once to reserve and once to settle."""

    def __init__(self, database: Database, accounts: int, clips: int, *, entries: bool, first: int) -> None:
        self._database = database
        self._accounts = accounts
        self._clips = clips
        self._entries = entries
        self._first = first
        with database.begin() as connection:
            for statement in _TABLES.split(";")[:2]:
                connection.execute(text(statement))
            for number in range(accounts):
                connection.execute(
                    text("INSERT INTO bare_accounts VALUES (:id, 0, 0) ON CONFLICT DO NOTHING"), {"id": first + number}
                )

    def run(self, _round: int) -> None:
        by_connections(self._one, self._clips)

    def _one(self, number: int) -> None:
        values = {"id": self._first + number % self._accounts, "amount": CLIP_BYTES, "total": TOTAL_BYTES}
        for statement in (_TAKE, _SETTLE):
            with self._database.begin() as connection:
                self._step(connection, statement, values)

    def _step(self, connection: Connection, statement: object, values: dict[str, int]) -> None:
        connection.execute(statement, values)  # type: ignore[call-overload]
        if self._entries:
            connection.execute(_ENTER, values)

    def result(self) -> str:
        sums = text("SELECT sum(held), sum(settled) FROM bare_accounts WHERE id BETWEEN :first AND :last")
        with self._database.begin() as connection:
            row = connection.execute(sums, {"first": self._first, "last": self._first + self._accounts - 1}).one()
        return f"{row[0]} bytes held, {row[1]} settled"


def by_connections(one: Callable[[int], None], clips: int) -> None:
    """Do `one` for each clip, by as many threads as there are connections."""
    numbers, lock = iter(range(clips)), threading.Lock()

    def work(_: int) -> None:
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            one(number)

    with ThreadPoolExecutor(CONNECTIONS) as threads:
        list(threads.map(work, range(CONNECTIONS)))


def run(engines: Engines, *, quick: bool) -> Iterator[Comparison]:
    """On one hot account, and over many accounts."""
    database = Database(engines.postgres_url, pool_size=CONNECTIONS)
    clips, many = (64, 8) if quick else (500, 200)
    rounds = 1 if quick else ROUNDS
    campaigns = [f"bench_{number}" for number in range(many)]
    try:
        with database.begin() as connection:
            for number in range(CONNECTIONS):
                enroll_vehicle(connection, f"car-{number}")
            for campaign in ("hot", *campaigns):
                add_version(connection, campaign, limits=BudgetLimits(total_bytes=TOTAL_BYTES))
        hot, over = _Own(database, ["hot"], clips), _Own(database, campaigns, clips)
        peers = (
            _Bare(database, 1, clips, entries=False, first=0),
            _Bare(database, many, clips, entries=True, first=1000),
        )
        for name, own, peer, what in (
            ("reserve and settle on one hot account", hot, peers[0], "an UPDATE and a commit, twice"),
            ("reserve and settle over many accounts", over, peers[1], "two rows and a commit, twice"),
        ):
            yield compare(
                name,
                [
                    Contender(name="longtail", role=Role.OWN, run=own.run, prepare=own.prepare, result=own.result),
                    Contender(name=what, role=Role.PEER, run=peer.run, result=peer.result),
                ],
                amount=clips,
                unit="clips",
                rounds=rounds,
                notes=(f"{CONNECTIONS} connections",),
            )
    finally:
        database.close()
