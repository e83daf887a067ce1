"""Settings of the cloud side: environment variables `LONGTAIL_*`, read once when a process starts.

Processes get a `Settings` passed in; nothing else reads the environment. `longtail up` fills in what the embedded
parts need and hands the same variables to the processes that it starts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from storage.costs.settings import BudgetSettings, CostSettings
from storage.tiers.rules import parse_tiers
from storage.watching.settings import WatchSettings
from triggers.addresses import is_protected, optional_web_address
from triggers.contracts.checkin import MAX_LIST_LIFETIME_NS
from triggers.contracts.limits import PROGRAM_OPERATIONS, PROGRAM_STATE_BYTES
from triggers.contracts.users import groups_of_roles, roles_of
from triggers.costs.months import zone_named
from triggers.errors import Misconfigured
from triggers.processes.jail.isolation import Isolation
from triggers.remedies import what_is_wrong
from triggers.times import NS_PER_S
from triggers.written_numbers import require_form

MIB = 1024**2
PREFIX = "LONGTAIL_"
_SECRET_ENDINGS = ("_secret_key", "_password", "_token")
_SPREAD = ("oidc_roles", "object_tiers")
"""Rules whose reader lets them be spread over lines."""
_ORIGIN = re.compile(r"https?://[a-z0-9.\[\]:_-]+")
_WORKER_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}")
_USER_PASSWORD = re.compile(r"(//[^/?#@:]*:).*@")
_READERS: dict[str, Callable[[str], object]] = {
    "oidc_roles": groups_of_roles,
    "map_style_url": optional_web_address,
    "position_roles": roles_of,
    "object_tiers": parse_tiers,
    "month_zone": zone_named,
}
AbsolutePath = Annotated[Path, AfterValidator(Path.absolute)]
"""A path means the same in the processes that this one starts, whose working directory is another one."""
_QUERY_PASSWORD = re.compile(r"([?&](?:password|sslpassword)=)[^&#]*")


class Settings(CostSettings, WatchSettings, BudgetSettings):
    """Every setting of the cloud side. The variable of `database_url` is `LONGTAIL_DATABASE_URL`, and so on."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    # Engines
    database_url: str = ""
    """SQLAlchemy URL, `postgresql+psycopg://...`. Empty: `longtail up` starts the embedded PostgreSQL."""
    api_database_url: str = ""
    gateway_database_url: str = ""
    ingest_database_url: str = ""
    """The same database for one process, as its role of `longtail database roles`. Empty: `database_url`."""
    log_url: str = "postgresql:"
    """`postgresql:` keeps the log in the database, `kafka://HOST:PORT[,HOST:PORT...][/PREFIX]` in Apache Kafka."""
    objects_url: str = ""
    """`file:///DIR` keeps objects in a directory, `s3://BUCKET/PREFIX?endpoint=...&region=...` in a bucket.
    Empty: `objects` below the data directory."""
    objects_access_key: Annotated[str, Field(repr=False)] = ""
    objects_secret_key: Annotated[str, Field(repr=False)] = ""
    """Credentials for S3. Empty: looked up as boto3 does, in AWS_* variables, a profile, or the machine's role."""
    objects_timeout_s: Annotated[float, Field(ge=1, le=300)] = 15.0
    """How long S3 may be silent in the middle of a request, before ingest tries it again: twice, and the API once."""
    object_tiers: str = ""
    """The storage class of recordings by age in days, as `30:STANDARD_IA,365:DEEP_ARCHIVE`. Empty: they stay."""
    data_dir: AbsolutePath | None = None
    """Where the embedded parts keep data, the assembler its spool, the deployment its keys."""

    # Addresses
    api_host: str = "127.0.0.1"
    api_port: Annotated[int, Field(ge=0, le=65535)] = 8080
    gateway_host: str = "127.0.0.1"
    gateway_port: Annotated[int, Field(ge=0, le=65535)] = 8081
    ingest_host: str = "127.0.0.1"
    ingest_port: Annotated[int, Field(ge=0, le=65535)] = 8082
    api_url: str = ""
    """Public URL of the API, as users and vehicles reach it. Empty: http://api_host:api_port."""
    gateway_url: str = ""
    """Public URL of the upload gateway. Empty: http://gateway_host:gateway_port."""
    tls_cert_file: AbsolutePath | None = None
    tls_key_file: AbsolutePath | None = None
    """PEM files of the certificate (and those between it and its authority) and its key, for API, gateway and ingest.
    Read again when they change. No key: it is in the certificate's file. No certificate: plain HTTP."""
    tls_client_ca_file: AbsolutePath | None = None
    """PEM file of the authorities that sign clients' certificates; those without one are refused. Empty: none asked."""
    behind_proxy: bool = False
    """Whether a proxy with TLS is the only way to API, gateway and ingest; else plain HTTP is for this machine only."""
    ca_file: AbsolutePath | None = None
    client_cert_file: AbsolutePath | None = None
    """PEM files for commands: the deployment's authority (empty: the machine's), and a certificate and key to show."""
    cors_origins: str = ""
    """Origins whose pages may call API and gateway, separated by commas; `*`: all. Empty: none."""

    connections: Annotated[int, Field(ge=8, le=100_000)] = 2000
    """Connections that API and gateway each hold open; fewer where the process may open fewer files."""
    connections_per_address: Annotated[int, Field(ge=1, le=100_000)] = 500
    """Of these, from one address that is not one of the `proxies`."""
    proxies: str = ""
    """Addresses of reverse proxies, separated by commas: their X-Forwarded-For says where a request comes from."""
    requests_per_token: Annotated[float, Field(gt=0, le=1e6)] = 200.0
    """Requests per second of one token that API and gateway each answer; five times as many at once."""
    requests_per_address: Annotated[float, Field(gt=0, le=1e6)] = 50.0
    """The same for one address, of requests without a valid token, and of new connections, which wait beyond that."""
    api_body_bytes: Annotated[int, Field(ge=32 * MIB)] = 64 * MIB
    """The most bytes of requests' bodies that an API process holds in memory; one caller has an eighth."""

    # Keys and people
    signing_key: AbsolutePath | None = None
    """PEM file of the Ed25519 key with which the deployment signs bundles. Empty: `keys/signing.pem` in data_dir."""
    list_keys: AbsolutePath | None = None
    """Folder with the PEM files of list keys (`list*.pem`). Empty: `keys` in data_dir. Without one, the signing key."""
    signer_socket: AbsolutePath | None = None
    """Socket of `longtail signer`, which signs lists. Empty: the API reads the list keys itself."""
    allow_self_approval: bool = False
    """Whether authors may approve their own submissions without a second person."""
    assignment_ttl_s: Annotated[int, Field(ge=60, le=MAX_LIST_LIFETIME_NS // NS_PER_S)] = 7 * 86400
    assignment_grace_s: Annotated[int, Field(ge=0, le=3650 * 86400)] = 30 * 86400
    """How long after a campaign has ended for a vehicle its fires are still accepted: clips may wait for a network."""
    program_state_bytes: Annotated[int, Field(ge=1)] = PROGRAM_STATE_BYTES
    """State that a campaign's program may have on a vehicle; a signal catalog can only lower it."""
    program_operations: Annotated[int, Field(ge=1)] = PROGRAM_OPERATIONS
    """Operations per tick that a campaign's program may take; a signal catalog can only lower it."""
    author_catalogs: bool = False
    """Whether authors may bring signal catalogs of their own although operators have published some."""
    token_ttl_s: Annotated[int, Field(ge=60)] = 90 * 86400
    """How long a user's token is valid unless it is issued for another time."""
    token_max_ttl_s: Annotated[int, Field(ge=60, le=100 * 366 * 86400)] = 366 * 86400
    """The longest time for which a user's token can be issued."""
    token_overlap_s: Annotated[int, Field(ge=0)] = 7 * 86400
    """How long a user's token stays valid after it was rotated, at most."""
    vehicle_token_ttl_s: Annotated[int, Field(ge=60, le=100 * 366 * 86400)] = 366 * 86400
    """How long a vehicle's token is valid; the vehicle asks for another once half of it is over."""
    enrolment_code_ttl_s: Annotated[int, Field(ge=60, le=30 * 86400)] = 3600
    """How long a vehicle may take to enrol with a one-time code."""

    # Log-in of people by OpenID Connect
    oidc_issuer: str = ""
    """URL of the OpenID provider, as its discovery document spells it. Empty: people have tokens only."""
    oidc_client_id: str = ""
    """The client that the provider knows this deployment by; its redirect URI is `/v1/login/callback` of `api_url`."""
    oidc_client_secret_file: AbsolutePath | None = None
    """File with that client's secret. Empty: a public client, whose log-ins PKCE protects."""
    oidc_command_line_client_id: str = ""
    """The public client of `longtail login`, with loopback redirect URIs (RFC 8252). Empty: the client above."""
    oidc_scopes: str = "openid profile email"
    oidc_name_claim: Annotated[str, Field(min_length=1, max_length=200)] = "preferred_username"
    """The claim of ID tokens that names a person at the first log-in; `email` counts only if it is verified."""
    oidc_groups_claim: Annotated[str, Field(min_length=1, max_length=200)] = "groups"
    """The claim of ID tokens that lists a person's groups."""
    oidc_roles: str = ""
    """The groups that give each role, as JSON: `{"author": ["fleet-authors"], "viewer": ["staff"]}`."""
    oidc_email_domains: str = ""
    """Domains of verified addresses that may log in, separated by commas. Empty: any person of the provider."""
    oidc_ca_file: AbsolutePath | None = None
    """PEM file of the authority that signed the provider's certificate. Empty: those that httpx knows."""
    oidc_session_s: Annotated[int, Field(ge=300, le=86400)] = 8 * 3600
    """How long a log-in is valid, and so how late the loss of a group takes a role away."""
    map_style_url: str = ""
    """Style document of a map server, whose tiles, glyphs and sprites are at its origin. Empty: a plain map."""
    position_roles: str = "viewer,author,approver,operator,labeler"
    """The roles that see precise positions, separated by commas; administrators do. Others see place cells."""
    check_in_staleness_s: Annotated[float, Field(ge=0, le=60)] = 1.0
    """How old what the API remembers of vehicles and campaigns may be, and so how late it notices a revocation."""

    # Users
    api_user: Annotated[str, Field(min_length=1)] = "61001"
    gateway_user: Annotated[str, Field(min_length=1)] = "61002"
    ingest_user: Annotated[str, Field(min_length=1)] = "61003"
    signer_user: Annotated[str, Field(min_length=1)] = "61004"
    """Whom processes become that root starts, by name or number; `root`: they stay. Each must own nothing else."""
    process_group: Annotated[str, Field(min_length=1)] = "61005"
    """The group, by name or number, that API, gateway and ingest then have in common. It may reach the database."""

    # Pools
    database_pool_size: Annotated[int, Field(ge=1, le=200)] = 10
    database_silence_s: Annotated[float, Field(ge=1, le=300)] = 10.0
    """How long a statement may run before the server is asked, over another connection, whether it lives."""

    database_statement_s: Annotated[float, Field(ge=1, le=3600)] = 30.0
    """How long a statement of a request may run before the server ends it."""

    # Log
    log_partitions: Annotated[int, Field(ge=1, le=1024)] = 4
    log_retention_s: Annotated[int, Field(ge=60)] = 3 * 86400
    log_lease_s: Annotated[float, Field(ge=0.5)] = 10.0
    """How long a consumer may be silent before its partitions are given to another."""

    # Kafka
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_sasl_username: str = ""
    kafka_sasl_password: Annotated[str, Field(repr=False)] = ""
    kafka_ca_file: AbsolutePath | None = None
    """PEM file of the authorities that may sign the brokers' certificates; empty: those of this machine."""
    kafka_client_cert_file: AbsolutePath | None = None
    kafka_client_key_file: AbsolutePath | None = None
    """PEM files of the certificate (and its key, if not in the same file) that brokers know this client by."""
    kafka_replication_factor: Annotated[int, Field(ge=1, le=100)] | None = None
    kafka_min_insync_replicas: Annotated[int, Field(ge=1, le=100)] | None = None
    """For topics that are created; empty: the brokers' defaults."""
    kafka_delivery_timeout_s: Annotated[float, Field(ge=1, le=300)] = 30.0
    """How long an append to Kafka may take, retries included, before it is refused and the producer is replaced."""

    # Gateway
    upload_expiry_s: Annotated[int, Field(ge=60)] = 86400
    """How long an upload may stand still before it ends and frees its budget."""
    upload_start_s: Annotated[int, Field(ge=10)] = 900
    """How long a new upload may wait for its first byte; `upload_expiry_s` when that is shorter."""
    vehicle_day_uploads: Annotated[int, Field(ge=1)] = 10_000
    """Uploads that one vehicle may create on a UTC day, whatever campaigns it names."""
    vehicle_day_bytes: Annotated[int, Field(ge=MIB)] = 100 * 1024 * MIB
    """Bytes that one vehicle may send on a UTC day; those of uploads under way are taken until their request ends."""
    closed_upload_s: Annotated[int, Field(ge=86400)] = 30 * 86400
    """How long uploads that ended without a byte are remembered."""
    gateway_in_flight_bytes: Annotated[int, Field(ge=MIB)] = 64 * MIB
    """The most bytes of clips that a gateway process holds in memory; one vehicle has an eighth."""
    offset_store_interval_s: Annotated[float, Field(gt=0)] = 2.0

    junk_before_quarantine: Annotated[int, Field(ge=0)] = 100
    """Damaged clips and refusals of a vehicle in a UTC day after which it is quarantined; 0: never."""

    # Assembler
    worker_id: str = "ingest-0"
    """Static membership in the log's consumer group: a restarted worker of the same name gets its partitions back."""
    spool_bytes: Annotated[int, Field(ge=4 * MIB)] = 2048 * MIB
    park_after_s: Annotated[float, Field(gt=0)] = 60.0
    single_put_bytes: Annotated[int, Field(ge=1)] = 16 * MIB

    # Extraction
    extraction_workers: Annotated[int, Field(ge=0, le=64)] = 2
    extraction_timeout_s: Annotated[float, Field(gt=0)] = 120.0
    extraction_memory_bytes: Annotated[int, Field(ge=64 * MIB)] = 2048 * MIB
    extraction_attempts: Annotated[int, Field(ge=1)] = 3
    extraction_isolation: Isolation = Isolation.REQUIRE
    """Whether to refuse to extract clips where the system cannot contain an extractor that a clip has taken over."""
    extraction_user: Annotated[str, Field(min_length=1)] = "61000"
    """The user, by name or number, that extractors become when ingest runs as root. It must own nothing."""
    derived_share: Annotated[float, Field(ge=0, le=100)] = 0.5
    """What the files derived from a clip may have together, as a share of its bytes (and 256 KiB more)."""
    duplicate_distance: Annotated[float, Field(ge=0, le=2)] = 0.03
    """How near a clip must be to an earlier one to be its duplicate, as the distance of their vectors; 0: none is."""

    @field_validator("*", mode="before")
    @classmethod
    def _as_written(cls, value: object, info: ValidationInfo) -> object:
        """In the form of its kind. Empty is not set, where a setting may be unset: a path would otherwise be the
        working directory."""
        name = info.field_name or ""
        kinds = _kinds_of(cls.model_fields[name].annotation)
        if value == "" and type(None) in kinds:
            return None
        if isinstance(value, str) and name not in _SPREAD:
            require_form(value, kinds, is_secret=is_secret(name))
        return value

    @field_validator("database_url", "api_database_url", "gateway_database_url", "ingest_database_url")
    @classmethod
    def _with_driver(cls, value: str) -> str:
        """`postgresql://` (as most people write it) means the one driver that is installed."""
        for scheme in ("postgresql://", "postgres://"):
            if value.startswith(scheme):
                return "postgresql+psycopg://" + value.removeprefix(scheme)
        if value and not value.startswith("postgresql+psycopg://"):
            raise ValueError("must be a postgresql:// URL")
        return value

    @field_validator("api_url", "gateway_url")
    @classmethod
    def _address(cls, value: str) -> str:
        """Vehicles and users are told these addresses, and a path of the API is appended to them."""
        try:
            parts = urlsplit(value)
            usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            usable = False
        if value and (not usable or parts.query or parts.fragment or not value.isascii() or re.search(r"\s", value)):
            raise ValueError("must be an address such as https://fleet.example or http://10.0.0.5:8080/longtail")
        return value

    @field_validator("oidc_issuer")
    @classmethod
    def _issuer(cls, value: str) -> str:
        """What the provider says decides who may do what, so nobody on the way may change it."""
        if value and (not is_protected(value) or "?" in value or "#" in value):
            raise ValueError("must be an https:// URL such as https://login.example/realms/fleet")
        return value

    @field_validator(*_READERS)
    @classmethod
    def _readable(cls, value: str, info: ValidationInfo) -> str:
        """A rule that cannot be read, or names a role or class that does not exist, would silently do nothing."""
        _READERS[info.field_name or ""](value)
        return value

    @field_validator("worker_id")
    @classmethod
    def _name(cls, value: str) -> str:
        """It is a member of the log's group, and a folder of the spool."""
        if not _WORKER_ID.fullmatch(value):
            raise ValueError("must be 1 to 200 of A-Z a-z 0-9 . _ -, and not begin with a point")
        return value

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: str) -> str:
        """An origin is compared as the browser sends it: scheme, host and port, without a path."""
        for origin in filter(None, map(str.strip, value.split(","))):
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is not an origin such as https://fleet.example or http://localhost:5173")
        return value

    @field_validator("proxies")
    @classmethod
    def _addresses(cls, value: str) -> str:
        """Names and networks are not compared with the address of a connection."""
        for address in filter(None, map(str.strip, value.split(","))):
            ip_address(address)  # ValueError says what is wrong
        return value

    @classmethod
    def load(cls, **overrides: object) -> Settings:
        """Settings from the environment, `overrides` first; Misconfigured names the variable that is wrong."""
        try:
            return cls(**overrides)  # type: ignore[arg-type]
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            name, value = str(first["loc"][0]), first["input"]
            got = "***" if is_secret(name) else repr(shown_url(value) if isinstance(value, str) else value)
            raise Misconfigured(f"{PREFIX}{name.upper()}: {what_is_wrong(first)} (got {got})") from error

    def require_data_dir(self) -> Path:
        """The data directory, or Misconfigured naming the setting."""
        if self.data_dir is None:
            raise Misconfigured("no data directory is set", remedy=f"set {PREFIX}DATA_DIR to a writable directory")
        return self.data_dir

    def require_database_url(self) -> str:
        """The database's URL, or Misconfigured naming the setting."""
        if not self.database_url:
            raise Misconfigured(
                "no database is set", remedy=f"set {PREFIX}DATABASE_URL=postgresql://USER@HOST/DB, or use `longtail up`"
            )
        return self.database_url

    def effective_objects_url(self) -> str:
        """The object store's URL; by default a directory below the data directory."""
        return self.objects_url or (self.require_data_dir() / "objects").absolute().as_uri()

    def effective_signing_key(self) -> Path:
        """The signing key's file; by default in the data directory."""
        return self.signing_key or self.require_data_dir() / "keys" / "signing.pem"

    def effective_list_keys(self) -> Path | None:
        """The folder of the list keys; None if neither it nor a data directory is set."""
        return self.list_keys or (self.data_dir / "keys" if self.data_dir else None)

    @property
    def scheme(self) -> str:
        """What the listeners speak."""
        return "https" if self.tls_cert_file else "http"

    def effective_api_url(self) -> str:
        """Where users and vehicles reach the API."""
        return self.api_url or f"{self.scheme}://{self.api_host}:{self.api_port}"

    def effective_gateway_url(self) -> str:
        """Where vehicles reach the upload gateway."""
        return self.gateway_url or f"{self.scheme}://{self.gateway_host}:{self.gateway_port}"

    def effective_ingest_url(self) -> str:
        """Where ingest tells whether it works."""
        return f"{self.scheme}://{self.ingest_host}:{self.ingest_port}"

    def allowed_origins(self) -> tuple[str, ...]:
        """The origins whose pages may call API and gateway."""
        return tuple(filter(None, map(str.strip, self.cors_origins.split(","))))

    def trusted_proxies(self) -> tuple[str, ...]:
        """The addresses of reverse proxies whose word counts on where a request comes from."""
        return tuple(filter(None, map(str.strip, self.proxies.split(","))))

    def environment(self) -> dict[str, str]:
        """This process's environment with these settings in it, for a child process."""
        own = {
            PREFIX + name.upper(): str(value)
            for name, value in self.model_dump(mode="json").items()
            if value is not None
        }
        variables = {PREFIX + name.upper() for name in type(self).model_fields}
        others = {name: value for name, value in os.environ.items() if name not in variables}
        return {**others, **own}  # a setting that is None here must not reach the child from our environment


def _kinds_of(annotation: Any) -> set[object]:
    """The plain types of a setting: `{int, NoneType}` for `Annotated[int, ...] | None`."""
    return {annotation}.union(*map(_kinds_of, get_args(annotation)))


def is_secret(name: str) -> bool:
    """Whether the value of this setting may be shown to nobody: of a text, by what its name ends with."""
    return name.endswith(_SECRET_ENDINGS) and str in _kinds_of(Settings.model_fields[name].annotation)


def shown_url(url: str) -> str:
    """A URL as messages and logs may show it, and as `psql` takes it: without its password and our driver."""
    shown = url.replace("postgresql+psycopg://", "postgresql://", 1)
    return _QUERY_PASSWORD.sub(r"\1***", _USER_PASSWORD.sub(r"\1***@", shown, count=1))
