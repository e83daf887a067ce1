"""The location that an `s3://BUCKET/PREFIX?endpoint=...&region=...` URL names, and the boto3 client for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from storage.objects.contract import checked_key
from triggers.errors import InvalidInput, Misconfigured

MAX_PREFIX_BYTES = 100
"""S3 allows keys of 1,024 bytes, of which the contract's keys take up to 900."""
CONNECT_TIMEOUT_S = 5
TIMEOUT_S = 15.0
"""How long the server may be silent in the middle of a request."""
_CONNECTIONS = 32
_DEFAULT_REGION = "us-east-1"  # what servers that are not Amazon's sign for
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_OPTIONS = frozenset({"endpoint", "region", "ca_file", "addressing"})
_REMEDY = (
    "set LONGTAIL_OBJECTS_URL to s3://BUCKET/PREFIX?endpoint=https://HOST:PORT&region=REGION (all but BUCKET optional)"
)


@dataclass(frozen=True, slots=True)
class S3Location:
    """A bucket, where it is, and the part of it that is ours."""

    bucket: str
    prefix: str = ""
    """Comes before every key; empty, or ends in a slash."""
    endpoint: str = ""
    """URL of the server; empty: Amazon's, for the region."""
    region: str = ""
    """Empty: that of the AWS configuration, else us-east-1."""
    ca_file: str = ""
    """PEM file of the authority that the server's certificate must be from; empty: those that boto3 trusts."""
    virtual_hosts: bool = False
    """Address the bucket as BUCKET.HOST also at a custom endpoint (at Amazon's it always is)."""

    def target(self, key: str) -> dict[str, str]:
        """What a request names an object by."""
        return {"Bucket": self.bucket, "Key": self.prefix + checked_key(key)}

    def __str__(self) -> str:
        at = f" at {_shown(self.endpoint)}" if self.endpoint else ""
        return f"s3://{self.bucket}/{self.prefix}{at}"


def parse_location(url: str) -> S3Location:
    """The location of an `s3:` URL; Misconfigured, naming the setting, when it cannot be one."""
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise _misconfigured(
            "it carries credentials, which belong in LONGTAIL_OBJECTS_ACCESS_KEY and LONGTAIL_OBJECTS_SECRET_KEY", url
        )
    if not _BUCKET.fullmatch(parts.netloc):
        raise _misconfigured(f"{parts.netloc!r} is not the name of a bucket", url)
    try:
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError as error:
        raise _misconfigured(f"its options cannot be read ({error})", url) from error
    unknown = options.keys() - _OPTIONS | ({parts.fragment} if parts.fragment else set())
    if unknown:
        raise _misconfigured(f"its options may be {', '.join(sorted(_OPTIONS))}, not {sorted(unknown)}", url)
    if options.get("addressing", "path") not in {"path", "virtual"}:
        raise _misconfigured(f"addressing is path or virtual, not {options['addressing']!r}", url)
    return S3Location(
        bucket=parts.netloc,
        prefix=_prefix(unquote(parts.path), url),
        endpoint=_endpoint(options.get("endpoint", ""), url),
        region=options.get("region", ""),
        ca_file=options.get("ca_file", ""),
        virtual_hosts=options.get("addressing") == "virtual",
    )


def connect(location: S3Location, *, access_key: str, secret_key: str, attempts: int, timeout_s: float) -> Any:
    """A client of boto3 (safe to share between threads); without keys it looks for credentials where boto3 does."""
    try:
        session = boto3.session.Session(
            aws_access_key_id=access_key or None,
            aws_secret_access_key=secret_key or None,
            region_name=location.region or None,
        )
        return session.client(
            "s3",
            endpoint_url=location.endpoint or None,
            region_name=session.region_name or _DEFAULT_REGION,
            verify=location.ca_file or None,
            config=_client_config(location, attempts, timeout_s),
        )
    except (BotoCoreError, ValueError) as error:
        raise Misconfigured(f"LONGTAIL_OBJECTS_URL: {location} cannot be opened ({error})", remedy=_REMEDY) from error


def _client_config(location: S3Location, attempts: int, timeout_s: float) -> Config:
    path_style = location.endpoint and not location.virtual_hosts
    return Config(
        signature_version="s3v4",
        connect_timeout=min(CONNECT_TIMEOUT_S, timeout_s),
        read_timeout=timeout_s,
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=_CONNECTIONS,
        s3={"addressing_style": "path" if path_style else "virtual"},
        request_checksum_calculation="when_supported",
        response_checksum_validation="when_supported",
    )


def _prefix(path: str, url: str) -> str:
    stripped = path.strip("/")
    if not stripped:
        return ""
    try:
        checked_key(stripped)
    except InvalidInput as error:
        raise _misconfigured(f"its prefix breaks the rules of keys ({error.message})", url) from error
    if len(stripped) > MAX_PREFIX_BYTES:
        raise _misconfigured(f"its prefix is longer than {MAX_PREFIX_BYTES} bytes", url)
    return stripped + "/"


def _endpoint(endpoint: str, url: str) -> str:
    try:
        parts = urlsplit(endpoint)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0 and "@" not in parts.netloc
    except ValueError:  # brackets that do not match, a port that is not a number
        usable = False
    if endpoint and (not usable or parts.query or parts.fragment):
        raise _misconfigured(f"its endpoint is not http(s)://HOST:PORT: {_shown(endpoint)!r}", url)
    return endpoint


def _shown(url: str) -> str:
    """The URL without credentials, wherever they were written in it."""
    return re.sub(r"//[^/?@]*@", "//***@", url)


def _misconfigured(why: str, url: str) -> Misconfigured:
    return Misconfigured(f"LONGTAIL_OBJECTS_URL {_shown(url)!r}: {why}", remedy=_REMEDY)
