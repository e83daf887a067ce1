"""Storage classes of objects in S3: which requests move, ask and restore, and what becomes of their answers.

Stubbed at botocore, request by request: servers that keep files have no storage classes. The copy itself runs on a real
server in tests/ingest/steward/test_tiers.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from storage.objects.contract import ObjectNotFound
from storage.objects.s3.location import connect, parse_location
from storage.objects.s3.tiers import S3Tiers
from triggers.errors import Misconfigured

LOCATION = parse_location("s3://clips/fleet/?endpoint=http://127.0.0.1:1&region=eu-central-1")
TARGET = {"Bucket": "clips", "Key": LOCATION.prefix + "a/b"}


@pytest.fixture
def client() -> Any:
    return connect(LOCATION, access_key="a", secret_key="b", attempts=1, timeout_s=1)


@pytest.fixture
def stub(client: Any) -> Iterator[Stubber]:
    with Stubber(client) as stub:
        yield stub
        stub.assert_no_pending_responses()


@pytest.fixture
def tiers(client: Any) -> S3Tiers:
    return S3Tiers(client, LOCATION)


def test_an_object_is_copied_onto_itself_if_nobody_has_replaced_it(tiers: S3Tiers, stub: Stubber) -> None:
    kept = {"Metadata": {"longtail-write": "token"}, "ContentType": "application/x"}
    stub.add_response("head_object", {"ETag": '"e"', **kept}, TARGET)
    how = {"StorageClass": "GLACIER_IR", "MetadataDirective": "REPLACE", **kept}
    stub.add_response("copy_object", {}, {**TARGET, "CopySource": TARGET, "CopySourceIfMatch": '"e"', **how})
    assert tiers.move("a/b", "GLACIER_IR") is True


def test_an_object_that_has_the_class_is_left_as_it_is(tiers: S3Tiers, stub: Stubber) -> None:
    stub.add_response("head_object", {"ETag": '"e"', "StorageClass": "STANDARD_IA"}, TARGET)
    assert tiers.move("a/b", "STANDARD_IA") is False


def test_a_missing_object_and_a_class_that_the_server_refuses_are_told_apart(tiers: S3Tiers, stub: Stubber) -> None:
    stub.add_client_error("head_object", "404", http_status_code=404)
    with pytest.raises(ObjectNotFound):
        tiers.move("a/b", "GLACIER")
    stub.add_response("head_object", {"ETag": '"e"'}, TARGET)
    stub.add_client_error("copy_object", "InvalidStorageClass", http_status_code=400)
    with pytest.raises(Misconfigured, match="InvalidStorageClass"):
        tiers.move("a/b", "GLACIER")


@pytest.mark.parametrize(
    ("restore", "is_restoring", "until"),
    [
        (None, False, None),
        ('ongoing-request="true"', True, None),
        (
            'ongoing-request="false", expiry-date="Fri, 21 Dec 2029 00:00:00 GMT"',
            False,
            datetime(2029, 12, 21, tzinfo=UTC),
        ),
    ],
)
def test_an_archived_object_says_how_far_its_restoration_is(
    tiers: S3Tiers, stub: Stubber, restore: str | None, is_restoring: bool, until: datetime | None
) -> None:
    answer = {"StorageClass": "GLACIER"} | ({} if restore is None else {"Restore": restore})
    stub.add_response("head_object", answer, TARGET)
    found = tiers.tier("a/b")
    assert (found.storage_class, found.is_restoring, found.restored_until) == ("GLACIER", is_restoring, until)


def test_a_restoration_is_asked_for_once_however_often(tiers: S3Tiers, stub: Stubber) -> None:
    asked = {**TARGET, "RestoreRequest": {"Days": 7, "GlacierJobParameters": {"Tier": "Standard"}}}
    stub.add_response("restore_object", {}, asked)
    tiers.restore("a/b", days=7)
    stub.add_client_error("restore_object", "RestoreAlreadyInProgress", http_status_code=409)
    tiers.restore("a/b", days=7)
    stub.add_client_error("restore_object", "NoSuchKey", http_status_code=404)
    with pytest.raises(ObjectNotFound):
        tiers.restore("a/b", days=7)
