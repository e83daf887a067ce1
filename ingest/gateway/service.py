"""Resources shared by all requests of a gateway process: thread and connection pools, log, limits, known tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

from starlette.requests import Request

from ingest.cell_record import CellRecord
from ingest.cells_topic import CellsTopic
from ingest.gateway.limits import GatewayLimits
from ingest.gateway.tokens import TokenCache
from ingest.gateway.tus import protocol
from ingest.http.bounds.byte_budget import ByteBudget
from ingest.http.bounds.fair_turns import work_for
from ingest.http.bounds.rates import CALLER
from ingest.http.bounds.workers import Workers
from ingest.http.signed_requests import is_signed, verify
from ingest.log_ids import note
from ingest.nonces import Nonces
from ingest.single_check import SingleCheck
from storage.database import Connection, Database
from storage.diagnosis.deployment import deployment_of
from storage.settings import Settings
from storage.uploads.vehicle_days import VehicleDayLimits
from storage.vehicles.authentication import authenticate_vehicle, vehicle_key
from triggers.contracts.clip import CELL_BYTES, MAX_MANIFEST_BYTES
from triggers.errors import Overloaded, Unauthenticated
from triggers.request_signature import parse

T = TypeVar("T")


class Gateway:
    """The shared state of one gateway process. Must be created inside the event loop that serves it."""

    def __init__(self, settings: Settings, limits: GatewayLimits) -> None:
        self.settings = settings
        self.limits = limits
        self.vehicle_day = VehicleDayLimits(settings.vehicle_day_uploads, settings.vehicle_day_bytes)
        self.in_flight = ByteBudget(
            settings.gateway_in_flight_bytes,
            largest_bytes=CELL_BYTES,
            what="cells on their way to the log",
            setting="LONGTAIL_GATEWAY_IN_FLIGHT_BYTES",
        )
        self.manifests_in_flight = ByteBudget(
            limits.manifests_in_flight_bytes, largest_bytes=MAX_MANIFEST_BYTES, what="manifests"
        )
        url, size = settings.require_database_url(), max(2, settings.database_pool_size)
        threads = size // 2
        self._database = self._pool(url, size - threads)
        self._log_database = self._pool(url, threads)
        self._control = Workers("gateway-control", threads=size - threads, waiting=limits.waiting_calls)
        self._appends = Workers("gateway-append", threads=threads, waiting=limits.waiting_calls)
        self._check = SingleCheck(self._check_all, within_s=limits.check_s)
        self._writers: Counter[str] = Counter()
        self._creators: Counter[str] = Counter()
        self._tokens = TokenCache(ttl_s=limits.token_ttl_s, size=limits.cached_tokens)
        self._keys = TokenCache(ttl_s=limits.token_ttl_s, size=limits.cached_tokens)
        self._nonces = Nonces()
        self._cells = CellsTopic(settings, self._log_database)

    def _pool(self, url: str, size: int) -> Database:
        return Database(
            url,
            pool_size=size,
            connection_wait_s=self.limits.connection_wait_s,
            silence_s=self.settings.database_silence_s,
            statement_s=self.settings.database_statement_s,
        )

    async def transact(self, function: Callable[[Connection], T]) -> T:
        """Run a function in one transaction, in the thread pool for short transactions, and return its result."""

        def run() -> T:
            with self._database.begin() as connection:
                return function(connection)

        return await self._control.run(run)

    async def call(self, function: Callable[[], T]) -> T:
        """Run a function in the thread pool for short transactions, and return its result."""
        return await self._control.run(function)

    def writing(self, vehicle_id: str) -> AbstractContextManager[None]:
        """Count one more PATCH of this vehicle; Overloaded when it has too many, so that it cannot use all memory."""
        return _counted(self._writers, vehicle_id, self.limits.writers_per_vehicle, "writing")

    def creating(self, vehicle_id: str) -> AbstractContextManager[None]:
        """Count one more creation request of this vehicle; Overloaded when it has too many."""
        return _counted(self._creators, vehicle_id, self.limits.creations_per_vehicle, "creating uploads")

    async def append(self, partition: int, cells: Sequence[CellRecord]) -> None:
        """Append cells to the log; durable on return. The only call that waits for the log, in its own pool."""
        await self._appends.run(lambda: self._cells.append(partition, cells))

    async def log_partitions(self) -> int:
        """How many partitions the topic of cells has."""
        known = self._cells.partitions
        return known if known is not None else await self._appends.run(self._cells.open)

    async def caller(self, request: Request) -> str:
        """The id of the vehicle whose token came with a request, or whose key signed it; Unauthenticated."""
        signed = is_signed(request.headers)
        vehicle_id = await (self._by_signature(request) if signed else self._by_token(request))
        setattr(request.state, CALLER, vehicle_id)
        work_for(f"vehicle {vehicle_id}")
        note(vehicle=vehicle_id)
        return vehicle_id

    async def _by_token(self, request: Request) -> str:
        token = protocol.bearer_token(request.headers)
        known = self._tokens.get(token)
        if known is None:
            known = await self.transact(lambda connection: authenticate_vehicle(connection, token))
            self._tokens.put(token, known)
        return known

    async def _by_signature(self, request: Request) -> str:
        headers = request.headers
        signed = parse(request.method, headers)
        if request.method == "POST" and not protocol.has_body(headers):
            raise Unauthenticated("the signature covers no manifest", remedy="send the manifest as the body")
        known = self._keys.get(signed.vehicle_id)
        if known is None:
            key = await self.transact(lambda connection: vehicle_key(connection, signed.vehicle_id))
            if key is not None:
                self._keys.put(signed.vehicle_id, key.hex())
        else:
            key = bytes.fromhex(known)
        url = self.settings.effective_gateway_url()
        return verify(signed, key, self._nonces, path=request.scope["path"], public_url=url)

    async def check(self) -> str:
        """The deployment's id; Unreachable or Misconfigured when something that this process needs does not work."""
        return await self._check.run()

    def _check_all(self) -> str:
        self._database.check_server()
        deployment = deployment_of(self._database)
        self._cells.check()
        return deployment

    def close(self) -> None:
        """Wait for running calls, and close every connection."""
        self._check.close()
        self._appends.close()
        self._control.close()
        self._cells.close()
        self._log_database.close()
        self._database.close()


@contextmanager
def _counted(counts: Counter[str], vehicle_id: str, limit: int, what: str) -> Iterator[None]:
    if counts[vehicle_id] >= limit:
        raise Overloaded(
            f"{vehicle_id} has {limit} requests {what} already", retry_after_s=5, remedy="wait for their answers"
        )
    counts[vehicle_id] += 1
    try:
        yield
    finally:
        counts[vehicle_id] -= 1
        if not counts[vehicle_id]:
            del counts[vehicle_id]
