"""Settings: where they come from, and that no message shows a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.roles.process_settings import settings_of_process
from storage.settings import Settings, shown_url
from triggers.errors import Misconfigured


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql+psycopg://ann:geheim@db:5432/x", "postgresql://ann:***@db:5432/x"),
        ("postgresql://ann@db/x?host=/run/pg&port=5432", "postgresql://ann@db/x?host=/run/pg&port=5432"),
        (
            "postgresql://db/x?user=ann&password=geheim&sslmode=require",
            "postgresql://db/x?user=ann&password=***&sslmode=require",
        ),
        ("postgresql://db/x?sslpassword=geheim", "postgresql://db/x?sslpassword=***"),
        ("postgresql://ann:ge/he@im@db/x", "postgresql://ann:***@db/x"),
        ("kafka://ann:geheim@[broken", "kafka://ann:***@[broken"),
    ],
)
def test_a_url_is_shown_as_psql_takes_it_and_without_its_password(url: str, shown: str) -> None:
    assert shown_url(url) == shown


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LONGTAIL_DATABASE_URL", "mysql://ann:geheim@db/x"),
        ("LONGTAIL_DATABASE_URL", "mysql://db/x?password=geheim"),
    ],
)
def test_a_refused_setting_is_named_without_its_secret(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(Misconfigured, match=f"{variable}: must be a postgresql:// URL") as caught:
        Settings.load()
    assert "geheim" not in str(caught.value) and "mysql://" in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LONGTAIL_API_URL", "fleet.example"),
        ("LONGTAIL_API_URL", "ftp://fleet.example"),
        ("LONGTAIL_API_URL", "https://fleet.example:99999"),
        ("LONGTAIL_GATEWAY_URL", "https://fleet.example/?x=1"),
        ("LONGTAIL_GATEWAY_URL", "https://fleet example"),
        ("LONGTAIL_GATEWAY_URL", "https://[::1"),
        ("LONGTAIL_WORKER_ID", "a b"),
        ("LONGTAIL_WORKER_ID", ".."),
        ("LONGTAIL_WORKER_ID", "../objects"),
        ("LONGTAIL_WORKER_ID", ""),
    ],
)
def test_an_address_or_a_name_that_nothing_could_use_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(Misconfigured, match=f"{variable}: must be"):
        Settings.load()


def test_public_addresses_may_have_a_port_and_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONGTAIL_API_URL", "https://fleet.example/longtail")
    monkeypatch.setenv("LONGTAIL_GATEWAY_URL", "http://[fd00::5]:8081")
    settings = Settings.load()
    assert settings.effective_api_url() == "https://fleet.example/longtail"
    assert settings.effective_gateway_url() == "http://[fd00::5]:8081"


def test_a_refused_number_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONGTAIL_API_PORT", "many")
    with pytest.raises(Misconfigured, match=r"LONGTAIL_API_PORT: .*\(got 'many'\)"):
        Settings.load()


@pytest.mark.parametrize("value", ["5.0", " 5 ", "1e3", "1_000", "+5", "05", "\u0665"])
@pytest.mark.parametrize("variable", ["LONGTAIL_API_PORT", "LONGTAIL_FLEET_TOTAL_BYTES", "LONGTAIL_LOG_RETENTION_S"])
def test_a_whole_number_has_one_form(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(Misconfigured, match=f"{variable}: it must be a whole number in digits, such as 100"):
        Settings.load()


@pytest.mark.parametrize("value", [" 5", "1_000.0", "+5", ".5", "inf", "nan", "5 s", ""])
def test_a_number_has_one_form(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("LONGTAIL_PARK_AFTER_S", value)
    with pytest.raises(Misconfigured, match=r"LONGTAIL_PARK_AFTER_S: it must be a number, such as 0\.5"):
        Settings.load()


def test_numbers_in_their_one_form_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in {"API_PORT": "0", "FLEET_TOTAL_BYTES": "1000000000000", "PARK_AFTER_S": "1.5e1"}.items():
        monkeypatch.setenv(f"LONGTAIL_{variable}", value)
    settings = Settings.load()
    assert (settings.api_port, settings.fleet_total_bytes, settings.park_after_s) == (0, 10**12, 15.0)


def test_an_empty_variable_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("FLEET_TOTAL_BYTES", "DATA_DIR", "SIGNER_SOCKET", "TLS_CERT_FILE", "KAFKA_REPLICATION_FACTOR"):
        monkeypatch.setenv(f"LONGTAIL_{variable}", "")
    settings = Settings.load()
    assert (settings.fleet_total_bytes, settings.data_dir, settings.signer_socket) == (None, None, None)
    assert (settings.tls_cert_file, settings.kafka_replication_factor) == (None, None)


def test_a_process_gets_its_own_database_url_and_no_credentials_of_others() -> None:
    urls = {f"{name}_database_url": f"postgresql://{name}:secret@host/db" for name in ("api", "gateway", "ingest")}
    settings = Settings(
        database_url="postgresql://owner:secret@host/db",
        objects_secret_key="objects",
        kafka_sasl_password="kafka",
        **urls,
    )
    has = {name: settings_of_process(settings, name) for name in ("api", "gateway", "ingest", "signer")}
    assert {name: each.database_url for name, each in has.items()} == {
        "api": "postgresql+psycopg://api:secret@host/db",
        "gateway": "postgresql+psycopg://gateway:secret@host/db",
        "ingest": "postgresql+psycopg://ingest:secret@host/db",
        "signer": "",
    }
    for name, each in has.items():
        environment = "\n".join(each.environment().values())
        assert not any(f"//{other}:secret" in environment for other in ("owner", *has) if other != name)
        assert ("objects" in environment.split()) == (name in ("api", "ingest"))
        assert ("kafka" in environment.split()) == (name in ("gateway", "ingest"))


def test_one_database_url_is_for_every_process_that_has_none_of_its_own() -> None:
    settings = Settings(database_url="postgresql://all@host/db", gateway_database_url="postgresql://own@host/db")
    assert settings_of_process(settings, "api").database_url == "postgresql+psycopg://all@host/db"
    assert settings_of_process(settings, "gateway").database_url == "postgresql+psycopg://own@host/db"


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("LONGTAIL_KAFKA_SASL_PASSWORD", "geheim\n", "line break"),
        ("LONGTAIL_OBJECTS_SECRET_KEY", "ge\theim", "control character"),
        ("LONGTAIL_DATA_DIR", "/var/lib/longtail ", "blank"),
        ("LONGTAIL_DATA_DIR", "/var/lib/longtail\n", "line break"),
        ("LONGTAIL_OBJECTS_URL", " s3://bucket", "blank"),
        ("LONGTAIL_API_HOST", " ", "blank"),
        ("LONGTAIL_POSITION_ROLES", "operator\n", "line break"),
        ("LONGTAIL_POSITION_ROLES", " operator ", "blank"),
        ("LONGTAIL_REQUESTS_PER_TOKEN", "2 000", r"must be a number, such as 0\.5 \(got '2 000'\)"),
        ("LONGTAIL_API_PORT", "8080\n", "whole number"),
        ("LONGTAIL_DATABASE_URL", "postgresql://ann:geheim@db/x\n", "line break"),
    ],
)
def test_what_a_file_or_a_slip_has_added_to_a_value_is_refused(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, says: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(Misconfigured, match=says) as refused:
        Settings.load()
    assert refused.value.message.startswith(variable)
    assert "geheim" not in str(refused.value) and "\n" not in str(refused.value)


def test_a_password_may_end_with_a_blank_and_rules_may_be_spread_over_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONGTAIL_KAFKA_SASL_PASSWORD", "open sesame ")
    monkeypatch.setenv("LONGTAIL_OIDC_ROLES", '{\n  "author": ["fleet"]\n}\n')
    settings = Settings.load()
    assert settings.kafka_sasl_password == "open sesame "
    assert '"fleet"' in settings.oidc_roles


def test_relative_paths_are_those_of_the_folder_where_the_settings_were_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    names = [name for name, field in Settings.model_fields.items() if "Path" in str(field.annotation)]
    for name in names:
        monkeypatch.setenv(f"LONGTAIL_{name.upper()}", "here.pem")
    settings = Settings.load()
    assert {getattr(settings, name) for name in names} == {tmp_path / "here.pem"}
    assert {"data_dir", "tls_cert_file", "list_keys"} <= set(names)
