"""The processes: whether API, gateway and ingest answer, and are ready."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx

from fleet_api.client.transport import on_this_machine, verification
from fleet_api.deployment.doctor.findings import Finding, fail, guarded, ok
from storage.settings import Settings

TIMEOUT_S = 5.0


def check(settings: Settings) -> Iterator[Finding]:
    """Whether each process answers, and is ready.

    Without a database none of them runs, and what answers at an address that nobody gave is of another deployment.
    """
    given = settings.model_fields_set
    urls = {
        "api": (settings.effective_api_url(), {"api_url", "api_host", "api_port"}),
        "gateway": (settings.effective_gateway_url(), {"gateway_url", "gateway_host", "gateway_port"}),
        "ingest": (settings.effective_ingest_url(), {"ingest_host", "ingest_port"}),
    }
    for name, (url, sources) in urls.items():
        if not settings.database_url and not given & sources:
            message = f"the {name} of this deployment does not run, as its database does not"
            yield fail(name, message, "start it with `longtail up`, or name its --data")
            continue
        yield guarded(name, lambda name=name, url=url: _service(name, url, settings.ca_file))  # type: ignore[misc]


def _service(name: str, url: str, ca_file: Path | None) -> Finding:
    setting = f"LONGTAIL_{name.upper()}_" + ("HOST and _PORT" if name == "ingest" else "URL, _HOST and _PORT")
    verified = verification(ca_file)
    try:
        response = httpx.get(f"{url}/readyz", timeout=TIMEOUT_S, trust_env=not on_this_machine(url), verify=verified)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = str(error) or type(error).__name__
        return fail(name, f"{url} does not answer ({reason})", f"start it with `longtail up`, or correct {setting}")
    if response.status_code != httpx.codes.OK:
        return fail(name, f"{url} is not ready: {response.text[:200]}", f"look at the log of `longtail {name}`")
    return ok(name, f"{url} is ready")
