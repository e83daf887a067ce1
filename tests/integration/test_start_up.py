"""A start-up on engines that cannot work ends at once, in one line that names the setting and the remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from fleet_api.deployment.deployment import Deployment
from storage.settings import Settings
from tests.support.paths import server_folder
from tests.support.servers.kafka_server import KafkaServer
from tests.support.servers.s3_server import S3Server
from tests.support.whole_system import FREE_PORTS
from triggers.errors import LongtailError, Misconfigured, Unreachable

pytestmark = pytest.mark.integration

ABSENT = "127.0.0.1:1"


@pytest.fixture
def refused(
    s3_server: S3Server, kafka_server: KafkaServer, database_url: str
) -> Iterator[Callable[..., LongtailError]]:
    """Starts a deployment with these settings, and returns the error that ends the start."""

    def start(folder: Path, **changes: str) -> LongtailError:
        good = {
            "database_url": database_url,
            "log_url": f"kafka://{kafka_server.bootstrap}/{folder.name}",
            "objects_url": s3_server.url(f"{folder.name}/"),
            "objects_access_key": s3_server.access_key,
            "objects_secret_key": s3_server.secret_key,
        }
        settings = Settings.load(data_dir=folder / "data", **(FREE_PORTS | good | changes))
        with pytest.raises(LongtailError) as caught, Deployment(settings):
            pytest.fail("the deployment started")
        assert not list((folder / "data" / "logs").glob("*.log")), "a process was started"
        return caught.value

    with server_folder() as folder:
        yield partial(start, folder)


def test_a_missing_bucket_is_named(refused: Callable[..., LongtailError], s3_server: S3Server) -> None:
    error = refused(objects_url=f"s3://not-there/?endpoint={s3_server.endpoint}")
    assert isinstance(error, Misconfigured)
    assert "not-there" in str(error)
    assert "LONGTAIL_OBJECTS_URL" in str(error)


def test_wrong_s3_credentials_are_named_and_not_shown(refused: Callable[..., LongtailError]) -> None:
    error = refused(objects_secret_key="wrong-secret")
    assert isinstance(error, Misconfigured)
    assert "LONGTAIL_OBJECTS_SECRET_KEY" in str(error)
    assert "wrong-secret" not in str(error)


def test_an_object_store_that_does_not_answer_is_unreachable(refused: Callable[..., LongtailError]) -> None:
    error = refused(objects_url=f"s3://longtail/?endpoint=http://{ABSENT}")
    assert isinstance(error, Unreachable)
    assert ABSENT in str(error)
    assert "LONGTAIL_OBJECTS_URL" in str(error)


def test_a_broker_that_does_not_answer_is_unreachable(refused: Callable[..., LongtailError]) -> None:
    error = refused(log_url=f"kafka://{ABSENT}")
    assert isinstance(error, Unreachable)
    assert ABSENT in str(error)
    assert "LONGTAIL_LOG_URL" in str(error)


def test_a_log_that_forgets_before_uploads_end_is_refused(refused: Callable[..., LongtailError]) -> None:
    error = refused(log_retention_s="3600", upload_expiry_s="86400")
    assert isinstance(error, Misconfigured)
    assert "retention.ms=3600000" in str(error)
