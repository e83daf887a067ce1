"""The S3 store when its server stops, its network loses answers, or its settings are wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from storage.objects import open_store
from storage.objects.contract import MIN_PART_BYTES, ObjectExists
from storage.objects.s3.store import SINGLE_PUT_BYTES, S3Store, parse_location
from storage.objects.s3.upload import PART_BYTES, regrouped
from storage.settings import Settings
from tests.support.servers.faulty_proxy import Fault, FaultyProxy, faulty_proxy
from tests.support.servers.s3_server import S3Server
from triggers.errors import Misconfigured, Unreachable

BIG = [bytes([letter]) * PART_BYTES for letter in b"abc"]
CONFLICT = (409, b"<Error><Code>ConditionalRequestConflict</Code><Message>at the same moment</Message></Error>")


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A server that tests here may stop and start."""
    with S3Server(tmp_path_factory.mktemp("own-s3")) as server:
        yield server


@pytest.fixture
def server(own_server: S3Server) -> S3Server:
    if not own_server.is_running():
        own_server.start()
    for page in own_server.client().get_paginator("list_objects_v2").paginate(Bucket=own_server.bucket):
        for entry in page.get("Contents", ()):
            own_server.client().delete_object(Bucket=own_server.bucket, Key=entry["Key"])
    store_at(own_server).remove_leftovers(older_than_s=-60)
    return own_server


@pytest.fixture
def proxy(server: S3Server) -> Iterator[FaultyProxy]:
    with faulty_proxy(server.port) as proxy:
        yield proxy


def store_at(server: S3Server, *, endpoint: str = "", attempts: int = 2, **changes: Any) -> S3Store:
    location = dataclasses.replace(parse_location(server.url()), **changes)
    if endpoint:
        location = dataclasses.replace(location, endpoint=endpoint)
    return S3Store(location, access_key=server.access_key, secret_key=server.secret_key, attempts=attempts)


def open_uploads(server: S3Server) -> list[str]:
    uploads = server.client().list_multipart_uploads(Bucket=server.bucket).get("Uploads", [])
    return [upload["Key"] for upload in uploads]


def is_completion(method: str, path: str) -> bool:
    return method == "POST" and "uploadId=" in path


def is_put_of_an_object(method: str, path: str) -> bool:
    return method == "PUT" and "uploadId=" not in path


def is_part(method: str, path: str) -> bool:
    return method == "PUT" and "uploadId=" in path


# The server stops -----------------------------------------------------------------------------------------------


def test_an_upload_goes_on_when_the_server_was_started_again_between_its_parts(server: S3Server) -> None:
    def parts() -> Iterator[bytes]:
        yield from BIG
        server.kill()
        server.start()
        yield from BIG

    info = store_at(server, attempts=14).put_parts("clips/a", parts(), if_absent=True)
    assert info.size_bytes == 6 * PART_BYTES
    assert store_at(server).get("clips/a") == b"".join(BIG * 2)
    assert open_uploads(server) == []


def test_a_server_that_stays_away_is_named_and_a_later_attempt_succeeds(server: S3Server) -> None:
    store = store_at(server)

    def parts() -> Iterator[bytes]:
        yield from BIG
        server.stop()
        yield from BIG

    with pytest.raises(Unreachable, match=f"{server.endpoint}.*LONGTAIL_OBJECTS_URL"):
        store.put_parts("clips/a", parts(), if_absent=True)
    server.start()
    assert store.list() == []
    assert open_uploads(server) == ["clips/a"], "nobody was there to abort it"
    store.put_parts("clips/a", iter(BIG), if_absent=True)
    assert store.remove_leftovers(older_than_s=3600) == 0
    assert store.remove_leftovers(older_than_s=-60) == 1
    assert open_uploads(server) == []
    assert store.get("clips/a") == b"".join(BIG)


