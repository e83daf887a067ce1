"""Scrapes of `/metrics` by HTTP, read by the parser of prometheus-client."""

from __future__ import annotations

from dataclasses import dataclass

import httpx
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.parser import text_string_to_metric_families as parse_plain

OPEN_METRICS = "application/openmetrics-text; version=1.0.0"
TOKEN = "a-token-for-metrics-0123456789"


@dataclass(frozen=True)
class Scrape:
    """The samples of one scrape, by name and labels; and the name and kind of each family."""

    samples: dict[tuple[str, frozenset[tuple[str, str]]], float]
    kinds: dict[str, str]

    def value(self, name: str, **labels: str) -> float:
        """The value of one series."""
        return self.samples[name, frozenset(labels.items())]

    def get(self, name: str, **labels: str) -> float | None:
        """The same; None where there is no such series."""
        return self.samples.get((name, frozenset(labels.items())))

    def by(self, name: str, label: str) -> dict[str, float]:
        """The values of a metric by one label; a ValueError in the test when another label tells them apart."""
        found: dict[str, float] = {}
        for (sample, labels), value in self.samples.items():
            if sample == name:
                key = dict(labels)[label]
                assert key not in found, f"{name} has several series with {label}={key}"
                found[key] = value
        return found


def scrape(url: str, token: str | None = TOKEN) -> Scrape:
    """Ask as Prometheus does, for OpenMetrics."""
    headers = {"Accept": OPEN_METRICS} | ({} if token is None else {"Authorization": f"Bearer {token}"})
    answer = httpx.get(f"{url}/metrics", headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    return parsed(answer.text)


def parsed(text: str) -> Scrape:
    """OpenMetrics text as samples; the parser refuses what is not."""
    families = list(text_string_to_metric_families(text))
    samples = {
        (each.name, frozenset(each.labels.items())): each.value for family in families for each in family.samples
    }
    assert len(samples) == sum(len(family.samples) for family in families), "a series comes twice"
    return Scrape(samples, {family.name: family.type for family in families})


def plain_names(text: str) -> set[str]:
    """The families of a scrape in the older text format."""
    return {family.name for family in parse_plain(text)}
