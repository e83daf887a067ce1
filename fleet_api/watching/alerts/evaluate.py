"""Evaluation of the rules over scraped metrics, and what changed since the last evaluation."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from fleet_api.watching.alerts.expressions import Labels, Vector, growths
from fleet_api.watching.alerts.rules import RULES, Rule
from fleet_api.watching.alerts.state import Held, State


@dataclass(frozen=True, slots=True)
class Alert:
    """A condition that holds for some labels. `is_firing`: for as long as its rule wants; before that it is pending."""

    rule: Rule
    labels: Labels
    value: float
    since_s: float
    is_firing: bool

    @property
    def key(self) -> str:
        """What makes it the same alert the next time."""
        return json.dumps([self.rule.name, sorted(self.labels)])

    @property
    def summary(self) -> str:
        """What is wrong, in a sentence."""
        return told(self.rule.summary, self.labels, self.value)

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return told(self.rule.remedy, self.labels, self.value)


@dataclass(frozen=True)
class Metrics:
    """Scraped samples by metric and labels, and what the state knows of earlier."""

    samples: Mapping[str, Mapping[Labels, float]]
    state: State
    at_s: float

    def now(self, name: str) -> Mapping[Labels, float]:
        """The series of a metric now."""
        return self.samples.get(name, {})

    def before(self, key: str, seconds: int) -> Vector | None:
        """What an aggregated series was so long ago."""
        return self.state.before(key, self.at_s - seconds)


def evaluate(
    metrics: Metrics, rules: Sequence[Rule] = RULES, *, is_complete: bool = True, unknown: Collection[str] = ()
) -> list[Alert]:
    """Every condition that holds now, firing or pending; `metrics.state` learns since when. The worst come first.

    A condition that does not hold any more is forgotten there, unless it was told (then `resolved` has it). Nothing is
    where a process did not answer (not `is_complete`): its metrics may have been those of the condition. Nor is one of
    the rules, by their names, whose metrics are known to be missing (`unknown`).
    """
    found = []
    for rule in rules:
        for labels, value in sorted(rule.condition.value(metrics).items(), key=lambda each: sorted(each[0])):
            alert = Alert(rule, labels, value, metrics.at_s, is_firing=False)
            held = metrics.state.held.setdefault(alert.key, Held(metrics.at_s))
            is_firing = metrics.at_s - held.since_s >= rule.for_s
            found.append(Alert(rule, labels, value, held.since_s, is_firing))
    holding = {alert.key for alert in found}
    for key in [key for key, held in metrics.state.held.items() if key not in holding and not held.told]:
        if is_complete and json.loads(key)[0] not in unknown:
            del metrics.state.held[key]
    remembered = {growth.of.promql(): growth.of for rule in rules for growth in growths(rule.condition)}
    metrics.state.remember(metrics.at_s, {key: series.value(metrics) for key, series in remembered.items()})
    worst = {"critical": 0, "warning": 1, "info": 2}
    return sorted(found, key=lambda alert: (not alert.is_firing, worst[alert.rule.severity], alert.key))


def resolved(state: State, alerts: Iterable[Alert], *, is_complete: bool = True) -> list[str]:
    """The keys of alerts that were told and do not hold any more; none unless all metrics are there (`is_complete`)."""
    holding = {alert.key for alert in alerts}
    return [key for key, held in state.held.items() if held.told and key not in holding and is_complete]


def told(sentence: str, labels: Labels, value: float) -> str:
    """A sentence of a rule about one alert.

    >>> told("{percent} of {disk} is free", frozenset({("disk", "data")}), 0.0249)
    '2.49% of data is free'
    """
    for name, text in labels:
        sentence = sentence.replace(f"{{{name}}}", text or "(fleet)")
    shown, percent = (f"{value:.4g}", f"{value * 100:.4g}%") if math.isfinite(value) else ("infinitely many",) * 2
    return sentence.replace("{value}", shown).replace("{percent}", percent)