def test_every_method_says_unreachable_while_the_server_is_stopped(server: S3Server) -> None:
    store = store_at(server, attempts=1)
    server.stop()
    for use in (
        lambda: store.put("a", b""),
        lambda: store.put_parts("a", BIG),
        lambda: store.get("a"),
        lambda: store.stream("a"),
        lambda: store.stat("a"),
        store.list,
        lambda: store.delete("a"),
        store.check,
        store.remove_leftovers,
    ):
        with pytest.raises(Unreachable, match=f"{server.endpoint}.*LONGTAIL_OBJECTS_URL"):
            use()


# Uploads that lose, or break ------------------------------------------------------------------------------------


def test_an_upload_that_loses_the_race_is_aborted(server: S3Server) -> None:
    store = store_at(server)

    def parts() -> Iterator[bytes]:
        yield from BIG
        store.put("clips/a", b"somebody was faster")

    with pytest.raises(ObjectExists):
        store.put_parts("clips/a", parts(), if_absent=True)
    assert open_uploads(server) == []
    assert store.get("clips/a") == b"somebody was faster"


def test_nothing_is_sent_of_an_object_that_is_there_already(server: S3Server, proxy: FaultyProxy) -> None:
    store = store_at(server, endpoint=proxy.endpoint)
    store.put("clips/a", b"first")
    with pytest.raises(ObjectExists):
        store.put_parts("clips/a", BIG, if_absent=True)
    assert not [request for request in proxy.seen if is_part(*request)]


def test_an_upload_whose_source_breaks_is_aborted(server: S3Server) -> None:
    def parts() -> Iterator[bytes]:
        yield from BIG
        raise OSError("the spool is gone")

    with pytest.raises(OSError, match="the spool is gone"):
        store_at(server).put_parts("clips/a", parts())
    assert open_uploads(server) == []


def test_an_upload_whose_part_is_refused_is_aborted(server: S3Server, proxy: FaultyProxy) -> None:
    refusal = (400, b"<Error><Code>BadDigest</Code><Message>bytes were lost</Message></Error>")
    proxy.faults.append(Fault(is_part, forwarded=False, answer=refusal))
    with pytest.raises(Unreachable, match="BadDigest"):
        store_at(server, endpoint=proxy.endpoint).put_parts("clips/a", BIG)
    assert open_uploads(server) == []
    assert store_at(server).list() == []


# Answers that get lost ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size_bytes", "request_kind"), [(100, is_put_of_an_object), (SINGLE_PUT_BYTES + 1, is_completion)]
)
def test_a_conditional_write_whose_answer_is_lost_knows_its_own_object(
    server: S3Server, proxy: FaultyProxy, size_bytes: int, request_kind: Any
) -> None:
    proxy.faults.append(Fault(request_kind))
    store = store_at(server, endpoint=proxy.endpoint, attempts=3)
    data = bytes(size_bytes)
    assert store.put("clips/a", data, if_absent=True).size_bytes == size_bytes
    assert len([request for request in proxy.seen if request_kind(*request)]) == 2
    assert store.get("clips/a") == data
    assert open_uploads(server) == []


def test_a_part_whose_answer_is_lost_is_sent_again(server: S3Server, proxy: FaultyProxy) -> None:
    proxy.faults.append(Fault(is_part))
    store = store_at(server, endpoint=proxy.endpoint)
    store.put_parts("clips/a", BIG)
    assert store.get("clips/a") == b"".join(BIG)


def test_a_write_at_the_same_moment_is_tried_again(server: S3Server, proxy: FaultyProxy) -> None:
    proxy.faults.append(Fault(is_put_of_an_object, forwarded=False, answer=CONFLICT))
    store = store_at(server, endpoint=proxy.endpoint)
    store.put("a", b"1", if_absent=True)
    assert store.get("a") == b"1"


@pytest.mark.parametrize(("size_bytes", "kind"), [(100, is_put_of_an_object), (SINGLE_PUT_BYTES + 1, is_completion)])
def test_a_write_that_is_told_of_a_conflict_with_itself_has_succeeded(
    server: S3Server, proxy: FaultyProxy, size_bytes: int, kind: Any
) -> None:
    proxy.faults.append(Fault(kind, answer=CONFLICT))
    store = store_at(server, endpoint=proxy.endpoint)
    store.put("a", bytes(size_bytes), if_absent=True)
    assert store.stat("a").size_bytes == size_bytes
    assert open_uploads(server) == []


