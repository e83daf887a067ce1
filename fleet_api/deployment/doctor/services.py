"""The processes: whether API, gateway and ingest answer, and are ready."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
from pydantic import ValidationError

from fleet_api.client.transport import on_this_machine, verification
from fleet_api.deployment.doctor.findings import Finding, fail, guarded, ok, warn
from storage.settings import Settings
from triggers.contracts.api.health import HealthView

TIMEOUT_S = 5.0


def check(settings: Settings, deployment: str | None) -> Iterator[Finding]:
    """Whether each process answers, is ready, and belongs to the deployment of this id (None: no database tells it).

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
        yield guarded(name, lambda name=name, url=url: _service(name, url, settings, deployment))  # type: ignore[misc]


def _service(name: str, url: str, settings: Settings, deployment: str | None) -> Finding:
    setting = f"LONGTAIL_{name.upper()}_" + ("HOST and _PORT" if name == "ingest" else "URL, _HOST and _PORT")
    verified = verification(settings.ca_file, settings.client_cert_file)
    try:
        response = httpx.get(f"{url}/readyz", timeout=TIMEOUT_S, trust_env=not on_this_machine(url), verify=verified)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = str(error) or type(error).__name__
        if settings.tls_client_ca_file is not None and isinstance(error, httpx.RemoteProtocolError | httpx.ReadError):
            remedy = "set LONGTAIL_CLIENT_CERT_FILE to a valid one of the authorities that it asks for, with its key"
            message = f"{url} hung up, as on a client without a certificate of its authorities ({reason})"
            return fail(name, message, remedy)
        return fail(name, f"{url} does not answer ({reason})", f"start it with `longtail up`, or correct {setting}")
    if response.status_code != httpx.codes.OK:
        return fail(name, f"{url} is not ready: {response.text[:200]}", f"look at the log of `longtail {name}`")
    return _belonging(name, url, setting, deployment, _told_by(response))


def _belonging(name: str, url: str, setting: str, deployment: str | None, told: str | None) -> Finding:
    if told is None:
        remedy = f"upgrade it if it is an older Longtail, else correct {setting}"
        return warn(name, f"{url} is ready, but does not say to which deployment it belongs", remedy)
    if deployment is None:
        remedy = "first do what is said of the database; until then what answers may be another deployment's"
        return warn(name, f"{url} is ready, but no database says whether its deployment ({told}) is this one", remedy)
    if told != deployment:
        message = f"{url} belongs to another deployment ({told}); this one is {deployment}"
        return fail(name, message, f"start it with `longtail up`, or correct {setting}")
    return ok(name, f"{url} is ready")


def _told_by(response: httpx.Response) -> str | None:
    """The deployment's id in an answer of `/readyz`, which may come from any program."""
    try:
        return HealthView.model_validate_json(response.content).deployment
    except ValidationError:
        return None
