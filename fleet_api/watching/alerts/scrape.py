"""Scrapes of `/metrics`, as Prometheus makes them: samples with the address that they came from."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from urllib.parse import urlsplit

import httpx
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from fleet_api.watching.alerts.expressions import Labels
from fleet_api.watching.alerts.rules import UP
from triggers.addresses import is_protected
from triggers.errors import Misconfigured

TIMEOUT_S = 15.0
MAX_BYTES = 16 * 1024**2
JOB = ("job", "longtail")
Samples = dict[str, dict[Labels, float]]


def scrape(
    urls: Sequence[str], token: str | None, *, verify: ssl.SSLContext | bool = True
) -> tuple[Samples, list[str]]:
    """The samples of all these addresses, with `up` for each, and what was wrong with those that did not answer.
    `verify`: how their certificates are verified.

    Misconfigured for an address that cannot be asked, or over which the token could be read on the way.
    """
    samples: Samples = {UP: {}}
    problems = []
    with httpx.Client(timeout=TIMEOUT_S, verify=verify) as http:
        for url in urls:
            instance = ("instance", _instance(url, token))
            try:
                _add(samples, _text(http, url, token), (JOB, instance))
                samples[UP][frozenset((JOB, instance))] = 1.0
            except (httpx.HTTPError, ValueError) as error:
                samples[UP][frozenset((JOB, instance))] = 0.0
                problems.append(f"{instance[1]}: {str(error) or type(error).__name__}")
    return samples, problems


def _text(http: httpx.Client, url: str, token: str | None) -> str:
    address = url if urlsplit(url).path.endswith("/metrics") else f"{url.rstrip('/')}/metrics"
    headers = {"Accept": "application/openmetrics-text; version=1.0.0"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    body = bytearray()
    with http.stream("GET", address, headers=headers) as answer:
        if answer.status_code != httpx.codes.OK:
            raise ValueError(f"it answered {answer.status_code}")
        for chunk in answer.iter_bytes():
            body += chunk
            if len(body) > MAX_BYTES:
                raise ValueError(f"its metrics have more than {MAX_BYTES} bytes")
    return body.decode("utf-8")


def _add(samples: Samples, text: str, labels: tuple[tuple[str, str], ...]) -> None:
    for family in text_string_to_metric_families(text):  # type: ignore[no-untyped-call]
        for sample in family.samples:
            of_metric = samples.setdefault(sample.name, {})
            of_metric[frozenset((*sample.labels.items(), *labels))] = float(sample.value)


def _instance(url: str, token: str | None) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or "@" in parts.netloc:
        raise Misconfigured(f"not an address of metrics: {url!r}", remedy="write http://HOST:PORT or https://HOST:PORT")
    if token and not is_protected(url):
        raise Misconfigured(
            f"the token of metrics could be read on its way to {parts.netloc}", remedy="use https, or ask from there"
        )
    return parts.netloc