@pytest.mark.parametrize("winner_is_there", [True, False])
def test_a_completion_at_the_same_moment_loses_or_can_be_tried_again(
    server: S3Server, proxy: FaultyProxy, winner_is_there: bool
) -> None:
    proxy.faults.append(Fault(is_completion, forwarded=False, answer=CONFLICT))
    store = store_at(server, endpoint=proxy.endpoint)

    def parts() -> Iterator[bytes]:
        yield from BIG
        if winner_is_there:
            store.put("clips/a", b"winner")

    with pytest.raises(ObjectExists if winner_is_there else Unreachable):
        store.put_parts("clips/a", parts(), if_absent=True)
    assert open_uploads(server) == []


def test_an_answer_that_breaks_off_is_read_on_where_it_broke(server: S3Server, proxy: FaultyProxy) -> None:
    data = bytes(range(256)) * 8192
    store = store_at(server, endpoint=proxy.endpoint)
    store.put("a", data)
    for read in (lambda: store.get("a"), lambda: b"".join(store.stream("a", chunk_bytes=100_000))):
        proxy.faults.append(Fault(lambda method, _: method == "GET", times=2, body_bytes=500_000))
        assert read() == data


def test_a_stream_never_mixes_two_objects(server: S3Server, proxy: FaultyProxy) -> None:
    store = store_at(server, endpoint=proxy.endpoint)
    store.put("a", b"1" * 1_000_000)
    proxy.faults.append(Fault(lambda method, _: method == "GET", body_bytes=500_000))
    reading = store.stream("a", chunk_bytes=100_000)
    assert next(reading) == b"1" * 100_000
    store.put("a", b"2" * 1_000_000)
    with pytest.raises(Unreachable, match="replaced while it was read"):
        list(reading)


# Settings that cannot work --------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", ["access_key", "secret_key"])
def test_wrong_credentials_are_named(server: S3Server, wrong: str) -> None:
    settings = server.settings().model_copy(update={f"objects_{wrong}": "wrong-wrong-wrong"})
    store = open_store(settings)
    for use in (store.check, lambda: store.put("a", b""), lambda: store.get("a"), lambda: store.stat("a")):
        with pytest.raises(Misconfigured, match=r"refuses.*AWS_ACCESS_KEY_ID"):
            use()


