"""API and gateway without a database: enough for all that is decided before one is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.applications import Starlette

from fleet_api.api.app import create_app as create_api
from fleet_api.deployment.keys import ensure_signing_key
from ingest.gateway.app import create_app as create_gateway
from storage.settings import Settings

NOWHERE = "postgresql://somebody@127.0.0.1:9/hidden"


def api_application(data_dir: Path, **changes: Any) -> FastAPI:
    """An API whose database does not answer."""
    settings = Settings(database_url=NOWHERE, data_dir=data_dir, **changes)
    ensure_signing_key(settings)
    return create_api(settings)


def gateway_application(**changes: Any) -> Starlette:
    """A gateway whose database does not answer."""
    return create_gateway(Settings(database_url=NOWHERE, **changes))
