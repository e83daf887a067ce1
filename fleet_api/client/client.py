"""`Client`: the client of one deployment's API, with one attribute per subject."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from fleet_api.client.audit import Audit
from fleet_api.client.authoring import Authoring
from fleet_api.client.backtests.subject import Backtests
from fleet_api.client.campaigns import Campaigns, SignalCatalogs
from fleet_api.client.clips import Clips
from fleet_api.client.clips.scans import Scans
from fleet_api.client.costs.subject import Costs
from fleet_api.client.datasets.searches import Searches
from fleet_api.client.datasets.subject import Datasets
from fleet_api.client.health import Health
from fleet_api.client.labels import Labels
from fleet_api.client.login.subject import Login
from fleet_api.client.outcomes import Alerts, DeadLetters, Outcomes
from fleet_api.client.rates.forecasts import Forecasts
from fleet_api.client.rates.subject import Rates
from fleet_api.client.transport import PATIENCE_S, TIMEOUT_S, Transport
from fleet_api.client.vehicles import Trust, Vehicles
from fleet_api.client.volume.budget import Budget, PriceBooks
from fleet_api.client.volume.history import History
from fleet_api.client.volume.usage import Usage


class Client:
    """The client of one deployment's API for the owner of `token`. A context manager; threads may share it.

    Where the API asks to come again later (429 and 503 with Retry-After), a request waits as it asks, up to
    `patience_s` in all. `http` replaces the HTTP client, for instance with one that calls an application in this
    process; `ca_file` has the authority of the server's certificate, `client_cert_file` the certificate and the key
    that are shown to a server that asks for one. Raises Misconfigured if the address, the token or a file cannot be
    valid.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout_s: float = TIMEOUT_S,
        patience_s: float = PATIENCE_S,
        http: httpx.Client | None = None,
        ca_file: Path | None = None,
        client_cert_file: Path | None = None,
    ) -> None:
        self.ca_file, self.client_cert_file = ca_file, client_cert_file
        self._transport = Transport(
            url,
            token,
            timeout_s=timeout_s,
            patience_s=patience_s,
            http=http,
            ca_file=ca_file,
            client_cert_file=client_cert_file,
        )
        self.campaigns = Campaigns(self._transport)
        self.authoring = Authoring(self._transport)
        self.signal_catalogs = SignalCatalogs(self._transport)
        self.vehicles = Vehicles(self._transport)
        self.clips = Clips(self._transport)
        self.scans = Scans(self._transport)
        self.backtests = Backtests(self._transport)
        self.datasets = Datasets(self._transport)
        self.searches = Searches(self._transport)
        self.labels = Labels(self._transport)
        self.budget = Budget(self._transport)
        self.price_books = PriceBooks(self._transport)
        self.costs = Costs(self._transport)
        self.usage = Usage(self._transport)
        self.outcomes = Outcomes(self._transport)
        self.rates = Rates(self._transport)
        self.forecasts = Forecasts(self._transport)
        self.dead_letters = DeadLetters(self._transport)
        self.alerts = Alerts(self._transport)
        self.history = History(self._transport)
        self.audit = Audit(self._transport)
        self.trust = Trust(self._transport)
        self.health = Health(self._transport)
        self.login = Login(self._transport)

    @property
    def url(self) -> str:
        """The API's address, without a slash at its end."""
        return self._transport.url

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
