#!/usr/bin/env python3
"""`make servers`: PostgreSQL, Apache Kafka and S3 on this machine for manual use, until Ctrl-C.

`python -m tools.servers [--data DIR]` prints the settings that point Longtail at them, as lines for a shell. Without
`--data` everything is new, and removed at the end; with it, data and settings are kept from one run to the next.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import signal
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

from storage.embedded import EmbeddedPostgres, scratch_dir
from tests.support.servers.java_server import JavaMissing, ServerFailed, java
from tests.support.servers.kafka_server import KafkaServer
from tests.support.servers.s3_server import S3Server
from tools.fetch_jars import JarsChanged, JarsMissing
from triggers.errors import LongtailError

_LOOK_S = 1.0
_NO_USE = (JavaMissing, JarsMissing, JarsChanged, ServerFailed, LongtailError)


def settings(postgres: EmbeddedPostgres, kafka: KafkaServer, s3: S3Server) -> dict[str, str]:
    """The environment variables that name the three servers."""
    return {
        "LONGTAIL_DATABASE_URL": postgres.url,
        "LONGTAIL_LOG_URL": f"kafka://{kafka.bootstrap}",
        "LONGTAIL_OBJECTS_URL": s3.url(),
        "LONGTAIL_OBJECTS_ACCESS_KEY": s3.access_key,
        "LONGTAIL_OBJECTS_SECRET_KEY": s3.secret_key,
    }


def serve(data: Path, stop: threading.Event) -> int:
    """Run the three until `stop`, or until one of them ends; returns the exit status."""
    java()
    postgres = EmbeddedPostgres(data / "postgres")
    kafka, s3 = KafkaServer(data / "kafka", optimised=True), S3Server(data / "s3", optimised=True)
    state = data / "servers.json"
    if state.exists():
        kept = json.loads(state.read_text())
        kafka.restore(kept["kafka"])
        s3.restore(kept["s3"])
    with postgres, kafka, s3:
        state.touch(mode=0o600)
        state.write_text(json.dumps({"kafka": kafka.state(), "s3": s3.state()}))
        for name, value in settings(postgres, kafka, s3).items():
            sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
        sys.stdout.flush()
        sys.stderr.write(
            f"PostgreSQL, Kafka and S3 are running, with their data in {data}. Press Ctrl-C to stop them.\n"
        )
        while not stop.wait(_LOOK_S):
            for server in (kafka, s3):
                if not server.is_running():
                    sys.stderr.write(f"{type(server).__name__} has ended; its log is {server.log}\n")
                    return 1
        for server in (kafka, s3):
            server.stop()
    return 0


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make servers", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="keep data and settings in this directory")
    options = parser.parse_args(argv)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with ExitStack() as stack:
        data = options.data.absolute() if options.data else scratch_dir("longtail-servers-")
        if not options.data:
            stack.callback(shutil.rmtree, data, ignore_errors=True)
        try:
            return serve(data, stop)
        except _NO_USE as problem:
            sys.stderr.write(f"servers: {problem}\n")
            return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