def test_missing_credentials_are_named(server: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(Misconfigured, match=r"no credentials.*AWS_ACCESS_KEY_ID"):
        open_store(Settings(objects_url=server.url())).put("a", b"")


def test_a_missing_bucket_is_named_with_the_remedy(server: S3Server) -> None:
    store = store_at(server, bucket="nobody-made-it")
    for use in (store.check, lambda: store.put("a", b""), store.list):
        with pytest.raises(Misconfigured, match=r"nobody-made-it.*create the bucket"):
            use()


@pytest.mark.parametrize(
    ("question", "answer", "what"),
    [
        ("?versioning", b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>", "is versioned"),
        (
            "?object-lock",
            b"<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>",
            "has object lock",
        ),
    ],
)
def test_a_bucket_that_keeps_what_is_erased_is_refused(
    server: S3Server, proxy: FaultyProxy, question: str, answer: bytes, what: str
) -> None:
    proxy.faults.append(Fault(lambda _, path: question in path, forwarded=False, answer=(200, answer)))
    with pytest.raises(Misconfigured, match=f"{what}.*bucket"):
        store_at(server, endpoint=proxy.endpoint).check()


@pytest.mark.parametrize(
    ("nth", "kind", "what"), [(1, is_put_of_an_object, "PUT with"), (0, is_completion, "multipart completion")]
)
def test_a_server_that_ignores_conditions_is_refused(
    server: S3Server, proxy: FaultyProxy, nth: int, kind: Any, what: str
) -> None:
    def ignored(method: str, path: str) -> bool:
        return kind(method, path) and len([request for request in proxy.seen if kind(*request)]) > nth

    answer = b"<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>"
    proxy.faults.append(Fault(ignored, forwarded=False, answer=(200, answer)))
    with pytest.raises(Misconfigured, match=f"ignores.*{what}"):
        store_at(server, endpoint=proxy.endpoint).check()
    assert store_at(server).list() == []
    assert open_uploads(server) == []


@pytest.mark.parametrize(
    "url",
    [
        "s3://",
        "s3:///prefix",
        "s3://Upper-Case",
        "s3://key:secret@bucket",
        "s3://bucket?endpoint=ftp://host",
        "s3://bucket?endpoint=127.0.0.1:9000",
        "s3://bucket?endpoint=http://host:port",
        "s3://bucket?endpoint=http://key:secret@host",
        "s3://bucket?colour=red",
        "s3://bucket?addressing=round",
        "s3://bucket/a/../b",
        "s3://bucket/" + "p" * 101,
        "s3://bucket#fragment",
        "s3://bucket?nonsense",
    ],
)
def test_a_url_that_cannot_be_is_refused_without_showing_a_secret(url: str) -> None:
    with pytest.raises(Misconfigured, match=r"LONGTAIL_OBJECTS_URL.*s3://BUCKET") as refused:
        parse_location(url)
    assert "secret" not in str(refused.value)


# What S3 adds ---------------------------------------------------------------------------------------------------


def test_links_read_the_object_without_credentials(server: S3Server) -> None:
    store = store_at(server, prefix="fleet/")
    store.put("clips/a=1/b.mcap", b"clip")
    link = store.link("clips/a=1/b.mcap", expires_s=60)
    assert httpx.get(link, timeout=60).content == b"clip"
    assert httpx.get(link.replace("b.mcap", "c.mcap"), timeout=60).status_code == 403


def test_prefixes_are_stores_of_their_own(server: S3Server) -> None:
    one, two = store_at(server, prefix="one/"), store_at(server, prefix="two/")
    one.put("a", b"1")
    two.put("b", b"2")
    assert [info.key for info in one.list()] == ["a"]
    assert [info.key for info in two.list("", after="a")] == ["b"]
    assert {info.key for info in store_at(server).list()} == {"one/a", "two/b"}


def test_uploads_of_other_prefixes_are_left_alone(server: S3Server) -> None:
    server.client().create_multipart_upload(Bucket=server.bucket, Key="other/a")
    assert store_at(server, prefix="one/").remove_leftovers(older_than_s=-60) == 0
    assert open_uploads(server) == ["other/a"]


def test_large_objects_are_uploaded_in_parts_and_small_ones_at_once(server: S3Server, proxy: FaultyProxy) -> None:
    store = store_at(server, endpoint=proxy.endpoint)
    store.put_parts("small", [bytes(MIN_PART_BYTES), bytes(SINGLE_PUT_BYTES - MIN_PART_BYTES)])
    assert not [request for request in proxy.seen if is_part(*request)]
    store.put("large", bytes(SINGLE_PUT_BYTES + 1))
    assert len([request for request in proxy.seen if is_part(*request)]) == 3


@pytest.mark.parametrize("lengths", [[], [0], [1], [10], [3, 4, 3, 1], [25], [9, 2], [10, 10], [5, 20, 5]])
def test_regrouped_parts_are_the_same_bytes_in_equal_parts(lengths: list[int]) -> None:
    data = bytes(range(sum(lengths)))
    cuts = [sum(lengths[:index]) for index in range(len(lengths) + 1)]
    parts = list(regrouped([data[start:end] for start, end in pairwise(cuts)], 10))
    assert b"".join(parts) == data
    assert all(len(part) == 10 for part in parts[:-1])
    assert all(0 < len(part) <= 10 for part in parts)
