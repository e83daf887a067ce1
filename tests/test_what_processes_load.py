"""Processes that run for months load what they need to start, and nothing that only a child or one request needs.

What once went wrong: the loop that queues vectors took its embedding's id from the file that computes vectors. So
`ingest` loaded numpy, pyarrow and (by way of it) pandas, none of which it uses: 260 MB at rest instead of 113, and a
second and a half of every start. Likewise every process loaded Alembic to ask whether the schema is current.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys

import pytest

from tests.support.paths import REPOSITORY

ARRAYS = ("numpy", "pandas", "pyarrow")
MEDIA = ("av", "mcap", "lz4")
SERVERS = ("sqlalchemy", "psycopg", "fastapi", "uvicorn")
WHY = {
    "numpy": "arrays belong to the children that read clips, to backtests, and to the request that needs them",
    "pandas": "nothing needs it but `to_pandas` of the client",
    "pyarrow": "Parquet is read and written in children, and by the request that needs it",
    "wasmtime": "programs run on vehicles, and in processes of their own for scans and backtests",
    "alembic": "only migrating needs it: `storage.diagnosis.schema` tells whether the schema is current",
    "boto3": "only a deployment with a bucket needs it, as `storage.objects` decides",
    "kafka": "only a deployment with Kafka needs it, as `ingest.log` decides",
    "av": "pictures are decoded in children, and by vehicles that play drives",
    "mcap": "clips are written by vehicles and read by children",
    "lz4": "clips are read by children",
    "sqlalchemy": "it has no database",
    "psycopg": "it has no database",
    "fastapi": "only the API is made with it",
    "uvicorn": "it serves no HTTP",
    "mcp": "it is what the server is tested against, and no part of it",
    "httpx": "only what asks a deployment needs it",
    "multiprocessing.forkserver": "only the API has processes that compile and scan",
}
UNUSED_EVERYWHERE = (*ARRAYS, "wasmtime", "alembic", "boto3", "kafka", *MEDIA)
OF_PROCESSES = {
    "api": UNUSED_EVERYWHERE,
    "gateway": (*UNUSED_EVERYWHERE, "fastapi", "multiprocessing.forkserver"),
    "ingest": (*UNUSED_EVERYWHERE, "fastapi", "multiprocessing.forkserver"),
    "signer": (*UNUSED_EVERYWHERE, *SERVERS, "multiprocessing.forkserver"),
}
"""By command: what must not be loaded once the process has imported all that it starts with."""
OF_MODULES = {
    "triggers.vehicle.agent": ("pandas", "pyarrow", "alembic", "boto3", "kafka", "av", *SERVERS),
    "fleet_api.deployment.deployment": (*UNUSED_EVERYWHERE, "fastapi"),
    "fleet_api.client": (*UNUSED_EVERYWHERE, *SERVERS),
    "fleet_api.agents.server": (*ARRAYS, "wasmtime", "alembic", "boto3", "kafka", *SERVERS, "httpx", "mcp"),
    "triggers.statistics.versions": (*UNUSED_EVERYWHERE, *SERVERS),
    "triggers.statistics.budget_forecast.forecast": (*UNUSED_EVERYWHERE, *SERVERS),
    "ingest.extraction.sandbox.starter": (*UNUSED_EVERYWHERE, *SERVERS, "pydantic"),
}
"""The same of what runs on a vehicle, of `longtail up`, of the client library, of statistics that the API answers with,
of the server for models, and of the process that stays root."""


def loaded(code: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after this code."""
    ending = "\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code + ending], cwd="/", capture_output=True, text=True, check=True, timeout=120
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def imports_of(command: str) -> str:
    """What a process imports when its command runs: every import in its function, and in those that it calls."""
    source = (REPOSITORY / "fleet_api/cli/deployment/processes.py").read_text("utf-8")
    functions = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
    called, imports = [command], ["import fleet_api.cli.deployment.processes"]
    for name in called:  # grows meanwhile
        for node in ast.walk(functions[name]):
            if isinstance(node, ast.Import | ast.ImportFrom):
                imports.append(ast.unparse(node))
            if isinstance(node, ast.Name) and node.id in functions and node.id not in called:
                called.append(node.id)
    return "\n".join(imports)


def complaint(modules: set[str], unwanted: tuple[str, ...], who: str) -> str:
    """What is loaded that should not be, and why it should not; empty when all is well."""
    found = [name for name in unwanted if name in modules]
    return "; ".join(
        f"{who} loads {name} when it starts: {WHY[name]} (`python -X importtime` shows who imports it)"
        for name in found
    )


@pytest.mark.parametrize("command", OF_PROCESSES)
def test_a_process_starts_without_what_only_its_children_need(command: str) -> None:
    imports = imports_of(command)
    assert len(imports.splitlines()) > 5, "the imports were found"
    modules = loaded(imports)
    assert not complaint(modules, OF_PROCESSES[command], f"`longtail {command}`")


@pytest.mark.parametrize("module", OF_MODULES)
def test_a_part_starts_without_what_others_need(module: str) -> None:
    assert not complaint(loaded(f"import {module}"), OF_MODULES[module], module)


def test_what_is_loaded_in_vain_is_told_with_the_reason() -> None:
    modules = loaded("import sqlalchemy")
    assert complaint(modules, ("sqlalchemy", "alembic"), "the signer").startswith(
        "the signer loads sqlalchemy when it starts: it has no database"
    )


def test_a_process_can_do_without_a_package_that_is_installed() -> None:
    """As if pandas were not there: `pyarrow` then converts without it."""
    modules = loaded(
        "from triggers.processes.refused_imports import refuse_imports\nrefuse_imports('pandas')\n"
        "import pyarrow\nassert pyarrow.array([1.0, 2.0]).to_numpy().sum() == 3"
    )
    assert "pyarrow" in modules and "pandas" not in modules
