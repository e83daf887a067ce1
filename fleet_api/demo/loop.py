"""The whole loop on one machine: backtest, deployment, approval, vehicles, clips, labels and the final counts.

All of its users are clients with their own tokens: an author, an approver, the fleet's operator and the labeler.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fleet_api.client import Client
from fleet_api.client.campaign_files import apply_file
from fleet_api.demo.inputs import DemoInputs, offer_drives
from fleet_api.demo.labeler import AutoLabeler
from fleet_api.demo.prediction import Prediction, predict
from fleet_api.demo.results import clip_results
from fleet_api.demo.summary import CampaignResult, Summary
from fleet_api.deployment.deployment import Deployment
from fleet_api.simulation.simulate import PlannedVehicle, SimulatedFleet, VehicleResult, draw_attributes, plan_fleet
from storage.objects import open_store
from storage.settings import Settings
from triggers.processes.jail.isolation import Isolation

CLOSE_TIMEOUT_S = 45.0
_POLL_S = 0.1
AUTHOR, APPROVER, OPERATOR, LABELER = "alice", "bob", "fleet", "labeler"
VISITOR = "visitor"  # of the console afterwards: somebody who may see and do everything
_ROLES = {AUTHOR: "author", APPROVER: "approver", OPERATOR: "operator", LABELER: "labeler"}

Step = Callable[[str], None]
"""Called with a line of progress: what happens next, or the result of what happened."""


@dataclass(frozen=True)
class Demo:
    """One run: its inputs, the folders for its data and results, and the number of vehicles.

    `keep` says whether the data outlives the run: then there is a token with which to see it in the console.
    """

    inputs: DemoInputs
    data_dir: Path
    results_dir: Path
    vehicles: int
    step: Step
    seed: int = 1
    keep: bool = False

    def run(self) -> Summary:
        """Run the loop, and return the summary, which says whether the loop closed and if not, why."""
        plan = self.plan()
        self.step(f"backtesting {len(self.inputs.drives)} drives")
        prediction = predict(self.inputs, plan, now_ns=time.time_ns())
        self.step(f"predicted: {prediction.total} fires; starting database, API, gateway and ingest")
        with Deployment(self.settings(), report=self.step) as deployment:
            return self._run_in(deployment, plan, prediction)

    def settings(self) -> Settings:
        """Settings of a separate deployment, without LONGTAIL_* variables: no real database, bucket or key is used."""
        defaults = {name: field.default for name, field in Settings.model_fields.items()}
        own = {"data_dir": self.data_dir, "api_port": 0, "gateway_port": 0, "ingest_port": 0}
        extraction = {
            "extraction_workers": min(4, os.cpu_count() or 1),
            "extraction_isolation": Isolation.BEST_EFFORT,  # all clips are made here, from drives that the user names
        }
        return Settings.load(**{**defaults, **own, **extraction})

    def plan(self) -> list[PlannedVehicle]:
        """The vehicles and the drives that they play."""
        targets = [campaign.settings.target for campaign in self.inputs.compilation.campaigns.values()]
        attributes = [
            draw_attributes(self.inputs.catalog, targets, seed=self.seed, number=number)
            for number in range(self.vehicles)
        ]
        return plan_fleet(self.inputs.drives, attributes, prefix="demo")

    def _run_in(self, deployment: Deployment, plan: list[PlannedVehicle], prediction: Prediction) -> Summary:
        if self.inputs.generated:
            offer_drives(self.inputs.drives, self.data_dir / "drives")
        clients = {name: self._client(deployment, name) for name in _ROLES}
        try:
            self._start_campaigns(clients[AUTHOR], clients[APPROVER])
            fleet = SimulatedFleet(
                clients[OPERATOR],
                self.inputs.catalog,
                self.data_dir / "vehicles",
                progress=lambda vehicle, what: self.step(f"{vehicle} {what}"),
            )
            driven = fleet.run(plan)
            self.step("waiting for the last clips to be assembled, extracted and labelled")
            labeler = AutoLabeler(clients[LABELER])
            self._label_until_closed(clients[OPERATOR], labeler, expected=sum(result.handed_over for result in driven))
            return self._sum_up(deployment, clients[OPERATOR], plan, (driven, prediction))
        finally:
            for client in clients.values():
                client.close()

    def _client(self, deployment: Deployment, name: str) -> Client:
        return Client(deployment.api_url, deployment.issue_token(name, [_ROLES[name]]))

    def _start_campaigns(self, author: Client, approver: Client) -> None:
        for applied in apply_file(author, self.inputs.campaign_path, self.inputs.signals_path):
            name, digest = applied.campaign, applied.approval_digest
            approved = approver.campaigns.approve(name, applied.version, digest=digest)
            self.step(f"{AUTHOR} applied {name}, {APPROVER} approved digest {digest[:12]}: {approved.state}")

    def _label_until_closed(self, client: Client, labeler: AutoLabeler, *, expected: int) -> None:
        """Label clips until each uploaded clip is labelled or damaged and no fire is in flight, or until time is up."""
        deadline_s = time.monotonic() + CLOSE_TIMEOUT_S
        while time.monotonic() < deadline_s:
            if labeler.work():
                self.step(f"labelled {len(labeler.done.clips)} of {expected} clips")
                continue
            if self._is_closed(client, labeler, expected):
                return
            time.sleep(_POLL_S)

    @staticmethod
    def _is_closed(client: Client, labeler: AutoLabeler, expected: int) -> bool:
        if any(counts.in_flight for counts in client.outcomes.count().outcomes):
            return False
        damaged = sum(1 for _ in client.clips.search("state = 'damaged'"))
        return len(labeler.done.clips) + len(labeler.done.failed) + damaged >= expected

    def _sum_up(
        self,
        deployment: Deployment,
        client: Client,
        plan: list[PlannedVehicle],
        results: tuple[list[VehicleResult], Prediction],
    ) -> Summary:
        driven, prediction = results
        outcomes = {counts.campaign: counts for counts in client.outcomes.count().outcomes}
        problems = [problem for result in driven for problem in result.problems]
        return Summary(
            drives=[drive.name for drive in self.inputs.drives],
            vehicles=len(driven),
            campaigns=[
                CampaignResult.of(name, outcomes.get(name), prediction.fires[name])
                for name in self.inputs.compilation.campaigns
            ],
            clips=clip_results(client, plan, self.results_dir / "clips"),
            uploads=sum(result.handed_over for result in driven),
            objects=_count_clip_objects(deployment.settings),
            labeled=client.labels.stats().tasks.get("auto", {}).get("done", 0),
            dead_letters=sum(1 for _ in client.dead_letters.list()),
            uploaded_bytes=sum(result.uploaded_bytes for result in driven),
            predicted_bytes=prediction.clip_bytes,
            results_dir=str(self.results_dir),
            problems=list(dict.fromkeys(problems)),
            data_dir=str(self.data_dir.absolute()) if self.keep else "",
            console_token=deployment.issue_token(VISITOR, ["admin"]) if self.keep else "",
        )


def _count_clip_objects(settings: Settings) -> int:
    """The number of clip files in the object store."""
    store, after, count = open_store(settings), "", 0
    while page := store.list("clips/", after=after):
        count += sum(1 for info in page if info.key.endswith(".mcap"))
        after = page[-1].key
    return count
