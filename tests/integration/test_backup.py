"""A backup of a running deployment, restored elsewhere: the same catalog, well, and its vehicles go on."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fleet_api.cli.main import main
from fleet_api.client import Client
from fleet_api.deployment.backup import make_backup, store_of
from fleet_api.deployment.deployment import Deployment
from fleet_api.deployment.doctor import examine
from fleet_api.deployment.restore import restore_backup
from storage.settings import Settings
from tests.support.paths import server_folder
from tests.support.servers.postgres import libpq_url
from tests.support.waiting import wait_for
from tests.support.whole_system import (
    FREE_PORTS,
    SOURCE,
    admin,
    deployment,
    enrol,
    record_events,
    recording,
    run_campaign,
)
from triggers.contracts.signing import load_private_key
from triggers.errors import Conflict, LongtailError, Misconfigured, Untrusted
from triggers.vehicle.agent import VehicleAgent

pytestmark = pytest.mark.integration
SETTINGS: dict[str, Any] = FREE_PORTS | {"database_url": "", "allow_self_approval": True}


def quiet(_: str) -> None:
    return None


def ready(client: Client) -> dict[str, Any]:
    return {clip.id: clip for clip in client.clips.search() if clip.state == "ready"}


def sql(running: Deployment, question: str) -> Any:
    with psycopg.connect(libpq_url(running.settings.database_url), autocommit=True) as connection:
        found = connection.execute(question.encode()).fetchone()
        return found and found[0]


def restored_settings(folder: Path, running: Deployment) -> Settings:
    """A deployment elsewhere, at the addresses that the vehicles know."""
    ports = {
        name: int(url.rpartition(":")[2]) for name, url in (("api", running.api_url), ("gateway", running.gateway_url))
    }
    return Settings(
        **SETTINGS
        | {"data_dir": folder, "api_port": ports["api"], "gateway_port": ports["gateway"], "log_lease_s": 2.0}
    )


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    with server_folder() as folder:
        yield folder


def test_a_backup_under_load_restored_elsewhere_gives_the_same_catalog_and_vehicles_go_on(
    tmp_path: Path, elsewhere: Path
) -> None:
    backup = elsewhere / "backup"
    with deployment() as running:
        client = admin(running)
        run_campaign(client)
        config = enrol(client, "car-1", tmp_path / "car-1")
        with VehicleAgent(config) as agent:
            agent.check_in()
            record_events(agent, 3)
            agent.upload_pending()
        wait_for(lambda: len(ready(client)) == 3, within_s=120, what="the first clips")
        first = ready(client)
        contents = {clip_id: recording(client, clip_id) for clip_id in first}
        with loaded(client, tmp_path / "car-2"):
            made, _ = make_backup(running.settings, backup, quiet)
        assert made.objects >= 3 and not made.damaged
        client.campaigns.move("loss_free", 1, "pause")  # a step that the backup does not have
        client.campaigns.move("loss_free", 1, "resume")
        run_campaign(client, SOURCE.replace("0.5", "0.6"))  # and a version
        seen = sql(running, "SELECT revision FROM assignment_revision")
        with VehicleAgent(config) as agent:
            agent.check_in()
            record_events(agent, 1, seed=1)
            agent.upload_pending()
        settings = restored_settings(elsewhere / "data", running)
        old_id = sql(running, "SELECT id FROM deployment")
        old_key = load_private_key(running.settings.effective_signing_key()).public_key().public_bytes_raw()

    restore_backup(settings, backup, quiet)
    restore_backup(settings, backup, quiet)  # as after a cut: nothing is done twice
    with Deployment(settings) as again:
        client = admin(again)
        assert {clip_id: clip for clip_id, clip in ready(client).items() if clip_id in first}.keys() == first.keys()
        assert {clip_id: recording(client, clip_id) for clip_id in first} == contents
        key = load_private_key(again.settings.effective_signing_key()).public_key().public_bytes_raw()
        assert key == old_key
        assert sql(again, "SELECT id FROM deployment") != old_id, "a copy is told from its model"
        findings = {finding.check: finding for finding in examine(again.settings, full=True)}
        assert not [each for each in findings.values() if each.status == "fail"], findings
        assert sql(again, "SELECT revision FROM assignment_revision") > seen
        assert sql(again, "SELECT count(*) FROM uploads WHERE state IN ('open', 'received')") == 0
        before = len(ready(client))
        with VehicleAgent(config) as agent:
            client.campaigns.move("loss_free", 1, "pause")
            agent.check_in()  # a list that is newer than the newest it has seen
            assert agent.status().campaigns == ()
            client.campaigns.move("loss_free", 1, "resume")
            agent.check_in()
            record_events(agent, 2, seed=2)
            agent.upload_pending()
            agent.report()
        wait_for(lambda: len(ready(client)) >= before + 2, within_s=120, what="clips after the restore")
        applied = client.campaigns.apply(SOURCE.replace("0.5", "0.7"), catalog(), filename="test.trigger")
        assert applied.version > 1000, "a number that vehicles may have seen is not given again"


def catalog() -> str:
    from tests.support.whole_system import CATALOG

    return CATALOG


class loaded:  # noqa: N801 - reads like a function
    """A vehicle that records and uploads in a thread while the block runs."""

    def __init__(self, client: Client, state: Path) -> None:
        self._config = enrol(client, "car-2", state)
        self._stop = threading.Event()
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def _work(self) -> None:
        with VehicleAgent(self._config) as agent:
            agent.check_in()
            seed = 0
            while not self._stop.is_set():
                record_events(agent, 1, seed=seed)
                agent.upload_pending()
                seed += 1
                self._begun.set()

    def __enter__(self) -> None:
        self._thread.start()
        assert self._begun.wait(60)

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(60)


def test_a_second_run_copies_what_is_new_and_drops_what_was_erased(tmp_path: Path, elsewhere: Path) -> None:
    folder = elsewhere / "backup"
    with deployment() as running:
        client = admin(running)
        run_campaign(client)
        with VehicleAgent(enrol(client, "car-1", tmp_path / "car")) as agent:
            agent.check_in()
            record_events(agent, 1)
            agent.upload_pending()
            wait_for(lambda: len(ready(client)) == 1, within_s=120, what="the clip")
            first, done = make_backup(running.settings, folder, quiet)
            assert (done.copied, done.kept) == (first.objects, 0)
            record_events(agent, 1, seed=1)
            agent.upload_pending()
        wait_for(lambda: len(ready(client)) == 2, within_s=120, what="the second clip")
        second, done = make_backup(running.settings, folder, quiet)
        assert done.kept == first.objects and done.copied == second.objects - first.objects > 0
        assert len(list(folder.glob("database-*"))) == 1
        assert oct(folder.stat().st_mode & 0o777) == "0o700"
        damage(running)
        third, _ = make_backup(running.settings, folder, quiet)
        assert third.damaged == (), "the backup has the good bytes already"
        fourth, _ = make_backup(running.settings, elsewhere / "new", quiet)
        assert len(fourth.damaged) == 1


def damage(running: Deployment) -> None:
    path = next((running.data_dir / "objects" / "data").rglob("*.mcap"))
    path.write_bytes(path.read_bytes()[:-1] + b"?")


def test_what_cannot_be_restored_says_why_and_changes_nothing(
    tmp_path: Path, elsewhere: Path, monkeypatch: Any
) -> None:
    folder = elsewhere / "backup"
    with deployment() as running:
        run_campaign(admin(running))
        (elsewhere / "other file").touch()
        refused(Conflict, "is not empty", lambda: make_backup(running.settings, elsewhere, quiet))
        inside = running.data_dir / "objects" / "backup"
        refused(Conflict, "belongs to the deployment", lambda: make_backup(running.settings, inside, quiet))
        assert not inside.exists()
        make_backup(running.settings, folder, quiet)
        refused(Conflict, "a deployment runs", lambda: restore_backup(own(running), folder, quiet))
        settings = Settings(**SETTINGS | {"data_dir": elsewhere / "data"})
        full = settings.model_copy(update={"database_url": running.settings.database_url})
        refused(Conflict, "empty database only", lambda: restore_backup(full, folder, quiet))
    refused(Misconfigured, "is not there", lambda: restore_backup(settings, elsewhere / "nothing", quiet))
    rows = next(folder.glob("database-*"))
    whole = (rows / "vehicles.copy.zst").read_bytes()
    (rows / "vehicles.copy.zst").write_bytes(whole[:-1])
    refused(Untrusted, "was changed", lambda: restore_backup(settings, folder, quiet))
    (rows / "vehicles.copy.zst").write_bytes(whole)
    description = json.loads((folder / "backup.json").read_text())
    description["database"]["revision"] = "9999"
    (folder / "backup.json").write_text(json.dumps(description))
    refused(Misconfigured, "newer than this version", lambda: restore_backup(settings, folder, quiet))
    description["database"]["revision"] = "0000"
    assert store_of(folder).list() == []
    assert main(["restore", str(elsewhere / "nothing"), "--data", str(elsewhere / "other")]) == 1


def own(running: Deployment) -> Settings:
    return running.settings.model_copy(update={"database_url": ""})


def refused(kind: type[LongtailError], says: str, work: Any) -> None:
    with pytest.raises(kind, match=says) as caught:
        work()
    assert caught.value.remedy
