"""The compose files: what they set is a setting, what they start is a command, and what they need is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleet_api.cli.main import COMMANDS
from ingest.log.kafka.location import parse_location as parse_kafka
from storage.objects.s3.location import parse_location as parse_s3
from storage.settings import PREFIX, Settings
from tests.support.paths import REPOSITORY

OWN = REPOSITORY / "packaging" / "compose.yaml"


def load(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text()))


def services() -> dict[str, dict[str, Any]]:
    own = load(OWN)
    included = [load((OWN.parent / path).resolve()) for path in own["include"]]
    return own["services"] | {name: each for file in included for name, each in file["services"].items()}


LONGTAIL: dict[str, dict[str, Any]] = load(OWN)["services"]


@pytest.mark.parametrize("name", LONGTAIL)
def test_a_process_of_longtail_has_valid_settings_and_a_command_that_exists(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = LONGTAIL[name]
    assert service["command"][0] in COMMANDS
    assert set(service["environment"]) <= {PREFIX + field.upper() for field in Settings.model_fields}
    for variable, value in service["environment"].items():
        monkeypatch.setenv(variable, value)
    settings = Settings.load()
    hosts = [parse_s3(settings.objects_url).endpoint.split("/")[2].split(":")[0]]
    hosts += [address.split(":")[0] for address in settings.log_url.removeprefix("kafka://").split(",")]
    hosts.append(settings.database_url.split("@")[1].split(":")[0])
    assert set(hosts) <= set(services()), "a server that no service is called like"
    assert parse_kafka(settings.log_url)
    assert set(service["depends_on"]) <= set(services())
    assert set(service.get("secrets", ())) <= set(load(OWN)["secrets"])
    assert {volume.split(":")[0] for volume in service.get("volumes", ())} <= set(load(OWN)["volumes"])


def test_volumes_are_where_the_image_has_a_folder_of_its_user_so_that_new_ones_belong_to_it() -> None:
    image = (REPOSITORY / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    for service in LONGTAIL.values():
        for volume in service.get("volumes", ()):
            folder = re.escape(volume.split(":")[1])
            made = rf"(--home-dir {folder} longtail|install --directory --owner=longtail .*{folder})(\s|$)"
            assert re.search(made, image, re.MULTILINE), f"a new volume at {folder} would be root's"
    user = re.search(r"--uid (\d+) ", image)
    assert user and f"chown {user[1]} signing.pem" in OWN.read_text()


def test_kafka_is_advertised_to_containers_under_the_name_that_they_use() -> None:
    kafka = services()["kafka"]["environment"]
    port = LONGTAIL["ingest"]["environment"]["LONGTAIL_LOG_URL"].rpartition(":")[2]
    assert f"://kafka:{port}" in kafka["KAFKA_ADVERTISED_LISTENERS"]
    assert f"://:{port}" in kafka["KAFKA_LISTENERS"]
    names = {each.partition(":")[0] for each in kafka["KAFKA_LISTENERS"].split(",")}
    assert names == {each.partition(":")[0] for each in kafka["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(",")}


def test_the_credentials_are_those_of_the_servers() -> None:
    environment, s3 = LONGTAIL["api"]["environment"], services()["s3"]["environment"]
    assert environment["LONGTAIL_OBJECTS_ACCESS_KEY"] == s3["S3PROXY_IDENTITY"]
    assert environment["LONGTAIL_OBJECTS_SECRET_KEY"] == s3["S3PROXY_CREDENTIAL"]
    postgres = services()["postgres"]["environment"]
    user = f"{postgres['POSTGRES_USER']}:{postgres['POSTGRES_PASSWORD']}@"
    assert user in environment["LONGTAIL_DATABASE_URL"]
