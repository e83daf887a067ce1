"""S3 for the tests: S3Proxy over a directory, with one bucket. Its port and its objects outlive `stop` and `kill`."""

from __future__ import annotations

import http.client
import secrets
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from storage.settings import Settings
from tests.support.servers.java_server import class_path, free_ports
from tests.support.servers.kept_server import KeptServer

BUCKET = "longtail"
_PROBE_S = 2.0
# Its DEBUG log, which is on without this file, makes it eight times slower.
_LOGBACK = """<configuration>
  <appender name="OUT" class="ch.qos.logback.core.ConsoleAppender"><encoder><pattern>%d %-5p %c - %m%n</pattern></encoder></appender>
  <root level="WARN"><appender-ref ref="OUT" /></root>
</configuration>
"""  # noqa: E501


class S3Server(KeptServer):
    """An S3 server that keeps everything in `folder` and knows one pair of keys."""

    def __init__(
        self, folder: Path, *, bucket: str = BUCKET, holders: Path | None = None, optimised: bool = False
    ) -> None:
        super().__init__(folder, holders=holders, optimised=optimised)
        self.bucket = bucket
        self.access_key = "test-" + secrets.token_hex(8)
        self.secret_key = secrets.token_urlsafe(24)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def url(self, prefix: str = "") -> str:
        """What LONGTAIL_OBJECTS_URL takes."""
        return f"s3://{self.bucket}/{prefix}?endpoint={self.endpoint}"

    def settings(self, prefix: str = "") -> Settings:
        """Settings of the product that name this server, and nothing else."""
        return Settings(
            objects_url=self.url(prefix), objects_access_key=self.access_key, objects_secret_key=self.secret_key
        )

    def client(self) -> Any:
        """A bare boto3 client, for what the product's own store does not do."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(s3={"addressing_style": "path"}),
        )

    def state(self) -> dict[str, Any]:
        return super().state() | {"access_key": self.access_key, "secret_key": self.secret_key}

    def restore(self, state: dict[str, Any]) -> None:
        super().restore(state)
        self.access_key, self.secret_key = state["access_key"], state["secret_key"]

    def _prepare(self, attempt: int) -> list[int]:
        (self.folder / "buckets").mkdir(exist_ok=True)
        (self.folder / "logback.xml").write_text(_LOGBACK)
        ports = free_ports(1)
        properties = self.folder / "s3proxy.properties"
        properties.touch(mode=0o600)
        properties.write_text("".join(f"{key}={value}\n" for key, value in self._properties(ports[0]).items()))
        return ports

    def _arguments(self) -> list[str]:
        options = ["-Xmx512m", f"-Dlogback.configurationFile={self.folder / 'logback.xml'}"]
        program = ["-cp", class_path("s3proxy"), "org.gaul.s3proxy.Main"]
        return [*options, *program, "--properties", str(self.folder / "s3proxy.properties")]

    def _after_first_start(self) -> None:
        self.client().create_bucket(Bucket=self.bucket)

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PROBE_S)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status > 0
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _properties(self, port: int) -> dict[str, str]:
        return {
            "s3proxy.endpoint": f"http://127.0.0.1:{port}",
            "s3proxy.authorization": "aws-v2-or-v4",
            "s3proxy.identity": self.access_key,
            "s3proxy.credential": self.secret_key,
            "jclouds.provider": "filesystem-nio2",
            "jclouds.identity": "unused",
            "jclouds.credential": "unused",
            "jclouds.filesystem.basedir": str(self.folder / "buckets"),
        }
