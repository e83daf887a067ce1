"""Settings: where each comes from, and those that do not fit together."""

from __future__ import annotations

import os
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fleet_api.client.data_dir import default_data_dir, read_client_file
from fleet_api.deployment.doctor.findings import Finding, fail, ok, warn
from storage.embedded import running_url
from storage.settings import PREFIX, Settings, is_secret, shown_url

_OF_THE_COMMAND_LINE = {f"{PREFIX}TOKEN", f"{PREFIX}TOKEN_FILE", f"{PREFIX}DEBUG"}
_URLS = (
    "database_url",
    "api_database_url",
    "gateway_database_url",
    "ingest_database_url",
    "objects_url",
    "log_url",
)


def check(settings: Settings) -> Iterator[Finding]:
    """Which settings are given, and those that cannot work together."""
    given = [row for row in described_settings(settings) if row["source"] == "variable"]
    names = ", ".join(row["variable"] for row in given) or "none; all settings have their defaults"
    yield ok("settings", f"set by variables: {names}")
    known = {row["variable"] for row in described_settings(settings)} | _OF_THE_COMMAND_LINE
    for variable in sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known):
        near = get_close_matches(variable, known, n=1)
        yield warn(
            f"setting {variable}",
            "it is set, and no setting has this name",
            f"did you mean {near[0]}?" if near else "unset it; docs/operations.md lists all settings",
        )
    if settings.log_retention_s <= settings.upload_expiry_s:
        yield fail(
            "log retention",
            f"the log keeps {settings.log_retention_s} s, but an upload may take {settings.upload_expiry_s} s",
            "raise LONGTAIL_LOG_RETENTION_S above LONGTAIL_UPLOAD_EXPIRY_S",
        )
    else:
        yield ok("log retention", f"{settings.log_retention_s} s, longer than an upload's {settings.upload_expiry_s} s")
    if settings.allow_self_approval:
        yield warn(
            "approval",
            "authors may approve their own campaigns",
            "unset LONGTAIL_ALLOW_SELF_APPROVAL outside of trials",
        )


def described_settings(settings: Settings) -> list[dict[str, Any]]:
    """Every setting with its value and the value's source: its variable, or the default."""
    rows = []
    for name, value in settings.model_dump(mode="json").items():
        variable = PREFIX + name.upper()
        shown = shown_url(str(value)) if name in _URLS and value else value
        if value and is_secret(name):
            shown = "***"
        source = "variable" if variable in os.environ else "default"
        rows.append({"variable": variable, "value": shown, "source": source})
    return rows


def settings_of_deployment(data_dir: Path | None) -> Settings:
    """The settings from the environment, completed by the deployment that runs in the data directory.

    One that does not run leaves its `client.json` behind, whose ports others may have by now.
    """
    settings = Settings.load(**({"data_dir": data_dir} if data_dir else {}))
    folder = Path(settings.data_dir or default_data_dir())
    running: dict[str, Any] = {"data_dir": folder}
    if not settings.database_url:
        running["database_url"] = running_url(folder / "postgres") or ""
    known = read_client_file(folder) if settings.database_url or running.get("database_url") else None
    if known is not None:
        running["api_url"] = settings.api_url or known.api_url
        running["gateway_url"] = settings.gateway_url or known.gateway_url
        host, _, port = urlsplit(known.ingest_url).netloc.rpartition(":")
        if host:
            running |= {"ingest_host": host, "ingest_port": int(port)}
    return settings.model_copy(update=running)
