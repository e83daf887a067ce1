"""The API's own evaluation of the alert rules, once a minute by one of its processes, and kept in the database."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping

from fleet_api.watching.alerts.evaluate import Metrics, evaluate
from fleet_api.watching.alerts.expressions import Labels
from fleet_api.watching.alerts.rules import RULES, Rule
from fleet_api.watching.alerts.state import State
from fleet_api.watching.alerts.views import alert_view
from fleet_api.watching.source import WatchSource
from ingest.metrics import names
from ingest.metrics.names import Family
from storage.database import Database
from storage.watching import alerts as kept
from triggers.errors import LongtailError

EVERY_S = 60.0
FIRST_S = 5.0
"""After the start, when the process has something to do already."""
COUNTS = "counts"
"""The source of what is counted over everything: it may be missing while the database is read."""
_log = logging.getLogger(__name__)


def _is_of_api(rule: Rule) -> bool:
    metrics = [names.METRICS.get(series.name) for series in rule.condition.series()]
    return all(metric is not None and "api" in metric.processes for metric in metrics)


RULES_HERE: tuple[Rule, ...] = tuple(rule for rule in RULES if _is_of_api(rule))
"""The rules over metrics that the API reads itself; of processes and disks, those of the API alone."""
RULES_ELSEWHERE: tuple[str, ...] = tuple(rule.name for rule in RULES if rule not in RULES_HERE)
SOURCE_OF: Mapping[str, str | None] = {
    names.COLLECTED.name: None,
    **dict.fromkeys((names.DISK_FREE.name, names.DISK_SIZE.name), "disks"),
    **dict.fromkeys((names.VEHICLES.name, names.FIRED.name, names.UNACCOUNTED.name), COUNTS),
    **dict.fromkeys((names.EXPECTED_FIRES.name, names.EXPECTED_BYTES.name, names.FORECAST.name), COUNTS),
    **dict.fromkeys((names.TRIGGER_FORECAST.name, names.TRIGGER_LIMIT.name), COUNTS),
}
"""The sources of metrics in rules, where it is not the database; the readers themselves are no source."""


class AlertWatch:
    """Evaluates RULES_HERE until it is closed. Several processes share the work by turns."""

    def __init__(
        self,
        database: Database,
        families: Callable[[], Iterable[Family]],
        *,
        instance: str,
        unix_s: Callable[[], float] = time.time,
    ) -> None:
        """`families` are the metrics of this process, `instance` its address in their labels."""
        self._database = database
        self._families = families
        self._instance = instance
        self._unix_s = unix_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="alerts", daemon=True)

    def start(self) -> None:
        """Begin; the first evaluation follows soon."""
        self._thread.start()

    def stop(self) -> None:
        """Begin no evaluation any more, and keep nothing of one that runs: what it reads may be ending, too."""
        self._stop.set()

    def close(self) -> None:
        """End, and wait for an evaluation that runs."""
        self.stop()
        if self._thread.ident is not None:
            self._thread.join()

    def evaluate(self, *, every_s: float = EVERY_S) -> bool:
        """Evaluate and keep what was found, if it is time and no other process is at it; whether that was so.

        Nothing is kept when that took so long that another process has taken the next turn.

        1. take the turn, so that other processes leave it for `every_s`
        2. read the metrics, and evaluate with what the last evaluation remembers
        3. keep alerts and memory; of sources that could not be read, what was known stays
        """
        with self._database.begin() as connection:
            before = kept.take(connection, every_s=every_s)
        if before is None:
            return False
        samples = samples_of(self._families(), self._instance)
        missing = _missing(samples)
        if self._stop.is_set():
            return False
        state = State.of({"held": before.held, "samples": before.samples})
        unknown = [rule.name for rule in RULES_HERE if _is_over(rule, missing)]
        found = evaluate(Metrics(samples, state, self._unix_s()), RULES_HERE, unknown=unknown)
        views = [alert_view(alert, lacking=("instance",)).model_dump(mode="json") for alert in found]
        known = {(view["alert"], tuple(sorted(view["labels"].items()))) for view in views}
        views += [
            dict(old)
            for old in before.alerts
            if old["alert"] in unknown and (old["alert"], tuple(sorted(old["labels"].items()))) not in known
        ]
        stored = state.stored()
        is_news = len(stored["samples"]) != len(before.samples) or stored["samples"][-1:] != list(before.samples[-1:])
        with self._database.begin() as connection:
            return kept.write(
                connection,
                taken=before,
                held=stored["held"],
                alerts=views,
                missing=missing,
                samples=stored["samples"] if is_news else None,
            )

    def _work(self) -> None:
        wait_s = FIRST_S
        while not self._stop.wait(wait_s):
            wait_s = EVERY_S
            try:
                self.evaluate()
            except LongtailError as error:
                _log.warning("alerts are not evaluated: %s", error)
            except Exception:  # noqa: BLE001 - a defect must not end the thread: no alert would come any more
                _log.exception("alerts could not be evaluated")


def samples_of(families: Iterable[Family], instance: str) -> dict[str, dict[Labels, float]]:
    """Metrics as a scrape has them: by metric and labels, with the instance among these."""
    samples: dict[str, dict[Labels, float]] = {}
    for family in families:
        of_metric = samples.setdefault(family.metric.name, {})
        for values, value in family.samples:
            labels = zip(family.metric.labels, values, strict=True)
            of_metric[frozenset((*labels, ("instance", instance)))] = value
    return samples


def _missing(samples: dict[str, dict[Labels, float]]) -> list[str]:
    """The sources that could not be read, and the counts of everything before there are any."""
    collected = samples.get(names.COLLECTED.name, {})
    found = [dict(labels)["source"] for labels, value in collected.items() if value == 0]
    return sorted(found) if names.VEHICLES.name in samples else sorted({*found, COUNTS})


def _is_over(rule: Rule, sources: Collection[str]) -> bool:
    """Whether a rule needs a metric of one of these sources."""
    return any(SOURCE_OF.get(series.name, WatchSource.name) in sources for series in rule.condition.series())
