"""What a measurement ran on: the machine, how busy it was, and the versions of everything that took part."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from storage.embedded.binaries import installed_binaries
from tests.support.servers.java_server import java
from tools import fetch_jars

PACKAGES = (
    "kafka-python", "boto3", "psycopg", "sqlalchemy", "httpx", "uvicorn", "pyarrow", "numpy",
    "wasmtime", "numba", "polars", "duckdb", "rtamt",
)  # fmt: skip
_SERVERS = {"Apache Kafka": ("kafka", "kafka-server"), "S3Proxy": ("s3proxy", "s3proxy")}


def machine() -> dict[str, str | int | float]:
    """Processor, cores, memory and system."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count() or 1,
        "memory_gib": round(psutil.virtual_memory().total / 1024**3, 1),
        "system": f"{platform.system()} {platform.release()}",
        "niceness": os.nice(0),
    }


def load() -> tuple[float, float, float]:
    """The load averages of 1, 5 and 15 minutes: above the number of cores, other processes took part of the time."""
    return os.getloadavg()


def versions(*, with_java: bool) -> dict[str, str]:
    """Versions of the interpreter, the clients, PostgreSQL and (where they are used) the Java servers."""
    found = {"Python": platform.python_version()}
    found |= {package: _package_version(package) for package in PACKAGES}
    found["PostgreSQL"] = installed_binaries().version()
    if with_java:
        found |= {name: _jar_version(*where) for name, where in _SERVERS.items()}
        found["Java"] = _java_version()
    return found


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    named = re.search(r"^model name\s*: (.+)$", info.read_text(), re.MULTILINE) if info.exists() else None
    return named.group(1) if named else platform.processor() or platform.machine()


def _package_version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # RTAMT does not load in Python 3.13
        return "not for this Python"


def _jar_version(name: str, artifact: str) -> str:
    """The version in the name of the artifact's jar, as `kafka-server-4.1.0.jar` has it."""
    for jar in sorted(fetch_jars.jars(name).glob(f"{artifact}-*.jar")):
        if named := re.fullmatch(rf"{artifact}-(\d[\w.]*)\.jar", jar.name):
            return named.group(1)
    return "unknown"


def _java_version() -> str:
    said = subprocess.run([java(), "-version"], capture_output=True, check=True, timeout=60, text=True)
    return said.stderr.splitlines()[0]
