"""The doctor: checks settings, reachability, schema and consistency; each finding is ok, a warning or a failure.

A check that an earlier failure makes impossible is skipped, so that one cause gives one failure.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from fleet_api.client.data_dir import default_data_dir, read_client_file
from fleet_api.client.transport import on_this_machine
from fleet_api.deployment.database_checks import examine_database, without_data_dir
from fleet_api.deployment.findings import Finding, fail, guarded, ok, warn
from storage.embedded import running_url
from storage.objects import open_store
from storage.settings import PREFIX, SECRET_ENDINGS, Settings, shown_url
from triggers.contracts.signing import key_id, load_private_key

_URLS = ("database_url", "objects_url", "log_url")


def examine(settings: Settings) -> Iterator[Finding]:
    """Run all checks, and yield each finding as it is made."""
    yield from _settings(settings)
    yield guarded("data directory", lambda: _data_dir(settings))
    yield guarded("signing key", lambda: _signing_key(settings))
    yield from examine_database(settings)
    yield from _objects(settings)
    for name, url in (("api", settings.effective_api_url()), ("gateway", settings.effective_gateway_url())):
        yield _service(name, url)


def described_settings(settings: Settings) -> list[dict[str, Any]]:
    """Every setting with its value and the value's source: its variable, or the default."""
    rows = []
    for name, value in settings.model_dump(mode="json").items():
        variable = PREFIX + name.upper()
        shown = shown_url(str(value)) if name in _URLS and value else value
        if value and variable.endswith(SECRET_ENDINGS):
            shown = "***"
        source = "variable" if variable in os.environ else "default"
        rows.append({"variable": variable, "value": shown, "source": source})
    return rows


def _settings(settings: Settings) -> Iterator[Finding]:
    given = [row for row in described_settings(settings) if row["source"] == "variable"]
    names = ", ".join(row["variable"] for row in given) or "none; all settings have their defaults"
    yield ok("settings", f"set by variables: {names}")
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


def _data_dir(settings: Settings) -> Finding:
    folder = settings.require_data_dir()
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as probe:
            probe.write(b"longtail")
            probe.flush()
            os.fsync(probe.fileno())
        disk = os.statvfs(folder)
    except OSError as error:
        return fail(
            "data directory", f"{folder} cannot be written: {error.strerror or error}", "set LONGTAIL_DATA_DIR (--data)"
        )
    free_bytes = disk.f_bavail * disk.f_frsize
    if free_bytes < 2 * settings.spool_bytes:
        need = "free some, or lower LONGTAIL_SPOOL_BYTES"
        return warn("data directory", f"{folder} has only {free_bytes // 1024**2} MiB free", need)
    return ok("data directory", f"{folder} is writable, {free_bytes // 1024**3} GiB free")


def _signing_key(settings: Settings) -> Finding:
    path = settings.effective_signing_key()
    if not path.exists():
        return fail("signing key", f"{path} does not exist", "start the API once, or set LONGTAIL_SIGNING_KEY")
    identity = key_id(load_private_key(path).public_key()).hex()
    if path.stat().st_mode & 0o077:
        return warn("signing key", f"{path} (public key {identity}) can be read by others", f"chmod 600 {path}")
    return ok("signing key", f"{path}, public key {identity}")


def _objects(settings: Settings) -> Iterator[Finding]:
    """Skipped when the objects would be in a data directory that does not exist: opening them would create it."""
    if not without_data_dir(settings):
        yield guarded("objects", lambda: ok("objects", open_store(settings).check()))


def _service(name: str, url: str) -> Finding:
    setting = f"LONGTAIL_{name.upper()}_URL, _HOST and _PORT"
    try:
        response = httpx.get(f"{url}/readyz", timeout=5.0, trust_env=not on_this_machine(url))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return fail(name, f"{url} does not answer ({error})", f"start it with `longtail up`, or correct {setting}")
    if response.status_code != httpx.codes.OK:
        return fail(name, f"{url} is not ready: {response.text[:200]}", f"look at the log of `longtail {name}`")
    return ok(name, f"{url} is ready")


def settings_of_deployment(data_dir: Path | None) -> Settings:
    """The settings from the environment, completed by the deployment that runs in the data directory."""
    settings = Settings.load(**({"data_dir": data_dir} if data_dir else {}))
    folder = Path(settings.data_dir or default_data_dir())
    running: dict[str, Any] = {"data_dir": folder}
    if not settings.database_url:
        running["database_url"] = running_url(folder / "postgres") or ""
    known = read_client_file(folder)
    if known is not None:
        running["api_url"] = settings.api_url or known.api_url
        running["gateway_url"] = settings.gateway_url or known.gateway_url
    return settings.model_copy(update=running)
