"""The settings of one process: its own database URL, and no credentials of others."""

from __future__ import annotations

from storage.settings import Settings

_CREDENTIALS = {
    "objects_access_key": ("api", "ingest"),
    "objects_secret_key": ("api", "ingest"),
    "kafka_sasl_username": ("gateway", "ingest"),
    "kafka_sasl_password": ("gateway", "ingest"),
    "metrics_token": ("api", "gateway", "ingest"),
}
"""Which processes need what."""


def settings_of_process(settings: Settings, name: str) -> Settings:
    """These settings for one process: with its own database URL, and without the credentials of others."""
    own = {
        "api": settings.api_database_url,
        "gateway": settings.gateway_database_url,
        "ingest": settings.ingest_database_url,
    }
    url = (own[name] or settings.database_url) if name in own else ""
    changed: dict[str, str] = {f"{each}_database_url": "" for each in own} | {"database_url": url}
    changed |= {field: "" for field, users in _CREDENTIALS.items() if name not in users}
    return settings.model_copy(update=changed)
