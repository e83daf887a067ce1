"""Settings of watching: where `/metrics` is served and to whom, and the form of logs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings

MIN_TOKEN_CHARACTERS = 16
LogFormat = Literal["text", "json"]
Port = Annotated[int, Field(ge=0, le=65535)]


class WatchSettings(BaseSettings):
    """The part of `storage.settings.Settings` that is about watching."""

    metrics_token: Annotated[str, Field(repr=False, pattern=rf"^$|^[\x21-\x7e]{{{MIN_TOKEN_CHARACTERS},200}}$")] = ""
    """Whoever sends it as a bearer token may read `/metrics`. Empty: `/metrics` is served on ports of its own only."""
    metrics_host: str = "127.0.0.1"
    api_metrics_port: Port | None = None
    gateway_metrics_port: Port | None = None
    ingest_metrics_port: Port | None = None
    """A port of its own for the metrics of each process. Empty: none."""
    log_format: LogFormat = "text"
    """Whether lines of the processes' logs are text for people, or JSON with the ids that they are about."""
