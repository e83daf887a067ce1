"""A whole deployment over TLS: commands, the doctor, a vehicle that enrols with a code, and its upload."""

from __future__ import annotations

import base64
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fleet_api.cli.main import main
from fleet_api.client import Client
from fleet_api.demo.drives import generate_drives, package_file
from fleet_api.deployment.deployment import Deployment
from fleet_api.deployment.doctor import services as doctor
from fleet_api.deployment.doctor.access import tls
from fleet_api.deployment.doctor.findings import FindingStatus
from storage.database import Database
from storage.diagnosis.deployment import deployment_of
from storage.settings import Settings
from tests.support.paths import server_folder
from tests.support.servers.certificates import write_server_certificate
from tests.support.whole_system import FREE_PORTS, deployment, record_events, run_campaign
from triggers.contracts.campaign import Network
from triggers.errors import Misconfigured, Unreachable
from triggers.vehicle.agent import VehicleAgent
from triggers.vehicle.config import VehicleConfig
from triggers.vehicle.enrolment import enrol_with_code
from triggers.vehicle.http import make_client
from triggers.vehicle.key import ensure_key

pytestmark = pytest.mark.integration


def test_everything_works_over_tls_and_nothing_without_its_authority(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca, served, state = tmp_path / "ca.pem", tmp_path / "served.pem", tmp_path / "state"
    write_server_certificate(ca, served)
    for name in ("LONGTAIL_API_URL", "LONGTAIL_TOKEN", "LONGTAIL_TOKEN_FILE", "LONGTAIL_CA_FILE"):
        monkeypatch.delenv(name, raising=False)
    with deployment(tls_cert_file=served) as running:
        assert running.api_url.startswith("https://127.0.0.1:")
        data = ["--data", str(running.data_dir)]
        assert main(["vehicles", "list", *data, "--ca-file", str(ca)]) == 0
        assert main(["vehicles", "list", *data]) == 1, "an unknown authority"
        settings = running.settings.model_copy(update={"ca_file": ca})
        with closing(Database.from_settings(settings)) as database:
            deployment_id = deployment_of(database)
        assert {finding.status for finding in doctor.check(settings, deployment_id)} == {FindingStatus.OK}

        client = Client(running.api_url, running.admin_token, ca_file=ca)
        run_campaign(client)
        ensure_key(state)
        config = VehicleConfig(
            vehicle_id="car-1",
            api_url=running.api_url,
            gateway_url=running.gateway_url,
            trusted_keys=(Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw(),),
            state_directory=state,
            ca_file=ca,
            network=Network.WIFI,
        )
        with make_client(config) as http:
            enrolled = enrol_with_code(running.api_url, "car-1", client.vehicles.issue_code("car-1").code, state, http)
        keys = tuple(base64.b64decode(key) for key in enrolled.public_keys)
        with VehicleAgent(_changed(config, trusted_keys=keys)) as agent:
            agent.check_in()
            record_events(agent, 1)
            assert agent.upload_pending().handed_over == 1
            agent.report()
        with VehicleAgent(_changed(config, trusted_keys=keys, ca_file=None)) as agent, pytest.raises(Unreachable):
            agent.check_in()


def test_with_client_authorities_whatever_asks_shows_the_certificate_that_is_set_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca, served = tmp_path / "ca.pem", tmp_path / "served.pem"
    write_server_certificate(ca, served)
    drives = tmp_path / "drives"
    generate_drives(drives, count=1, duration_s=5)
    (tmp_path / "signals.yaml").write_text(package_file("signals.yaml"))
    for name in ("API_URL", "TOKEN", "TOKEN_FILE", "CA_FILE", "CLIENT_CERT_FILE"):
        monkeypatch.delenv(f"LONGTAIL_{name}", raising=False)
    with deployment(tls_cert_file=served, tls_client_ca_file=ca, client_cert_file=served) as running:
        command = ["vehicles", "list", "--data", str(running.data_dir), "--ca-file", str(ca)]
        assert main(command) == 1, "refused without a certificate"
        assert main([*command, "--client-cert-file", str(served)]) == 0
        files = ["--drives", str(drives), "--signals", str(tmp_path / "signals.yaml")]
        shown = ["--ca-file", str(ca), "--client-cert-file", str(served)]
        assert main(["simulate", "--vehicles", "1", *files, "--data", str(running.data_dir), *shown]) == 0
        settings = running.settings.model_copy(update={"ca_file": ca})
        with closing(Database.from_settings(settings)) as database:
            deployment_id = deployment_of(database)
        assert {finding.status for finding in doctor.check(settings, deployment_id)} == {FindingStatus.OK}
        without = settings.model_copy(update={"client_cert_file": None})
        assert {finding.status for finding in doctor.check(without, deployment_id)} == {FindingStatus.FAIL}
        assert all("LONGTAIL_CLIENT_CERT_FILE" in finding.remedy for finding in doctor.check(without, deployment_id))


def test_a_deployment_that_could_not_ask_its_own_processes_does_not_start(tmp_path: Path) -> None:
    ca, served = tmp_path / "ca.pem", tmp_path / "served.pem"
    write_server_certificate(ca, served)
    settings = Settings.load(data_dir=tmp_path / "data", tls_cert_file=served, tls_client_ca_file=ca, **FREE_PORTS)
    with pytest.raises(Misconfigured, match="LONGTAIL_TLS_CLIENT_CA_FILE") as refused:
        Deployment(settings).start()
    assert "LONGTAIL_CLIENT_CERT_FILE" in refused.value.remedy
    with pytest.raises(Misconfigured, match=r"ca\.pem cannot be used") as refused:
        Deployment(settings.model_copy(update={"client_cert_file": ca})).start()
    assert "LONGTAIL_CLIENT_CERT_FILE" in refused.value.remedy
    assert not (tmp_path / "data").exists()


def test_the_doctor_names_the_setting_of_a_certificate_that_cannot_be_read(tmp_path: Path) -> None:
    ca, served = tmp_path / "ca.pem", tmp_path / "served.pem"
    write_server_certificate(ca, served)
    settings = Settings(tls_cert_file=served, tls_client_ca_file=ca, client_cert_file=tmp_path / "nowhere.pem")
    with pytest.raises(Misconfigured, match="the client's certificate cannot be read") as refused:
        list(tls.check(settings))
    assert "LONGTAIL_CLIENT_CERT_FILE" in refused.value.remedy


def _changed(config: VehicleConfig, **changes: object) -> VehicleConfig:
    return VehicleConfig(**{**vars(config), **changes})  # type: ignore[arg-type]


def test_a_deployment_does_not_listen_beyond_this_machine_without_tls() -> None:
    with server_folder() as folder:
        settings = Settings.load(data_dir=folder, gateway_host="0.0.0.0", **FREE_PORTS)
        with pytest.raises(Misconfigured, match=r"plain HTTP on 0\.0\.0\.0"):
            Deployment(settings).start()
